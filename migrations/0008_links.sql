-- Links tell who made them (null: the host, or nobody knows), and carry the property's title key for lists by index.
-- A property has one home: the group in which it was created (docs/contract/README.md, section 15, 104).
alter table group_properties rename to old_group_properties;
create table group_properties (
    group_id uuid not null references groups (id) on delete cascade,
    property_id uuid not null references properties (id) on delete cascade,
    sort_title bytea not null,
    is_home boolean not null,
    given_by uuid references users (id) on delete set null,
    given_by_key uuid references api_keys (id) on delete set null,
    created_at timestamptz not null,
    primary key (group_id, property_id)
);
insert into group_properties (group_id, property_id, sort_title, is_home, created_at)
select o.group_id, o.property_id, p.sort_title,
    o.group_id = (
        select first.group_id from old_group_properties first where first.property_id = o.property_id
        order by first.created_at, first.group_id limit 1),
    o.created_at
from old_group_properties o join properties p on p.id = o.property_id;
drop table old_group_properties;
create index group_properties_by_property on group_properties (property_id, group_id);
create index group_properties_by_title on group_properties (group_id, sort_title, property_id);
create unique index group_properties_home on group_properties (property_id) where is_home;
create index group_properties_by_giver on group_properties (given_by, property_id);
create index group_properties_by_key on group_properties (given_by_key);
create index group_properties_away on group_properties (group_id, property_id) where not is_home;

alter table property_users rename to old_property_users;
create table property_users (
    id uuid primary key,
    property_id uuid not null references properties (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    role text not null check (role in ('owner', 'user')),
    overrides text,
    sort_title bytea not null,
    given_by uuid references users (id) on delete set null,
    given_by_key uuid references api_keys (id) on delete set null,
    created_at timestamptz not null,
    unique (property_id, user_id)
);
insert into property_users (id, property_id, user_id, role, overrides, sort_title, created_at)
select o.id, o.property_id, o.user_id, o.role, o.overrides, p.sort_title, o.created_at
from old_property_users o join properties p on p.id = o.property_id;
drop table old_property_users;
create index property_users_by_user on property_users (user_id, property_id);
create index property_users_by_title on property_users (user_id, sort_title, property_id);
create index property_users_by_giver on property_users (given_by, user_id);
create index property_users_by_key on property_users (given_by_key);

alter table group_users rename to old_group_users;
create table group_users (
    id uuid primary key,
    group_id uuid not null references groups (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    role text not null check (role in ('owner', 'user')),
    overrides text,
    given_by uuid references users (id) on delete set null,
    given_by_key uuid references api_keys (id) on delete set null,
    created_at timestamptz not null,
    unique (group_id, user_id)
);
insert into group_users (id, group_id, user_id, role, overrides, created_at)
select id, group_id, user_id, role, overrides, created_at from old_group_users;
drop table old_group_users;
create index group_users_by_user on group_users (user_id, group_id);
create index group_users_by_giver on group_users (given_by, user_id);
create index group_users_by_key on group_users (given_by_key);

-- How many groups hold a property. Whoever sees fewer of them, and owns the property, is told of the others too.
alter table properties add column group_count bigint not null default 1;
update properties set group_count = (select count(*) from group_properties gp where gp.property_id = properties.id);
drop index properties_by_version;
create index properties_by_version on properties (id, version, sort_title, group_count);

-- People whose invitations a user does not take (docs/contract/README.md, section 15, 107).
create table refused_inviters (
    user_id uuid not null references users (id) on delete cascade,
    inviter_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null,
    primary key (user_id, inviter_id)
);
create index refused_inviters_by_inviter on refused_inviters (inviter_id);

-- The ways that one person gave another since a moment, which begins anew a day later.
create table ways_given (
    inviter_id uuid not null references users (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    since timestamptz not null,
    ways bigint not null,
    primary key (inviter_id, user_id)
);
create index ways_given_by_user on ways_given (user_id);
