-- Mails that wait to be sent, and those that were sent lately. A row has no text and no link: both are made when it is sent.
-- `to_key` is the address folded for comparison; `data` is JSON without secrets; of two rows with the same `dedupe` only
-- the first is stored. `user_id` is null for an address of which it is not known yet whether it has an account. A process
-- that sends a mail has leased it: until `leased_until` no other process takes it.
create table outbox (
    id uuid primary key,
    kind text not null,
    user_id uuid references users (id) on delete cascade,
    to_address text not null,
    to_key text not null,
    data text not null,
    dedupe text unique,
    created_at timestamptz not null,
    next_try_at timestamptz not null,
    tries bigint not null,
    leased_until timestamptz,
    lease bytea,
    sent_at timestamptz,
    given_up_at timestamptz,
    last_error text
);
create index outbox_by_next_try on outbox (next_try_at) where sent_at is null and given_up_at is null;
create index outbox_by_sending on outbox (sent_at);
create index outbox_by_user on outbox (user_id, kind, created_at);
create index outbox_by_address on outbox (to_key, created_at);
create index outbox_by_creation on outbox (created_at);

create index subscriptions_by_end on subscriptions (period_ends_at);

-- One-time links, by what they are for. `digest` is the SHA-256 of the token in the link. `user_id` is null for a sign-up,
-- whose account does not exist yet; `email` is the address that a sign-up or a change of address is about. A link that was
-- used is deleted.
drop table user_links;
create table user_links (
    digest bytea primary key,
    user_id uuid references users (id) on delete cascade,
    purpose text not null check (purpose in ('welcome', 'reset', 'email_change', 'email_undo', 'sign_up')),
    email text,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index user_links_by_user on user_links (user_id, purpose);
create index user_links_by_expiry on user_links (expires_at);

-- Addresses that users had before: for a while they are nobody else's, and the user can go back to them.
create table former_emails (
    email_key text primary key,
    user_id uuid not null references users (id) on delete cascade,
    email text not null,
    changed_at timestamptz not null,
    free_at timestamptz not null
);
create index former_emails_by_user on former_emails (user_id, changed_at);
create index former_emails_by_end on former_emails (free_at);
