-- `digest` is the SHA-256 of the whole key, `tail` its last six characters; the key itself is nowhere.
-- `form_digest` is that of the form token that made the key: a repeated form makes no second key.
create table api_keys (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    title text not null,
    sort_title bytea not null,
    digest bytea not null unique,
    tail text not null,
    form_digest bytea not null unique,
    all_properties boolean not null,
    read_only boolean not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    last_used_at timestamptz,
    last_used_address text,
    last_used_client text,
    withdrawn_at timestamptz,
    withdrawn_by text check (withdrawn_by in ('owner', 'host')),
    check ((withdrawn_at is null) = (withdrawn_by is null))
);
create index api_keys_by_user on api_keys (user_id, created_at);

-- The properties that a key with `all_properties = false` is limited to.
create table api_key_properties (
    key_id uuid not null references api_keys (id) on delete cascade,
    property_id uuid not null references properties (id) on delete cascade,
    primary key (key_id, property_id)
);
create index api_key_properties_by_property on api_key_properties (property_id);
