-- Prices are in the currency's smallest unit. Coordinates are kept as sent.
create table properties (
    id uuid primary key,
    title text not null,
    sort_title bytea not null,
    is_active boolean not null,
    currency text not null,
    email text,
    phone text,
    zip_code text,
    country text,
    state text,
    city text,
    address text,
    longitude text,
    latitude text,
    timezone text,
    property_type text not null,
    logo_url text,
    autoupdate_on_confirmation boolean not null,
    autoupdate_on_modification boolean not null,
    autoupdate_on_cancellation boolean not null,
    min_stay_type text not null,
    min_price bigint,
    max_price bigint,
    state_length bigint not null,
    description text,
    important_information text,
    created_at timestamptz not null
);
create index properties_by_title on properties (sort_title, id);

create table group_properties (
    group_id uuid not null references groups (id) on delete cascade,
    property_id uuid not null references properties (id) on delete cascade,
    created_at timestamptz not null,
    primary key (group_id, property_id)
);
create index group_properties_by_property on group_properties (property_id);

create table property_users (
    id uuid primary key,
    property_id uuid not null references properties (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    role text not null check (role in ('owner', 'user')),
    overrides jsonb,
    created_at timestamptz not null,
    unique (property_id, user_id)
);
create index property_users_by_user on property_users (user_id, property_id);

create table group_users (
    id uuid primary key,
    group_id uuid not null references groups (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    role text not null check (role in ('owner', 'user')),
    overrides jsonb,
    created_at timestamptz not null,
    unique (group_id, user_id)
);
create index group_users_by_user on group_users (user_id, group_id);
