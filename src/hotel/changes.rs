//! A change of who has access to what: it updates the totals and is recorded, both at the end of its transaction.

use serde_json::{Value, json};

use crate::{
    access::totals::TotalChanges,
    base::{
        clock::Moment,
        ids::{GroupId, PropertyId, UserId},
    },
    db::{Statement, Tx, impl_from_row},
    record::{
        activity::Kind,
        by::{By, Change},
    },
};

/// What a link gives access to.
#[derive(Clone, Copy)]
pub enum AccessTo {
    Property(PropertyId),
    Group(GroupId),
}

/// What a transaction changes. Entries are written last but for the totals, so that they lock no account while the
/// transaction waits for something else; an account that it has deleted gets none.
#[must_use = "it is written when it is committed"]
pub struct Changes<'a> {
    pub totals: TotalChanges,
    by: By<'a>,
    now: Moment,
    changes: Vec<Change>,
}

/// A link as an entry tells it.
struct Link {
    email: String,
    title: String,
    role: Option<String>,
}

impl_from_row!(Link { email, title, role });

/// A property in a group as an entry tells it.
struct Placement {
    property: String,
    group_title: String,
}

impl_from_row!(Placement { property, group_title });

impl<'a> Changes<'a> {
    pub fn new(by: By<'a>, now: Moment) -> Self {
        Changes { totals: TotalChanges::default(), by, now, changes: Vec::new() }
    }

    /// Called after a link was added or got another role (`old_role`), or before it is removed.
    pub async fn member(
        &mut self,
        tx: &mut Tx,
        kind: Kind,
        to: AccessTo,
        user: UserId,
        old_role: Option<&str>,
    ) -> sqlx::Result<()> {
        const PROPERTY: &str = "
            select u.email, p.title,
                (select l.role from property_users l where l.property_id = p.id and l.user_id = u.id) as role
            from users u cross join properties p where u.id = $1 and p.id = $2";
        const GROUP: &str = "
            select u.email, g.title,
                (select l.role from group_users l where l.group_id = g.id and l.user_id = u.id) as role
            from users u cross join groups g where u.id = $1 and g.id = $2";
        let (sql, id) = match to {
            AccessTo::Property(id) => (PROPERTY, id.into()),
            AccessTo::Group(id) => (GROUP, id.into()),
        };
        let found: Option<Link> = Statement::new(sql, vec![user.into(), id]).fetch_optional(tx).await?;
        let Some(Link { email, title, role }) = found else { return Ok(()) };
        let mut details = match to {
            AccessTo::Property(id) => json!({ "email": email, "role": role, "property": title, "property_id": id }),
            AccessTo::Group(id) => json!({ "email": email, "role": role, "group": title, "group_id": id }),
        };
        if let Some(old) = old_role {
            details["old_role"] = Value::from(old);
        }
        self.changes.push(Change { kind, subject: user.0, concerns: Some(user), details });
        Ok(())
    }

    /// Called after a property was put into a group or taken out of one.
    pub async fn placement(
        &mut self,
        tx: &mut Tx,
        kind: Kind,
        group: GroupId,
        property: PropertyId,
        concerns: Option<UserId>,
    ) -> sqlx::Result<()> {
        const SQL: &str = "
            select p.title as property, g.title as group_title
            from properties p cross join groups g where p.id = $1 and g.id = $2";
        let binds = vec![property.into(), group.into()];
        let found: Option<Placement> = Statement::new(SQL, binds).fetch_optional(tx).await?;
        let Some(Placement { property: title, group_title }) = found else { return Ok(()) };
        let details = json!({ "property": title, "property_id": property, "group": group_title, "group_id": group });
        self.changes.push(Change { kind, subject: property.0, concerns, details });
        Ok(())
    }

    /// Called for a new account.
    pub fn user_added(&mut self, user: UserId, email: &str) {
        let details = json!({ "email": email });
        self.changes.push(Change { kind: Kind::UserAdded, subject: user.0, concerns: Some(user), details });
    }

    /// Writes the entries and the totals, and commits.
    pub async fn commit(self, mut tx: Tx) -> sqlx::Result<()> {
        for change in self.changes {
            self.by.put(&mut tx, change, self.now).await?;
        }
        self.totals.commit(tx).await
    }
}
