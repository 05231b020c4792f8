-- One row, raised by every change that takes power away from callers: what processes remember of them is void then.
create table auth_epoch (
    id bigint primary key check (id = 1),
    epoch bigint not null
);
insert into auth_epoch (id, epoch) values (1, 0);
