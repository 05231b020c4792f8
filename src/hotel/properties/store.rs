//! Properties in the database. What reads takes the caller and finds only what is the caller's; what writes is given
//! what was found before.

use std::borrow::Cow;

use uuid::Uuid;

use crate::{
    access::{self, caller::Caller},
    base::{
        clock::Moment,
        error::Result,
        ids::{GroupId, MemberId, PropertyId},
    },
    db::{Bind, Statement, Tx, execute, folded, impl_from_row},
    hotel::{
        facilities,
        groups::placements,
        photos,
        properties::{Content, Property, Settings},
        rate_plans::detach::{Detaching, Going},
    },
    resource::{
        list::{self, Compared, Filterable, Listing, Orderable},
        query::Query,
    },
};

const COLUMNS: &str = "
    p.id, p.title, p.is_active, p.currency, p.email, p.phone, p.zip_code, p.country, p.state, p.city, p.address,
    p.longitude, p.latitude, p.timezone, p.facilities, p.property_type, p.logo_url, p.autoupdate_on_confirmation,
    p.autoupdate_on_modification, p.autoupdate_on_cancellation, p.min_stay_type, p.min_price, p.max_price,
    p.state_length, p.description, p.important_information, p.version";

/// What the list of properties can be filtered and ordered by (docs/contract/README.md, sections 7 and 8).
pub static LISTING: Listing = Listing {
    filters: Cow::Borrowed(&[
        Filterable { name: "id", sql: Cow::Borrowed("p.id {}"), kind: Compared::Id },
        Filterable { name: "title", sql: Cow::Borrowed("p.title {}"), kind: Compared::Text },
        Filterable { name: "is_active", sql: Cow::Borrowed("p.is_active {}"), kind: Compared::Boolean },
        Filterable { name: "currency", sql: Cow::Borrowed("p.currency {}"), kind: Compared::Text },
        Filterable { name: "country", sql: Cow::Borrowed("p.country {}"), kind: Compared::Text },
        Filterable { name: "city", sql: Cow::Borrowed("p.city {}"), kind: Compared::Text },
        Filterable {
            name: "group_id",
            sql: Cow::Borrowed(
                "p.id in (
                select gp.property_id from group_properties gp
                join group_users gu on gu.group_id = gp.group_id and gu.user_id = $1
                where gp.group_id {})",
            ),
            kind: Compared::Id,
        },
    ]),
    orders: Cow::Borrowed(&[
        Orderable { name: "id", sql: Cow::Borrowed("p.id") },
        Orderable { name: "title", sql: Cow::Borrowed("p.sort_title") },
        Orderable { name: "is_active", sql: Cow::Borrowed("p.is_active") },
        Orderable { name: "email", sql: Cow::Borrowed("p.email collate \"C\"") },
        Orderable { name: "phone", sql: Cow::Borrowed("p.phone collate \"C\"") },
        Orderable { name: "currency", sql: Cow::Borrowed("p.currency collate \"C\"") },
        Orderable { name: "country", sql: Cow::Borrowed("p.country collate \"C\"") },
        Orderable { name: "state", sql: Cow::Borrowed("p.state collate \"C\"") },
        Orderable { name: "city", sql: Cow::Borrowed("p.city collate \"C\"") },
        Orderable { name: "address", sql: Cow::Borrowed("p.address collate \"C\"") },
        Orderable { name: "zip_code", sql: Cow::Borrowed("p.zip_code collate \"C\"") },
        Orderable { name: "latitude", sql: Cow::Borrowed("cast(p.latitude as double precision)") },
        Orderable { name: "longitude", sql: Cow::Borrowed("cast(p.longitude as double precision)") },
        Orderable { name: "timezone", sql: Cow::Borrowed("p.timezone collate \"C\"") },
        Orderable { name: "property_type", sql: Cow::Borrowed("p.property_type collate \"C\"") },
        Orderable { name: "logo_url", sql: Cow::Borrowed("p.logo_url collate \"C\"") },
        // No channels yet: all have none.
        Orderable { name: "acc_channels_count", sql: Cow::Borrowed("p.id is null") },
        Orderable { name: "inserted_at", sql: Cow::Borrowed("p.created_at") },
    ]),
    default_order: Cow::Borrowed("p.sort_title"),
    id: "p.id",
};

/// A property with its id.
pub struct StoredProperty {
    pub id: PropertyId,
    pub property: Property,
    pub version: i64,
}

