-- Keys of another system, stored by the hashes that the host has brought along.
alter table api_keys add column imported boolean not null default false;
create index api_keys_imported on api_keys (id) where imported;

-- Texts in which somebody has found keys, until these are withdrawn: the SHA-256 of each key, one after the other. Every
-- text has a row, so that none takes longer than another. `request_id` is that of the log.
create table found_keys (
    id uuid primary key,
    digests bytea not null,
    request_id text,
    received_at timestamptz not null
);
