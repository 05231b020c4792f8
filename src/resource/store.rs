//! The SQL of a collection that is declared (`collection.rs`). What reads takes the caller and finds only what is the
//! caller's.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    access::{self, caller::Caller},
    base::{clock::Moment, error::Result, ids::UserId},
    db::{Bind, FromRow, Row, Statement, Tx, impl_from_row},
    resource::{
        attribute::{self, Attribute},
        collection::{Pages, Parent, Resource, Stored},
        fields::Kind,
        json::ListMeta,
        list::{self, Compared, Filterable, Listing, Orderable},
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
    let mut filters = vec![Filterable { name: "id", sql: Cow::Borrowed("r.id {}"), kind: Compared::Id }];
    let mut orders = vec![Orderable { name: "id", sql: Cow::Borrowed("r.id") }];
    for attribute in R::FIELDS {
        let name = attribute.field.name;
        if attribute.filter {
            let kind = match attribute.field.kind {
                Kind::Id => Compared::Id,
                Kind::Boolean => Compared::Boolean,
                _ => Compared::Text,
            };
            filters.push(Filterable { name, sql: format!("{} {{}}", attribute.sql()).into(), kind });
        }
        orders.extend(attribute.order().map(|sql| Orderable { name, sql: sql.into() }));
    }
    orders.push(Orderable { name: "inserted_at", sql: Cow::Borrowed("r.created_at") });
    let default = orders.iter().find(|order| order.name == R::ORDER);
    let default_order = default.map_or(Cow::Borrowed("r.created_at"), |order| order.sql.clone());
    Listing { filters: filters.into(), orders: orders.into(), default_order, id: "r.id" }
}

/// Rows that belong to the caller, for a list.
fn listed<R: Resource>(tx: &Tx, columns: &str, caller: &Caller) -> Statement {
    let table = R::NAME.many;
    match R::PARENT {
        Parent::Property => {
            access::visible_rows(tx, columns, &format!("{table} r"), "r.property_id = mine.property_id", caller)
        }
        Parent::PropertyOrUser => access::visible_or_own_rows(tx, columns, table, caller),
    }
}

/// The same for rows of known ids.
fn seen<R: Resource>(columns: &str, caller: &Caller) -> Statement {
    let from = format!("select {columns} from {} r", R::NAME.many);
    match R::PARENT {
        Parent::Property => access::seen(&format!("{from} join properties p on p.id = r.property_id"), caller),
        Parent::PropertyOrUser => access::seen_or_own(&from, caller),
    }
}

fn columns<R: Resource>() -> String {
    let mut columns = "r.id, r.version".to_owned();
    for name in attribute::columns(R::FIELDS) {
        columns.push_str(", r.");
        columns.push_str(&name);
    }
    columns
}

/// One page of the caller's resources, or all of them.
pub async fn page<R: Resource>(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<(Vec<Hit>, ListMeta)> {
    let listing = listing::<R>();
    let rows = listed::<R>(tx, "r.id, r.version", caller);
    if R::PAGES != Pages::Always && !query.is_paged() {
        let meta = if R::PAGES == Pages::WhenAsked { ListMeta::None } else { ListMeta::Empty };
        return Ok((list::whole(tx, &listing, query, rows).await?, meta));
    }
    let count = listed::<R>(tx, "count(*)", caller);
    let (hits, meta) = list::page(tx, &listing, query, rows, count).await?;
    Ok((hits, ListMeta::Paged(meta)))
}

/// The ids of all of the caller's resources.
pub async fn all<R: Resource>(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<Vec<Uuid>> {
    let rows = listed::<R>(tx, "r.id", caller);
    let ids: Vec<list::Id> = list::whole(tx, &listing::<R>(), query, rows).await?;
    Ok(ids.into_iter().map(|list::Id(id)| id).collect())
}

/// The version of one of the caller's resources.
pub async fn hit<R: Resource>(tx: &mut Tx, caller: &Caller, id: Uuid) -> sqlx::Result<Option<Hit>> {
    let mut rows = seen::<R>("r.id, r.version", caller);
    rows.and("r.id", Bind::Id(id));
    rows.fetch_optional(tx).await
}

/// Those of these resources that are the caller's.
pub async fn by_ids<R: Resource>(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> Result<Vec<Stored<R>>> {
    let mut rows = seen::<R>(&columns::<R>(), caller);
    let names = rows.bind_all(ids.iter().map(|id| Bind::Id(*id)));
    rows.push(&format!(" and r.id in ({names})"));
    let mut found = rows.fetch_all(tx).await?;
    R::complete(tx, &mut found).await?;
    Ok(found)
}

/// One of the caller's resources.
pub async fn by_id<R: Resource>(tx: &mut Tx, caller: &Caller, id: Uuid) -> sqlx::Result<Option<Stored<R>>> {
    let mut rows = seen::<R>(&columns::<R>(), caller);
    rows.and("r.id", Bind::Id(id));
    rows.fetch_optional(tx).await
}

/// The query of whole resources, whoever asks, before its condition.
pub fn select<R: Resource>() -> String {
    format!("select {} from {} r", columns::<R>(), R::NAME.many)
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
    let columns: String = names.iter().fold("r.id".to_owned(), |columns, name| format!("{columns}, r.{name}"));
    let mut rows = seen::<R>(&columns, caller);
    let ids = rows.bind_ids(tx.is_postgres(), ids.iter().copied());
    rows.push(&format!(" and r.id in {ids}"));
    rows.fetch_all(tx).await
}

/// Adds a resource; `owner` is the user of one that belongs to no property.
pub async fn insert<R: Resource>(
    tx: &mut Tx,
    owner: Option<UserId>,
    stored: &Stored<R>,
    now: Moment,
) -> sqlx::Result<()> {
    let mut names = vec!["id".to_owned(), "version".to_owned(), "created_at".to_owned()];
    let mut binds = vec![Bind::Id(stored.id), Bind::Whole(stored.version), Bind::Moment(now)];
    if R::PARENT == Parent::PropertyOrUser {
        names.push("user_id".to_owned());
        binds.push(Bind::MaybeId(owner.map(|user| user.0)));
    }
    names.extend(attribute::columns(R::FIELDS));
    attribute::bind(R::FIELDS, &stored.resource, &mut binds);
    let places: Vec<String> = (1..=binds.len()).map(|place| format!("${place}")).collect();
    let sql = format!("insert into {} ({}) values ({})", R::NAME.many, names.join(", "), places.join(", "));
    Statement::new(sql, binds).execute(tx).await.map(drop)
}

/// Writes all fields and the version of a resource.
pub async fn update<R: Resource>(tx: &mut Tx, stored: &Stored<R>) -> sqlx::Result<()> {
    let mut binds = vec![Bind::Id(stored.id), Bind::Whole(stored.version)];
    attribute::bind(R::FIELDS, &stored.resource, &mut binds);
    let names = attribute::columns(R::FIELDS);
    let sets: Vec<String> = names.iter().zip(3..).map(|(name, place)| format!("{name} = ${place}")).collect();
    let sql = format!("update {} set version = $2, {} where id = $1", R::NAME.many, sets.join(", "));
    Statement::new(sql, binds).execute(tx).await.map(drop)
}

/// Deletes a resource.
pub async fn delete<R: Resource>(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    let sql = format!("delete from {} where id = $1", R::NAME.many);
    Statement::new(sql, vec![Bind::Id(id)]).execute(tx).await.map(drop)
}