impl_from_row!(StoredProperty, row => StoredProperty {
    id: row.try_get("id")?,
    version: row.try_get("version")?,
    property: Property {
        title: row.try_get("title")?,
        is_active: row.try_get("is_active")?,
        currency: row.try_get("currency")?,
        email: row.try_get("email")?,
        phone: row.try_get("phone")?,
        zip_code: row.try_get("zip_code")?,
        country: row.try_get("country")?,
        state: row.try_get("state")?,
        city: row.try_get("city")?,
        address: row.try_get("address")?,
        longitude: row.try_get("longitude")?,
        latitude: row.try_get("latitude")?,
        timezone: row.try_get("timezone")?,
        facilities: facilities::from_text(&row.try_get::<String>("facilities")?),
        property_type: row.try_get("property_type")?,
        logo_url: row.try_get("logo_url")?,
        settings: Settings {
            allow_availability_autoupdate_on_confirmation: row.try_get("autoupdate_on_confirmation")?,
            allow_availability_autoupdate_on_modification: row.try_get("autoupdate_on_modification")?,
            allow_availability_autoupdate_on_cancellation: row.try_get("autoupdate_on_cancellation")?,
            min_stay_type: row.try_get("min_stay_type")?,
            min_price: row.try_get("min_price")?,
            max_price: row.try_get("max_price")?,
            state_length: row.try_get("state_length")?,
        },
        content: Content {
            description: row.try_get("description")?,
            important_information: row.try_get("important_information")?,
        },
    },
});

/// The short form for `/options`.
pub struct Choice {
    pub id: PropertyId,
    pub title: String,
    pub currency: String,
}

impl_from_row!(Choice { id, title, currency });

pub(super) fn select(tx: &Tx, columns: &str, caller: &Caller) -> Statement {
    access::visible_rows(tx, columns, "properties p", "p.id = mine.property_id", caller)
}

/// The ids of all of the caller's properties.
pub async fn all(tx: &mut Tx, caller: &Caller, query: &Query) -> Result<Vec<Uuid>> {
    let rows = select(tx, "p.id", caller);
    let ids: Vec<list::Id> = list::whole(tx, &LISTING, query, rows).await?;
    Ok(ids.into_iter().map(|list::Id(id)| id).collect())
}

/// Those of these properties that are the caller's, in short.
pub async fn choices(tx: &mut Tx, caller: &Caller, ids: &[Uuid]) -> sqlx::Result<Vec<Choice>> {
    let mut rows = access::seen("select p.id, p.title, p.currency from properties p", caller);
    let ids = rows.bind_ids(tx.is_postgres(), ids.iter().copied());
    rows.push(&format!(" and p.id in {ids}"));
    rows.fetch_all(tx).await
}

/// Properties that were found for the caller before, in this transaction.
pub async fn by_ids(tx: &mut Tx, ids: &[PropertyId]) -> sqlx::Result<Vec<StoredProperty>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Statement::new(format!("select {COLUMNS} from properties p where p.id in ("), Vec::new());
    let names = rows.bind_all(ids.iter().map(|id| Bind::Id(id.0)));
    rows.push(&format!("{names})"));
    rows.fetch_all(tx).await
}

/// One of the caller's properties.
pub async fn by_id(tx: &mut Tx, caller: &Caller, id: PropertyId) -> sqlx::Result<Option<StoredProperty>> {
    let mut rows = access::seen(&format!("select {COLUMNS} from properties p"), caller);
    rows.and("p.id", Bind::Id(id.0));
    Ok(rows.fetch_all(tx).await?.pop())
}

/// The currency of a property, whoever asks.
pub async fn currency(tx: &mut Tx, id: PropertyId) -> sqlx::Result<Option<String>> {
    const SQL: &str = "select currency from properties where id = $1";
    Ok(Statement::new(SQL, vec![id.into()]).fetch_values(tx).await?.pop())
}

/// The title of a property, whoever asks.
pub async fn title(tx: &mut Tx, id: PropertyId) -> sqlx::Result<Option<String>> {
    const SQL: &str = "select title from properties where id = $1";
    Ok(Statement::new(SQL, vec![id.into()]).fetch_values(tx).await?.pop())
}

/// The columns that can be written, in the order of the two statements below: `$2` to `$29`.
macro_rules! bind_fields {
    ($query:expr, $property:expr) => {{
        let Property { settings, content, .. } = $property;
        let city = folded($property.city.as_deref().unwrap_or_default());
        $query
            .bind(&$property.title)
            .bind(folded(&$property.title).into_bytes())
            .bind($property.is_active)
            .bind(&$property.currency)
            .bind(&$property.email)
            .bind(&$property.phone)
            .bind(&$property.zip_code)
            .bind(&$property.country)
            .bind(&$property.state)
            .bind(&$property.city)
            .bind(&$property.address)
            .bind(&$property.longitude)
            .bind(&$property.latitude)
            .bind(&$property.timezone)
            .bind(facilities::to_text(&$property.facilities))
            .bind(&$property.property_type)
            .bind(&$property.logo_url)
            .bind(settings.allow_availability_autoupdate_on_confirmation)
            .bind(settings.allow_availability_autoupdate_on_modification)
            .bind(settings.allow_availability_autoupdate_on_cancellation)
            .bind(&settings.min_stay_type)
            .bind(settings.min_price)
            .bind(settings.max_price)
            .bind(settings.state_length)
            .bind(&content.description)
            .bind(&content.important_information)
            .bind(format!("{}\n{city}", folded(&$property.title)))
            .bind(city)
    }};
}

