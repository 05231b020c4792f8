-- What the next page says once, such as "Profile saved.", as JSON with the section where it stands.
alter table sessions add column notice text;
