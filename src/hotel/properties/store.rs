//! Properties in the database, as far as it is not what every collection does (`resource/store.rs`). What writes is given
//! what was found before.

use crate::{
    access::{caller::Caller, totals::TotalChanges},
    base::{
        clock::Moment,
        ids::{GroupId, MemberId, PropertyId},
    },
    db::{Statement, Tx, execute, folded},
    hotel::{
        groups::placements,
        photos,
        properties::Property,
        rate_plans::detach::{Detaching, Going},
    },
    resource::{collection::Stored, store as resources},
};

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

/// Adds a property to a group, its home, which is locked; the caller becomes its owner.
pub async fn insert(
    tx: &mut Tx,
    totals: &mut TotalChanges,
    caller: &Caller,
    stored: &Stored<Property>,
    group: GroupId,
    now: Moment,
) -> sqlx::Result<()> {
    const HOME: &str = "
        insert into group_properties (
            group_id, property_id, sort_title, is_home, given_by, given_by_key, created_at)
        values ($1, $2, $3, true, $4, $5, $6)";
    const OWNER: &str = "
        insert into property_users (
            id, property_id, user_id, role, sort_title, given_by, given_by_key, created_at)
        values ($1, $2, $3, 'owner', $4, $3, $5, $6)";
    let sort_title = folded(&stored.resource.title.0).into_bytes();
    let (user, key, id) = (caller.user, caller.key, stored.id);
    totals.created(PropertyId(id));
    resources::insert(tx, Some(user), stored, now).await?;
    execute!(tx, HOME, group, id, &sort_title, user, key, now)?;
    execute!(tx, OWNER, MemberId::new(), id, user, &sort_title, key, now).map(drop)
}

/// Writes all fields and the version of a property, and its title to where lists are sorted by it.
pub async fn update(tx: &mut Tx, stored: &Stored<Property>) -> sqlx::Result<()> {
    resources::update(tx, stored).await?;
    placements::set_sort_title(tx, PropertyId(stored.id), folded(&stored.resource.title.0).into_bytes()).await
}

/// Deletes a property with everything that is part of it, children first and each kind by a statement of its own. False
/// where the rest is for another transaction: until the last one the property is there, and whoever owned it still does.
/// The property is locked.
pub async fn delete(tx: &mut Tx, totals: &mut TotalChanges, id: PropertyId) -> sqlx::Result<bool> {
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
    if execute!(tx, ROOM_TYPES, id)? == 50 {
        return Ok(false);
    }
    totals.property(tx, id).await?;
    for links in LINKS {
        execute!(tx, links, id)?;
    }
    execute!(tx, SQL, id).map(|_| true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use crate::resource::query::Query;

    /// The text of the one statement that these arguments make.
    fn text(on_postgres: bool, arguments: &str) -> String {
        let mut select = Statement::new("select 1 from properties p where true", Vec::new());
        let (listing, query) = (resources::listing::<Property>(), Query::read(arguments).unwrap());
        select.filter(on_postgres, &listing, &query).unwrap();
        select.order(&listing, &query).unwrap();
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
