-- How often keys are used and refused, and from where. Counts are kept in memory for up to a minute (keys/uses.rs).

-- By day, which begins at midnight UTC; for 90 days.
create table key_days (
    key_id uuid not null references api_keys (id) on delete cascade,
    day timestamptz not null,
    uses bigint not null,
    refused bigint not null,
    primary key (key_id, day)
);
create index key_days_by_day on key_days (day);

-- By the client's address, with what the client called itself last; the 50 of a key that were seen last.
create table key_places (
    key_id uuid not null references api_keys (id) on delete cascade,
    address text not null,
    client text,
    first_at timestamptz not null,
    last_at timestamptz not null,
    uses bigint not null,
    refused bigint not null,
    primary key (key_id, address)
);

-- Requests with a key that were refused, such as after it was withdrawn; and when the record of activity told that a
-- withdrawn key is still tried, which it does once.
alter table api_keys add column refused_count bigint not null default 0;
alter table api_keys add column last_refused_at timestamptz;
alter table api_keys add column last_refused_address text;
alter table api_keys add column last_refused_client text;
alter table api_keys add column last_refused_reason text;
alter table api_keys add column withdrawn_use_told_at timestamptz;
