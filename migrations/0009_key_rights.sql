-- Whether a key may manage users: never one that is limited or only reads (docs/contract/README.md, section 15, 105).
alter table api_keys add column manage_users boolean not null default false;
update api_keys set manage_users = all_properties and not read_only;
