//! The SQL of a collection that is declared (`collection.rs`). What reads takes the caller and finds only what is the
//! caller's.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    access::{self, caller::Caller},
    base::{clock::Moment, error::Result, ids::UserId},
    db::{Bind, FromRow, Row, Statement, Tx, impl_from_row},
    resource::{
        attribute::{self, Attribute},
        collection::{Parent, Resource, Stored},
        fields::Kind,
        json::Meta,
        list::{self, Compared, Filterable, Key, Listing, Orderable},
        query::Query,
    },
};

/// Where a resource is found, and in which version.
pub struct Hit {
    pub id: Uuid,
    pub version: i64,
}

impl_from_row!(Hit, row => Hit { id: row.at(0)?, version: row.at(1)? });

impl<R: Resource> FromRow for Stored<R> {
    fn from_row(row: &Row<'_>) -> sqlx::Result<Self> {
        let mut stored = Stored { id: row.at(0)?, version: row.at(1)?, resource: R::default() };
        attribute::load(R::FIELDS, &mut stored.resource, row, &mut 2)?;
        Ok(stored)
    }
}

/// What the list can be filtered and ordered by (docs/contract/README.md, sections 7 and 8).
pub fn listing<R: Resource>() -> Listing {
    let row = R::ROW;
    let mut filters = vec![Filterable { name: "id", sql: format!("{row}.id {{}}").into(), kind: Compared::Id }];
    let mut orders = vec![Orderable { name: "id", sql: format!("{row}.id").into(), key: Key::Id }];
    for attribute in R::FIELDS {
        let name = attribute.field.name;
        if attribute.filter {
            let kind = match attribute.field.kind {
                Kind::Id(_) => Compared::Id,
                Kind::Boolean => Compared::Boolean,
                _ => Compared::Text,
            };
            filters.push(Filterable { name, sql: attribute.filter_sql(row).into(), kind });
        }
        orders.extend(attribute.order(row).map(|(sql, key)| Orderable { name, sql: sql.into(), key }));
    }
    let inserted = Orderable { name: "inserted_at", sql: format!("{row}.created_at").into(), key: Key::Moment };
    let default_order = orders.iter().find(|order| order.name == R::ORDER).unwrap_or(&inserted).clone();
    orders.push(inserted);
    Listing { filters: filters.into(), orders: orders.into(), default_order, id: format!("{row}.id").into() }
}

/// Rows that belong to the caller, for a list.
pub fn listed<R: Resource>(tx: &Tx, columns: &str, caller: &Caller) -> Statement {
    let (table, row) = (R::NAME.many, R::ROW);
    match R::PARENT {
        Parent::Property(column) => {
            let on = format!("{row}.{column} = mine.property_id");
            access::visible_rows(tx, columns, &format!("{table} {row}"), &on, caller)
        }
        Parent::Group(column) => {
            let sql = format!(
                "select {columns} from group_users mine join {table} {row} on {row}.{column} = mine.group_id
                where mine.user_id = $1"
            );
            Statement::new(sql, vec![Bind::Id(caller.user.0)])
        }
        Parent::PropertyOrUser => access::visible_or_own_rows(tx, columns, table, caller),
    }
}

/// The same for rows of known ids.
fn seen<R: Resource>(columns: &str, caller: &Caller) -> Statement {
    let from = format!("select {columns} from {} {}", R::NAME.many, R::ROW);
    match R::PARENT {
        // Properties are called `p` there.
        Parent::Property("id") => access::seen(&from, caller),
        Parent::Property(column) => {
            access::seen(&format!("{from} join properties p on p.id = {}.{column}", R::ROW), caller)
        }
        Parent::Group(column) => {
            let on = format!("mine.group_id = {}.{column} and mine.user_id = $1", R::ROW);
            Statement::new(format!("{from} join group_users mine on {on} where true"), vec![Bind::Id(caller.user.0)])
        }
        Parent::PropertyOrUser => access::seen_or_own(&from, caller),
    }
}

fn columns<R: Resource>() -> String {
    let names = attribute::columns(R::FIELDS);
    let names = names.iter().map(String::as_str);
    match R::VERSIONS {
        true => qualified::<R>(["id", "version"].into_iter().chain(names)),
        // None changes: none is cached.
        false => format!("{}, cast(0 as bigint), {}", qualified::<R>(["id"].into_iter()), qualified::<R>(names)),
    }
}

/// Columns of its rows, as a query names them.
fn qualified<'a, R: Resource>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("{}.{name}", R::ROW)).collect::<Vec<_>>().join(", ")
}

/// The rows of the caller's resources; where its table has no versions, each has the same.
pub fn listed_hits<R: Resource>(tx: &Tx, caller: &Caller) -> Statement {
    let columns = match R::VERSIONS {
        true => qualified::<R>(["id", "version"].into_iter()),
        false => format!("{}, cast(0 as bigint)", qualified::<R>(["id"].into_iter())),
    };
    listed::<R>(tx, &columns, caller)
}

