-- Secrets of authenticator apps (RFC 6238), encrypted with the host's secret key `key_id`. `last_step` is the time step of the
-- last code that was used, 0 before; `confirmed_at` is when the first right code was entered, which turns it on.
create table totp (
    user_id uuid primary key references users (id) on delete cascade,
    key_id text not null,
    sealed bytea not null,
    last_step bigint not null,
    created_at timestamptz not null,
    confirmed_at timestamptz
);
create index totp_by_key on totp (key_id);

-- Recovery codes, of which each works once. `digest` is the SHA-256 of a code.
create table recovery_codes (
    digest bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    used_at timestamptz
);
create index recovery_codes_by_user on recovery_codes (user_id);

-- Sign-ins with the right password that wait for the second factor. `digest` is the SHA-256 of the id in the cookie,
-- `password_digest` that of the stored password hash; `told` says that it was recorded as left half-way.
create table pending_sign_ins (
    digest bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    password_digest bytea not null,
    address text,
    client text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    told boolean not null
);
create index pending_sign_ins_by_user on pending_sign_ins (user_id);
create index pending_sign_ins_by_expiry on pending_sign_ins (expires_at);

-- Running processes, and the secret keys that each knows: `latchkey secrets rotate` waits for all of them.
create table processes (
    id uuid primary key,
    seen_at timestamptz not null,
    secret_key_ids text not null
);