/// Adds a property to a group, its home; the caller becomes its owner.
pub async fn insert(
    tx: &mut Tx,
    caller: &Caller,
    id: PropertyId,
    property: &Property,
    group: GroupId,
    now: Moment,
) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into properties (
            id, title, sort_title, is_active, currency, email, phone, zip_code, country, state, city, address,
            longitude, latitude, timezone, facilities, property_type, logo_url, autoupdate_on_confirmation,
            autoupdate_on_modification, autoupdate_on_cancellation, min_stay_type, min_price, max_price,
            state_length, description, important_information, search, sort_city, created_at, made_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $30, $31)";
    const HOME: &str = "
        insert into group_properties (
            group_id, property_id, sort_title, is_home, given_by, given_by_key, created_at)
        values ($1, $2, $3, true, $4, $5, $6)";
    const OWNER: &str = "
        insert into property_users (
            id, property_id, user_id, role, sort_title, given_by, given_by_key, created_at)
        values ($1, $2, $3, 'owner', $4, $3, $5, $6)";
    let sort_title = folded(&property.title).into_bytes();
    let (user, key) = (caller.user, caller.key);
    execute!(tx, bind_fields!(sqlx::query(SQL).bind(id), property).bind(now).bind(user))?;
    execute!(tx, sqlx::query(HOME).bind(group).bind(id).bind(&sort_title).bind(user).bind(key).bind(now))?;
    execute!(tx, sqlx::query(OWNER).bind(MemberId::new()).bind(id).bind(user).bind(&sort_title).bind(key).bind(now))
        .map(drop)
}

/// Writes all fields of a property. Its new version is a random one: a database that was set back, and goes on from
/// there, must not come to one that meant something else.
pub async fn update(tx: &mut Tx, id: PropertyId, property: &Property) -> sqlx::Result<()> {
    const SQL: &str = "
        update properties set
            title = $2, sort_title = $3, is_active = $4, currency = $5, email = $6, phone = $7, zip_code = $8,
            country = $9, state = $10, city = $11, address = $12, longitude = $13, latitude = $14, timezone = $15,
            facilities = $16, property_type = $17, logo_url = $18, autoupdate_on_confirmation = $19,
            autoupdate_on_modification = $20, autoupdate_on_cancellation = $21, min_stay_type = $22, min_price = $23,
            max_price = $24, state_length = $25, description = $26, important_information = $27,
            search = $28, sort_city = $29, version = $30
        where id = $1";
    execute!(tx, bind_fields!(sqlx::query(SQL).bind(id), property).bind(rand::random::<i64>()))?;
    placements::set_sort_title(tx, id, folded(&property.title).into_bytes()).await
}

/// Deletes a property with everything that is part of it, children first and each kind by a statement of its own. False
/// where the rest is for another transaction: until the last one the property is there, and whoever owned it still does.
pub async fn delete(tx: &mut Tx, id: PropertyId) -> sqlx::Result<bool> {
    const ROOM_TYPES: &str = "
        delete from room_types where id in (select id from room_types where property_id = $1 limit 50)";
    const LINKS: [&str; 3] = [
        "delete from api_key_properties where property_id = $1",
        "delete from property_users where property_id = $1",
        "delete from group_properties where property_id = $1",
    ];
    const SQL: &str = "delete from properties where id = $1";
    if !Detaching::default().apply(tx, id, Going::All).await? || !photos::delete_of_property(tx, id).await? {
        return Ok(false);
    }
    if execute!(tx, sqlx::query(ROOM_TYPES).bind(id))? == 50 {
        return Ok(false);
    }
    for links in LINKS {
        execute!(tx, sqlx::query(links).bind(id))?;
    }
    execute!(tx, sqlx::query(SQL).bind(id)).map(|_| true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    /// The text of the one statement that these arguments make.
    fn text(on_postgres: bool, arguments: &str) -> String {
        let mut select = Statement::new("select 1 from properties p where true", Vec::new());
        let query = Query::read(arguments).unwrap();
        select.filter(on_postgres, &LISTING, &query).unwrap();
        select.order(&LISTING, &query).unwrap();
        select.text().to_owned()
    }

    #[test]
    fn however_many_entries_filters_have_they_make_a_handful_of_statements() {
        for on_postgres in [false, true] {
            let mut texts = BTreeSet::new();
            for count in 1..500 {
                let names: Vec<String> = (0..count).map(|n| format!("Inn {}", n * count)).collect();
                let ids: Vec<String> = (0..count).map(|n| Uuid::from_u128(n).to_string()).collect();
                let (names, ids) = (names.join(","), ids.join(","));
                for operator in ["", "[not]"] {
                    texts.insert(text(on_postgres, &format!("filter[title]{operator}={names}")));
                    texts.insert(text(on_postgres, &format!("filter[id]{operator}={ids}")));
                    texts.insert(text(
                        on_postgres,
                        &format!("filter[is_active]{operator}={}", "true,".repeat(count as usize)),
                    ));
                }
                texts.insert(text(on_postgres, &format!("filter[city]=x{count}&filter[title]=y")));
                texts
                    .insert(text(on_postgres, &format!("filter[title]=y&filter[city]={}", ",".repeat(count as usize))));
            }
            assert!(texts.len() <= 14, "{}: {texts:#?}", texts.len());
        }
    }
}
