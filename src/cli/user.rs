//! `latchkey user`: adds, lists, deactivates and deletes users, sets passwords and prints links.

use std::io::{self, IsTerminal, Read};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    base::{clock, error::Error, ids::UserId, settings::Settings},
    cli::{Outcome, begin_change, database_error, formatted, session},
    db::{Db, Tx, host_values},
    hotel::{accounts, changes::Changes, members::removal},
    keys::{self, Withdrawal},
    people::{
        password::{Password, RULES, THE_SAME},
        sessions, throttle,
        users::{
            self, Email,
            links::{self, NewLink, Purpose},
            store::Listed,
        },
    },
    record::{
        activity::{self, Entry, Kind},
        by::{By, Change},
        origin::Origin,
    },
};

#[derive(Subcommand)]
pub enum Command {
    /// Add a user; prompts for the password, or reads it from standard input
    Add {
        /// The email address to sign in with
        email: Email,
        /// The person's name
        #[arg(long)]
        name: Option<String>,
    },
    /// Invite a user: print a one-time link for setting name and password
    Invite {
        /// The email address to sign in with
        email: Email,
        /// The person's name
        #[arg(long)]
        name: Option<String>,
    },
    /// List all users: active, deactivated, or invited (no password yet)
    List,
    /// Deactivate a user: ends all sessions, rejects all keys
    Deactivate {
        /// The user's email address
        email: Email,
    },
    /// Reactivate a user
    Activate {
        /// The user's email address
        email: Email,
    },
    /// Delete a user: keys, sessions and links end immediately. Properties without another owner are listed and kept
    Delete {
        /// The user's email address
        email: Email,
        /// Also delete properties that nobody else owns
        #[arg(long)]
        with_properties: bool,
    },
    /// Set a user's password and end all sessions; prompts for it, or reads it from standard input
    Password {
        /// The user's email address
        email: Email,
    },
    /// Print a one-time link for setting name and password
    Link {
        /// The user's email address
        email: Email,
    },
    /// List a user's sessions, the last seen first; or end them all
    Sessions {
        /// The user's email address
        email: Email,
        /// End all sessions. API keys are not affected
        #[arg(long)]
        end: bool,
    },
    /// Turn off a user's two-factor authentication, after phone and recovery codes were lost, and end all sessions
    ResetSecondFactor {
        /// The user's email address
        email: Email,
    },
    /// Let a user sign in again at once after too many failed attempts
    Unlock {
        /// The user's email address
        email: Email,
    },
}

/// `latchkey user …`
pub async fn run(settings: &Settings, db: &Db, command: Command) -> Outcome {
    match command {
        Command::Add { email, name } => add_user(settings, db, email, name).await,
        Command::Invite { email, name } => invite(settings, db, email, name).await,
        Command::List => {
            let mut tx = db.read().await.map_err(database_error)?;
            let all = users::store::all(&mut tx).await.map_err(database_error)?;
            if all.is_empty() {
                println!("No users yet. Invite one with: latchkey user invite EMAIL");
            }
            for Listed { user, has_password } in all {
                let state = match (user.deactivated_at, has_password) {
                    (Some(_), _) => "deactivated",
                    (None, false) => "invited",
                    (None, true) => "active",
                };
                println!("{}\t{state}\t{}", user.email, user.name.unwrap_or_default());
            }
            Ok(())
        }
        Command::Delete { email, with_properties } => delete(db, email, with_properties).await,
        Command::Deactivate { email } => set_deactivated(db, email, true).await,
        Command::Activate { email } => set_deactivated(db, email, false).await,
        Command::Password { email } => set_password(settings, db, email).await,
        Command::Link { email } => make_link(settings, db, email).await,
        Command::Sessions { email, end } => session::sessions(settings, db, &email, end).await,
        Command::ResetSecondFactor { email } => session::reset_second_factor(db, &email).await,
        Command::Unlock { email } => session::unlock(db, &email).await,
    }
}

async fn add_user(settings: &Settings, db: &Db, email: Email, name: Option<String>) -> Outcome {
    let name = users::name(&name.unwrap_or_default())?;
    let password = ask_password(settings, &email)?;
    let hash = password.hashed(settings.cost())?;
    let mut tx = db.write().await.map_err(database_error)?;
    let user = accounts::open(&mut tx, &email, name, Some(&hash), clock::now()).await.map_err(database_error)?;
    let user = user.ok_or_else(|| format!("User {} already exists.", email.text))?;
    record(&mut tx, Kind::UserAdded, user, json!({ "email": email.text })).await?;
    tx.commit().await.map_err(database_error)?;
    log::info!("user add: added user={user}");
    println!("Added {}.", email.text);
    Ok(())
}

async fn invite(settings: &Settings, db: &Db, email: Email, name: Option<String>) -> Outcome {
    let name = users::name(&name.unwrap_or_default())?;
    let mut tx = db.write().await.map_err(database_error)?;
    match accounts::open(&mut tx, &email, name, None, clock::now()).await.map_err(database_error)? {
        Some(user) => {
            record(&mut tx, Kind::UserAdded, user, json!({ "email": email.text })).await?;
            let is_mailed = host_values::sends_mail(&mut tx).await.map_err(database_error)?;
            print_link(settings, tx, user).await?;
            if is_mailed {
                println!("An invitation is on its way to {}.", email.text);
            }
            Ok(())
        }
        None => {
            Err(format!("User {} already exists. Print a new link with: latchkey user link {}", email.text, email.text))
        }
    }
}

/// Records what the host did to an account.
async fn record(tx: &mut Tx, kind: Kind, user: UserId, details: Value) -> Outcome {
    let change = Change { kind, subject: user.0, concerns: Some(user), details };
    By::command(&Origin::default()).put(tx, change, clock::now()).await.map_err(database_error)
}

