-- Groups come first because a user names a default group.
create table groups (
    id uuid primary key,
    title text not null,
    sort_title bytea not null,
    created_at timestamptz not null
);

-- `email_key` is the address folded for comparison: unique without regard to case, in any script.
create table users (
    id uuid primary key,
    email text not null,
    email_key text not null unique,
    name text,
    time_zone text not null,
    password_hash text,
    default_group_id uuid references groups (id) on delete set null,
    created_at timestamptz not null,
    deactivated_at timestamptz
);
create index users_by_default_group on users (default_group_id);

-- A person's browser sessions. `digest` is the SHA-256 of the id in the cookie.
create table sessions (
    digest bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);

-- One-use links with which a person sets name and password.
create table user_links (
    digest bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index user_links_by_user on user_links (user_id);

-- `period_ends_at` is null for a subscription without an end.
create table subscriptions (
    user_id uuid primary key references users (id) on delete cascade,
    state text not null check (state in ('trialing', 'active', 'past_due', 'cancelled', 'expired')),
    period_ends_at timestamptz,
    updated_at timestamptz not null
);

-- Values that all copies of the program share, such as the key that signs cookies.
create table host_values (
    name text primary key,
    value bytea not null
);
