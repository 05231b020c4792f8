-- How many properties each user can see, by whatever ways, each once: a list need not count them. No reference to
-- `users`: of a user who is deleted, the row goes last, since totals are locked after everything else
-- (docs/architecture.md, "Lists of large accounts").
create table property_totals (
    user_id uuid primary key,
    total bigint not null
);
insert into property_totals (user_id, total)
select u.id, (
    select count(*) from (
        select pu.property_id from property_users pu where pu.user_id = u.id
        union
        select gp.property_id from group_users gu join group_properties gp on gp.group_id = gu.group_id
        where gu.user_id = u.id) visible)
from users u;