async fn set_password(settings: &Settings, db: &Db, email: Email) -> Outcome {
    let password = ask_password(settings, &email)?;
    let hash = password.hashed(settings.cost())?;
    let (mut tx, user) = begin_change(db, &email).await?;
    let old = users::store::password_hash(&mut tx, user.id).await.map_err(database_error)?;
    if old.is_some_and(|old| password.is(&old)) {
        return Err(THE_SAME.to_owned());
    }
    users::store::set_password(&mut tx, user.id, &hash).await.map_err(database_error)?;
    sessions::store::end_all(&mut tx, user.id).await.map_err(database_error)?;
    sessions::browser::forget_all(&mut tx, user.id).await.map_err(database_error)?;
    sessions::pending::end_all(&mut tx, user.id).await.map_err(database_error)?;
    throttle::store::unlock(&mut tx, user.id, &user.email).await.map_err(database_error)?;
    let origin = Origin::default();
    let entry = Entry::own(user.id, Kind::PasswordReset, &origin).by_command();
    activity::put(&mut tx, &entry, clock::now()).await.map_err(database_error)?;
    tx.commit().await.map_err(database_error)?;
    log::info!("user password: set user={}", user.id);
    println!("Set the password of {} and ended all sessions.", user.email);
    Ok(())
}

async fn delete(db: &Db, email: Email, with_properties: bool) -> Outcome {
    let (mut tx, user) = begin_change(db, &email).await?;
    let failed = |error: Error| format!("{} could not be deleted: {error}.", user.email);
    let (now, origin) = (clock::now(), Origin::default());
    let mut changes = Changes::new(By::command(&origin), now);
    let sole = removal::from_everything(&mut tx, &mut changes, user.id, with_properties).await.map_err(failed)?;
    keys::store::mark_all_withdrawn(&mut tx, user.id, Withdrawal::Command, now).await.map_err(database_error)?;
    tx.revoke_cached_access().await.map_err(database_error)?;
    // The entry outlives the account.
    record(&mut tx, Kind::UserDeleted, user.id, json!({ "email": user.email })).await?;
    users::store::delete(&mut tx, user.id).await.map_err(database_error)?;
    changes.commit(tx).await.map_err(database_error)?;
    log::info!("user delete: deleted user={}", user.id);
    println!("Deleted {}. Their API keys are withdrawn.", user.email);
    for property in sole {
        let (id, title) = (property.id, property.title);
        match with_properties {
            true => println!("Deleted the property {title} ({id})."),
            false => println!(
                "Nobody owns the property {title} ({id}) now. Give it to somebody with: latchkey member add {id} EMAIL \
                 --role owner"
            ),
        }
    }
    Ok(())
}

async fn set_deactivated(db: &Db, email: Email, off: bool) -> Outcome {
    let (mut tx, user) = begin_change(db, &email).await?;
    if user.deactivated_at.is_some() != off {
        let kind = if off { Kind::UserDeactivated } else { Kind::UserActivated };
        record(&mut tx, kind, user.id, Value::Null).await?;
    }
    users::store::set_deactivated(&mut tx, user.id, off.then(clock::now)).await.map_err(database_error)?;
    if off {
        sessions::store::end_all(&mut tx, user.id).await.map_err(database_error)?;
    }
    tx.commit().await.map_err(database_error)?;
    log::info!("user {}: done user={}", if off { "deactivate" } else { "activate" }, user.id);
    println!("{} is {}.", user.email, if off { "deactivated" } else { "active" });
    Ok(())
}

async fn make_link(settings: &Settings, db: &Db, email: Email) -> Outcome {
    let (tx, user) = begin_change(db, &email).await?;
    if user.deactivated_at.is_some() {
        let email = user.email;
        return Err(format!(
            "{email} is deactivated, so no link would work. First run: latchkey user activate {email}"
        ));
    }
    print_link(settings, tx, user.id).await
}

/// Creates a one-time link with the address of the server, and ends the previous one.
async fn print_link(settings: &Settings, mut tx: Tx, user: UserId) -> Outcome {
    let base_url = match &settings.base_url {
        Some(_) => settings.base_url(None)?,
        None => match host_values::stored_base_url(&mut tx).await.map_err(database_error)? {
            Some(stored) => stored,
            None => settings.base_url(None)?,
        },
    };
    links::end(&mut tx, user, &[Purpose::Welcome]).await.map_err(database_error)?;
    let link = NewLink { purpose: Purpose::Welcome, user: Some(user), email: None };
    let (token, end) = links::insert(&mut tx, &link, clock::now()).await.map_err(database_error)?;
    record(&mut tx, Kind::LinkCreated, user, Value::Null).await?;
    tx.commit().await.map_err(database_error)?;
    log::info!("user link: created a one-time link user={user}");
    println!("{}{}", base_url.as_str().trim_end_matches('/'), Purpose::Welcome.path(&token));
    println!("good until {}", formatted(end));
    Ok(())
}

/// Reads a new password: prompted for twice on a terminal, else the first line of standard input.
fn ask_password(settings: &Settings, email: &Email) -> Result<Password, String> {
    let text = if io::stdin().is_terminal() {
        eprintln!("{RULES}");
        let ask = |prompt| rpassword::prompt_password(prompt).map_err(|error| error.to_string());
        let first = ask("Password: ")?;
        if first != ask("Again: ")? {
            return Err("The two passwords differ.".to_owned());
        }
        first
    } else {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(|error| format!("Cannot read the password: {error}."))?;
        // Some programs write a byte order mark before what they send.
        text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().to_owned()
    };
    Password::chosen(text, &settings.host_name, &email.text)
}
