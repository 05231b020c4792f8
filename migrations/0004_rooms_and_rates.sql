-- Ids of facilities in the order sent, between spaces: the catalogues are in the program.
alter table properties add column facilities text not null default '';

-- Nothing has been written here yet. JSON as text comes back on both databases as it was sent.
alter table property_users drop column overrides;
alter table property_users add column overrides text;
alter table group_users drop column overrides;
alter table group_users add column overrides text;

create table room_types (
    id uuid primary key,
    property_id uuid not null references properties (id) on delete cascade,
    title text not null,
    sort_title bytea not null,
    count_of_rooms bigint not null,
    occ_adults bigint not null,
    occ_children bigint not null,
    occ_infants bigint not null,
    default_occupancy bigint not null,
    facilities text not null,
    room_kind text not null,
    capacity bigint,
    description text,
    created_at timestamptz not null
);
create index room_types_by_property on room_types (property_id, sort_title, id);

-- Prices are in the smallest unit of the plan's currency; `options` and `auto_rate_settings` are JSON.
create table rate_plans (
    id uuid primary key,
    property_id uuid not null references properties (id) on delete cascade,
    room_type_id uuid not null references room_types (id) on delete cascade,
    parent_rate_plan_id uuid references rate_plans (id) on delete set null,
    title text not null,
    sort_title bytea not null,
    currency text not null,
    sell_mode text not null,
    rate_mode text not null,
    meal_type text not null,
    options text not null,
    primary_occupancy bigint not null,
    auto_rate_settings text,
    children_fee bigint not null,
    infant_fee bigint not null,
    inherit_rate boolean not null,
    inherit_closed_to_arrival boolean not null,
    inherit_closed_to_departure boolean not null,
    inherit_stop_sell boolean not null,
    inherit_min_stay_arrival boolean not null,
    inherit_min_stay_through boolean not null,
    inherit_max_stay boolean not null,
    inherit_max_sell boolean not null,
    inherit_max_availability boolean not null,
    inherit_availability_offset boolean not null,
    created_at timestamptz not null,
    unique (room_type_id, title)
);
create index rate_plans_by_property on rate_plans (property_id, sort_title, id);
create index rate_plans_by_parent on rate_plans (parent_rate_plan_id);

-- A photo of a property, or of one of its room types. That no position is taken twice is the program's to see to: in a
-- batch photos change places.
create table photos (
    id uuid primary key,
    property_id uuid not null references properties (id) on delete cascade,
    room_type_id uuid references room_types (id) on delete cascade,
    url text not null,
    kind text not null,
    author text,
    description text,
    position bigint not null,
    created_at timestamptz not null
);
create index photos_by_property on photos (property_id, position);
create index photos_by_room_type on photos (room_type_id, position);
