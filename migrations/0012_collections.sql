-- Another one after every change of what answers show of a room type.
alter table room_types add column version bigint not null default 1;

-- A rate is in ten-thousandths of a percent or of the currency.
create table taxes (
    id uuid primary key,
    version bigint not null,
    property_id uuid not null references properties (id) on delete cascade,
    title text not null,
    sort_title bytea not null,
    logic text not null,
    kind text not null,
    rate bigint not null,
    currency text,
    is_inclusive boolean not null,
    applicable_after text,
    applicable_before text,
    max_nights bigint,
    skip_nights bigint,
    created_at timestamptz not null
);
create index taxes_by_property on taxes (property_id, sort_title, id);

-- `taxes` is JSON: their ids, in order, each perhaps with ids of taxes on it.
create table tax_sets (
    id uuid primary key,
    version bigint not null,
    property_id uuid not null references properties (id) on delete cascade,
    title text not null,
    sort_title bytea not null,
    currency text not null,
    taxes text not null,
    created_at timestamptz not null
);
create index tax_sets_by_property on tax_sets (property_id, sort_title, id);

-- Of a property, or of a user. Amounts are in the smallest unit of the currency.
create table hotel_policies (
    id uuid primary key,
    version bigint not null,
    property_id uuid references properties (id) on delete cascade,
    user_id uuid references users (id) on delete cascade,
    title text not null,
    sort_title bytea not null,
    currency text not null,
    is_adults_only boolean not null,
    max_count_of_guests bigint not null,
    checkin_time text not null,
    checkout_time text not null,
    internet_access_type text not null,
    internet_access_coverage text not null,
    internet_access_cost bigint,
    parking_type text not null,
    parking_reservation text not null,
    parking_is_private boolean not null,
    pets_policy text not null,
    pets_non_refundable_fee bigint not null,
    pets_refundable_deposit bigint not null,
    smoking_policy text not null,
    created_at timestamptz not null,
    check ((property_id is null) <> (user_id is null))
);
create index hotel_policies_by_property on hotel_policies (property_id, sort_title, id);
create index hotel_policies_by_user on hotel_policies (user_id, sort_title, id);

-- As of room types.
alter table photos add column version bigint not null default 1;