/// One page of the caller's resources.
pub async fn page<R: Resource>(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<(Vec<Hit>, Meta)> {
    let (rows, count) = (listed_hits::<R>(tx, caller), listed::<R>(tx, "count(*)", caller));
    list::page(tx, &listing::<R>(), query, rows, count).await
}

/// The version of one of the caller's resources.
pub async fn hit<R: Resource>(tx: &mut Tx, caller: &Caller, id: Uuid) -> sqlx::Result<Option<Hit>> {
    let mut rows = seen::<R>(&qualified::<R>(["id", "version"].into_iter()), caller);
    rows.and(&format!("{}.id", R::ROW), Bind::Id(id));
    rows.fetch_optional(tx).await
}

/// Those of these resources that are the caller's.
pub async fn by_ids<R: Resource>(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> Result<Vec<Stored<R>>> {
    let mut rows = seen::<R>(&columns::<R>(), caller);
    let names = rows.bind_all(ids.iter().map(|id| Bind::Id(*id)));
    rows.push(&format!(" and {}.id in ({names})", R::ROW));
    let mut found = rows.fetch_all(tx).await?;
    R::complete(tx, &mut found).await?;
    Ok(found)
}

/// One of the caller's resources.
pub async fn by_id<R: Resource>(tx: &mut Tx, caller: &Caller, id: Uuid) -> sqlx::Result<Option<Stored<R>>> {
    let mut rows = seen::<R>(&columns::<R>(), caller);
    rows.and(&format!("{}.id", R::ROW), Bind::Id(id));
    rows.fetch_optional(tx).await
}

/// The query of whole resources, whoever asks, before its condition.
pub fn select<R: Resource>() -> String {
    format!("select {} from {} {}", columns::<R>(), R::NAME.many, R::ROW)
}

/// The resources of a property, whoever asks, by id.
pub async fn of_property<R: Resource>(tx: &mut Tx, property: Uuid) -> sqlx::Result<Vec<Stored<R>>> {
    let sql = format!("{} where r.property_id = $1 order by r.id", select::<R>());
    Statement::new(sql, vec![Bind::Id(property)]).fetch_all(tx).await
}

/// An element of `/options`.
pub struct Choice<R> {
    pub id: Uuid,
    pub attributes: Map<String, Value>,
    of: std::marker::PhantomData<fn() -> R>,
}

/// The fields of an element of `/options`, but for its id.
fn option_fields<R: Resource>() -> impl Iterator<Item = &'static Attribute<R>> {
    R::OPTION.iter().filter_map(|name| R::FIELDS.iter().find(|attribute| attribute.field.name == *name))
}

impl<R: Resource> FromRow for Choice<R> {
    fn from_row(row: &Row<'_>) -> sqlx::Result<Self> {
        let id: Uuid = row.at(0)?;
        let (mut resource, mut place) = (R::default(), 1);
        for attribute in option_fields::<R>() {
            attribute.load(&mut resource, row, &mut place)?;
        }
        let value = |name: &&str| match R::FIELDS.iter().find(|attribute| attribute.field.name == *name) {
            Some(attribute) => attribute.json(&resource, resource.currency()),
            None => json!(id),
        };
        let attributes = R::OPTION.iter().map(|name| ((*name).to_owned(), value(name))).collect();
        Ok(Choice { id, attributes, of: std::marker::PhantomData })
    }
}

/// Those of these resources that are the caller's, in short.
pub async fn choices<R: Resource>(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> sqlx::Result<Vec<Choice<R>>> {
    let mut names = Vec::new();
    option_fields::<R>().for_each(|attribute| attribute.columns(&mut names));
    let names = std::iter::once("id").chain(names.iter().map(String::as_str));
    let mut rows = seen::<R>(&qualified::<R>(names), caller);
    let ids = rows.bind_ids(tx.is_postgres(), ids.iter().copied());
    rows.push(&format!(" and {}.id in {ids}", R::ROW));
    rows.fetch_all(tx).await
}

/// The names and values of the columns that change.
fn written<R: Resource>(Stored { version, resource, .. }: &Stored<R>, names: &mut Vec<String>, binds: &mut Vec<Bind>) {
    if R::VERSIONS {
        names.push("version".to_owned());
        binds.push(Bind::Whole(*version));
    }
    names.extend(attribute::columns(R::FIELDS));
    attribute::bind(R::FIELDS, resource, binds);
    for computed in R::COMPUTED {
        names.push(computed.column.to_owned());
        binds.push((computed.value)(resource));
    }
}

/// Adds a resource; `owner` is the user of one that belongs to no property, and of a property who made it.
pub async fn insert<R: Resource>(
    tx: &mut Tx,
    owner: Option<UserId>,
    stored: &Stored<R>,
    now: Moment,
) -> sqlx::Result<()> {
    let mut names = vec!["id".to_owned(), "created_at".to_owned()];
    let mut binds = vec![Bind::Id(stored.id), Bind::Moment(now)];
    let user = if R::PARENT == Parent::PropertyOrUser { Some("user_id") } else { R::MAKER };
    if let Some(column) = user {
        names.push(column.to_owned());
        binds.push(Bind::MaybeId(owner.map(|user| user.0)));
    }
    written(stored, &mut names, &mut binds);
    let places: Vec<String> = (1..=binds.len()).map(|place| format!("${place}")).collect();
    let sql = format!("insert into {} ({}) values ({})", R::NAME.many, names.join(", "), places.join(", "));
    Statement::new(sql, binds).execute(tx).await.map(drop)
}

/// Writes all fields and the version of a resource.
pub async fn update<R: Resource>(tx: &mut Tx, stored: &Stored<R>) -> sqlx::Result<()> {
    let (mut names, mut binds) = (Vec::new(), vec![Bind::Id(stored.id)]);
    written(stored, &mut names, &mut binds);
    let sets: Vec<String> = names.iter().zip(2..).map(|(name, place)| format!("{name} = ${place}")).collect();
    let sql = format!("update {} set {} where id = $1", R::NAME.many, sets.join(", "));
    Statement::new(sql, binds).execute(tx).await.map(drop)
}

/// Deletes a resource.
pub async fn delete<R: Resource>(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    let sql = format!("delete from {} where id = $1", R::NAME.many);
    Statement::new(sql, vec![Bind::Id(id)]).execute(tx).await.map(drop)
}
