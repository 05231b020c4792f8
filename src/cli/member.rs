//! `latchkey member`: lists, adds and removes the people who have access to a property
//! (docs/contract/property-users.md, quirk 13).

use clap::{Subcommand, ValueEnum};
use uuid::Uuid;

use crate::{
    access::{self, Role},
    base::{clock, error::Error, ids::PropertyId},
    cli::{Outcome, database_error, find, formatted},
    db::{Db, Tx},
    hotel::{
        changes::{AccessTo, Changes},
        groups::placements::Giver,
        members::{
            Member, MemberOf, add, ending,
            removal::{self, Done},
            store, ways,
        },
        properties,
    },
    people::users::{self, Email},
    record::{activity::Kind, by::By, origin::Origin},
    resource::collection::Stored,
};

#[derive(Subcommand)]
pub enum Command {
    /// List who has access to a property: role, directly or through which group, since when, given by whom
    List {
        /// The property's ID
        #[arg(value_name = "PROPERTY_ID")]
        property: PropertyId,
    },
    /// Give a user access to a property, or change the user's role
    Add {
        /// The property's ID
        #[arg(value_name = "PROPERTY_ID")]
        property: PropertyId,
        /// The user's email address
        email: Email,
        /// The user's role: an owner can also manage people and delete
        #[arg(long, default_value = "user")]
        role: RoleName,
    },
    /// Remove all of a user's access to a property
    Remove {
        /// The property's ID
        #[arg(value_name = "PROPERTY_ID")]
        property: PropertyId,
        /// The user's email address
        email: Email,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum RoleName {
    Owner,
    User,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Role::Owner,
            RoleName::User => Role::User,
        }
    }
}

/// `latchkey member …`
pub async fn run(db: &Db, command: Command) -> Outcome {
    match command {
        Command::List { property } => list(db, property).await,
        Command::Add { property, email, role } => add_member(db, property, &email, role.into()).await,
        Command::Remove { property, email } => remove(db, property, &email).await,
    }
}

async fn title(tx: &mut Tx, property: PropertyId) -> Result<String, String> {
    let title = properties::store::title(tx, property).await.map_err(database_error)?;
    title.ok_or_else(|| format!("There is no property {property}. The Properties page and the API show the IDs."))
}

async fn list(db: &Db, property: PropertyId) -> Outcome {
    let mut tx = db.read().await.map_err(database_error)?;
    title(&mut tx, property).await?;
    let ways = ways::to_property(&mut tx, property).await.map_err(database_error)?;
    if ways.is_empty() {
        println!("Nobody has access. Give it with: latchkey member add {property} EMAIL --role owner");
    }
    for way in ways {
        let through = match &way.group_title {
            None => "directly".to_owned(),
            Some(group) if way.is_home => format!("through the group {group} (home)"),
            Some(group) => format!("through the group {group}"),
        };
        let given = giver("given by", way.given_by, way.given_by_key);
        let put = way.group.map(|_| giver("put there by", way.put_by, way.put_by_key));
        let put = put.map(|put| format!("\t{put}")).unwrap_or_default();
        println!("{}\t{}\t{through}\tsince {}\t{given}{put}", way.email, way.role, formatted(way.since));
    }
    Ok(())
}

fn giver(verb: &str, email: Option<String>, key: Option<String>) -> String {
    match (email, key) {
        (Some(email), Some(key)) => format!("{verb} {email} with the key {key}"),
        (Some(email), None) => format!("{verb} {email}"),
        (None, _) => format!("{verb} the host"),
    }
}

async fn add_member(db: &Db, property: PropertyId, email: &Email, role: Role) -> Outcome {
    let mut tx = db.write().await.map_err(database_error)?;
    let title = title(&mut tx, property).await?;
    let user = find(&mut tx, email).await?;
    users::store::lock_user(&mut tx, user.id).await.map_err(database_error)?;
    access::lock_property(&mut tx, property).await.map_err(database_error)?;
    let (now, origin) = (clock::now(), Origin::default());
    let mut changes = Changes::new(By::command(&origin), now);
    match store::of_user(&mut tx, MemberOf::Property, property.0, user.id).await.map_err(database_error)? {
        Some(link) => {
            let old_role = if link.is_owner { Role::Owner } else { Role::User };
            store::set_role(&mut tx, MemberOf::Property, link.id, role).await.map_err(database_error)?;
            if role != old_role {
                let (to, old_role) = (AccessTo::Property(property), Some(old_role.word()));
                let recorded = changes.member(&mut tx, Kind::MemberChanged, to, user.id, old_role).await;
                recorded.map_err(database_error)?;
            }
            let checked = ending::after_loss(&mut tx, &mut changes, MemberOf::Property, property.0, user.id).await;
            checked.map_err(|error| refused(error, property, &user.email, &title))?;
        }
        None => {
            let member = Member { parent: property, user_id: user.id, role, ..Member::default() };
            let member = Stored { id: Uuid::now_v7(), version: 0, resource: member };
            let added = add::add(&mut tx, &mut changes, &member, Giver::default(), now).await;
            added.map_err(super::failed)?;
        }
    }
    changes.commit(tx).await.map_err(database_error)?;
    log::info!("member add: {} property={property} user={}", role.word(), user.id);
    println!("{} is {} of {title}.", user.email, if role == Role::Owner { "an owner" } else { "a user" });
    Ok(())
}

async fn remove(db: &Db, property: PropertyId, email: &Email) -> Outcome {
    let mut tx = db.write().await.map_err(database_error)?;
    let title = title(&mut tx, property).await?;
    let user = find(&mut tx, email).await?;
    let origin = Origin::default();
    let mut changes = Changes::new(By::command(&origin), clock::now());
    let done = removal::from_property(&mut tx, &mut changes, property, user.id).await;
    let done = done.map_err(|error| refused(error, property, &user.email, &title))?;
    changes.commit(tx).await.map_err(database_error)?;
    log::info!("member remove: removed property={property} user={}", user.id);
    let email = user.email;
    for done in done {
        match done {
            Done::LinkEnded => println!("Removed {email} from {title}."),
            Done::TakenOut { group } => println!("Removed {title} from the group {group}, which {email} owns."),
            Done::LeftGroup { group, properties: 1 } => {
                println!("Removed {email} from the group {group}, which contains only this property.");
            }
            Done::LeftGroup { group, properties } => {
                println!("Removed {email} from the group {group}, and so from all {properties} properties in it.");
            }
            Done::HomeMoved { group, owner } => {
                println!("Moved {title} from a group that only {email} owns to the group {group} of {owner}.");
            }
        }
    }
    println!("{email} no longer has access to {title}.");
    Ok(())
}

fn refused(error: Error, property: PropertyId, email: &str, title: &str) -> String {
    match error {
        Error::NotFound => format!("{email} has no access to {title}."),
        Error::Refused(_) => format!(
            "{email} is the last owner of {title}. First make somebody else an owner with: latchkey member add \
             {property} EMAIL --role owner"
        ),
        other => super::failed(other),
    }
}
