-- How an API key ends, and from where it may be used.
-- `allowed_addresses` are networks, separated by spaces (203.0.113.7/32 2001:db8::/48); null: from anywhere.
-- `replaced_by` is the key that a rotation created in its place; both work until `expires_at`. With `ends_when_unused` it
-- also ends once the new key has been used and this one has been silent for a day.
-- `withdrawn_how` is the finer word beside `withdrawn_by`: page, command, rotation or all.
-- `told_until` is how many days before its end the user was last reminded; 0 means not yet. `expiry_recorded` says that the
-- record of activity tells of its end. Whoever sets another end resets both.
alter table api_keys add column allowed_addresses text;
alter table api_keys add column replaced_by uuid;
alter table api_keys add column ends_when_unused boolean not null default false;
alter table api_keys add column withdrawn_how text;
alter table api_keys add column told_until bigint not null default 0;
alter table api_keys add column expiry_recorded boolean not null default false;
create index api_keys_by_end on api_keys (expires_at)
    where expires_at is not null and withdrawn_at is null and not expiry_recorded;
create index api_keys_ending_unused on api_keys (id) where ends_when_unused;
