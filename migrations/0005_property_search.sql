-- What pages search and order by: title and city, folded (`db::folded`), a line break between them. What stands here
-- already is folded as far as both databases can; the next update of a property folds it whole.
alter table properties add column search text not null default '';
alter table properties add column sort_city text not null default '';
update properties set
    search = lower(title || '
' || coalesce(city, '')),
    sort_city = lower(coalesce(city, ''));
