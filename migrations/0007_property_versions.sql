-- Another one after every change of what a property shows of itself. The index finds ids with their versions, in order,
-- without a look at the rows, whose texts may be long.
alter table properties add column version bigint not null default 1;
create index properties_by_version on properties (id, version, sort_title);
