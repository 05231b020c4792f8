-- Another one after every change of what answers show of a room type.
alter table room_types add column version bigint not null default 1;

-- As of room types.
alter table photos add column version bigint not null default 1;
