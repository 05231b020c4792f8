-- Browser sessions, anew: everybody signs in once more. `digest` is the SHA-256 of the id in the cookie; `id` names the
-- session on pages. `confirmed_at` is when the user last proved who they are; `browser_digest` is that of the cookie by
-- which a browser is known again; `notice` is what the next page says once, as JSON.
drop table sessions;
create table sessions (
    digest bytea primary key,
    id uuid not null unique,
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_seen_at timestamptz not null,
    confirmed_at timestamptz not null,
    address text,
    client text,
    browser_digest bytea,
    notice text
);
create index sessions_by_user on sessions (user_id, last_seen_at);
create index sessions_by_expiry on sessions (expires_at);
create index sessions_by_browser on sessions (browser_digest);

-- Browsers from which a user has signed in before: guesses from elsewhere do not lock them out.
create table browsers (
    user_id uuid not null references users (id) on delete cascade,
    digest bytea not null,
    client text,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    primary key (user_id, digest)
);

create index browsers_by_digest on browsers (digest);

-- Failed attempts by subject (an account, a known browser, an address), and until when more are refused. `user_id` is the
-- account, where there is one; `began_at` is when the present day of an address began.
create table attempts (
    subject text primary key,
    user_id uuid references users (id) on delete cascade,
    failures bigint not null,
    began_at timestamptz not null,
    last_at timestamptz not null,
    closed_until timestamptz
);
create index attempts_by_last on attempts (last_at);
create index attempts_by_user on attempts (user_id);

-- What happened, written in the transaction of the change. `user_id` is the account that it concerns; `details` is JSON;
-- `count` is how many failed sign-ins from one address within an hour a row stands for.
create table activity (
    id uuid primary key,
    at timestamptz not null,
    user_id uuid references users (id) on delete set null,
    actor text not null,
    actor_id uuid,
    kind text not null,
    subject_id uuid,
    address text,
    client text,
    request_id text,
    count bigint not null default 1,
    details text
);
create index activity_by_user on activity (user_id, id);
create index activity_by_kind on activity (kind, id);

-- What was entered into a form whose session had ended, or that first asks who it is; without passwords, for an hour.
-- `browser_digest` is that of the cookie of the browser that sent it, with which path and fields are sealed; `is_known`
-- says whether somebody has signed in there before.
create table kept_forms (
    id uuid primary key,
    browser_digest bytea not null,
    is_known boolean not null,
    sealed bytea not null,
    expires_at timestamptz not null
);
create index kept_forms_by_browser on kept_forms (browser_digest, expires_at);
create index kept_forms_of_strangers on kept_forms (expires_at) where not is_known;
create index kept_forms_by_expiry on kept_forms (expires_at);
