-- Who made a property: so many may be there of one user. Of those that are there already it is the oldest owner.
alter table properties add column made_by uuid references users (id) on delete set null;
update properties set made_by = coalesce(
    (select pu.user_id from property_users pu
        where pu.property_id = properties.id and pu.role = 'owner' order by pu.created_at, pu.id limit 1),
    (select gu.user_id from group_properties gp join group_users gu on gu.group_id = gp.group_id
        where gp.property_id = properties.id and gu.role = 'owner' order by gu.created_at, gu.id limit 1));
create index properties_by_maker on properties (made_by);

-- Who made an account by an invitation: so many a day.
alter table users add column invited_by uuid references users (id) on delete set null;
create index users_by_inviter on users (invited_by, created_at);

-- Another one after every change of a rate plan. The index tells how plans hang together without a look at the rows,
-- whose options may be long.
alter table rate_plans add column version bigint not null default 1;
create index rate_plans_by_family on rate_plans
    (property_id, id, room_type_id, parent_rate_plan_id, rate_mode, version);
