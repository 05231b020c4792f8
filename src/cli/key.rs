//! `latchkey key`: lists, changes and withdraws API keys.

use std::{
    fs,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use chrono::Datelike;
use clap::Subcommand;

use crate::{
    base::{
        clock::{self, Moment},
        ids::ApiKeyId,
        settings::Settings,
    },
    cli::{Outcome, begin_read, database_error, failed, formatted, formatted_end, subscription::until},
    db::Db,
    keys::{
        ApiKey, Withdrawal, addresses,
        edit::{self, Edit, Edited, Editor},
        import::{self, ENOUGH_BITS},
        scope,
        state::State,
        store, withdraw,
    },
    people::users::Email,
    record::origin::Origin,
    web::page::counted,
};

#[derive(Subcommand)]
pub enum Command {
    /// List a user's API keys, including withdrawn ones
    List {
        /// The user's email address
        email: Email,
    },
    /// Set from which IP addresses an API key may be used
    Allow {
        /// The key's ID, as listed
        #[arg(value_name = "ID")]
        id: ApiKeyId,
        /// IP addresses or networks such as 203.0.113.0/24, separated by spaces or commas; `any` for anywhere
        #[arg(value_name = "NETWORKS", required = true)]
        networks: Vec<String>,
    },
    /// Set when an API key expires
    Expire {
        /// The key's ID, as listed
        #[arg(value_name = "ID")]
        id: ApiKeyId,
        /// Last day (2026-12-31, UTC) or exact end (2026-12-31T12:00:00Z); `never` for no end
        #[arg(value_name = "DATE", value_parser = end)]
        end: End,
    },
    /// Import API keys of another system from a CSV file, which has their SHA-256; all of them or none
    Import {
        /// The file, or `-` for standard input. Its first line is
        /// email,title,sha256,tail,expires_at,read_only,property_ids
        file: PathBuf,
        /// Your word that each key has at least 128 random bits, so that nobody can guess it; otherwise the keys end in 90
        /// days
        #[arg(long, value_name = "NUMBER")]
        random_bits_at_least: Option<u32>,
    },
    /// Withdraw an API key permanently
    Withdraw {
        /// The key's ID, as listed
        #[arg(value_name = "ID")]
        id: ApiKeyId,
    },
}

/// The end of a key; `None` for none.
#[derive(Clone, Copy)]
pub struct End(Option<Moment>);

fn end(text: &str) -> Result<End, String> {
    match text {
        "never" => Ok(End(None)),
        text => match until(text)? {
            end if end.year() > 9999 => Err("too far in the future".to_owned()),
            end => Ok(End(Some(end))),
        },
    }
}

/// Edits a key for the host, who is not bound by the limits of its user.
async fn edit_key(db: &Db, id: ApiKeyId, change: Edit) -> Outcome {
    match edit::edit(db, id, change, Editor::Host, clock::now()).await.map_err(failed)? {
        Edited::Fixed(reason) => Err(reason.to_owned()),
        Edited::NotFound => Err(format!("There is no key {id}. List a user's keys with: latchkey key list EMAIL")),
        Edited::Saved | Edited::MustConfirm | Edited::LimitReached => Ok(()),
    }
}

/// Whether a key works, and until when.
fn state_of(key: &ApiKey, now: Moment) -> String {
    match (key.state(now), key.withdrawn_at, key.expires_at) {
        (State::Withdrawn, Some(at), _) => match &key.withdrawn_how {
            Some(how) if how == Withdrawal::LeakBox.name() => format!("withdrawn {} (found, leaked)", formatted(at)),
            Some(how) => format!("withdrawn {} ({how})", formatted(at)),
            None => format!("withdrawn {}", formatted(at)),
        },
        (State::Replaced { until, when_unused: true }, ..) => {
            format!("replaced, works until it is no longer used, at most until {}", formatted(until))
        }
        (State::Replaced { until, .. }, ..) => format!("replaced, works until {}", formatted(until)),
        (State::Expired(end), ..) => format!("expired at {}", formatted_end(end)),
        (_, _, Some(end)) => format!("active, expires at {}", formatted_end(end)),
        _ => "active".to_owned(),
    }
}

/// Lists the keys of a user, the newest first.
async fn list(db: &Db, email: &Email) -> Outcome {
    let (mut tx, user) = begin_read(db, email).await?;
    let keys = store::of_user(&mut tx, user.id).await.map_err(database_error)?;
    if keys.is_empty() {
        println!("No keys.");
    }
    for key in keys {
        let state = state_of(&key, clock::now());
        let used = key.last_used_at.map_or("never".to_owned(), formatted);
        let created = format!("{} {}", if key.imported { "imported" } else { "created" }, formatted(key.created_at));
        let (scope, rights) =
            (key.scope.words().to_lowercase(), scope::rights(key.read_only, key.manage_users).to_lowercase());
        let (id, tail, title) = (key.id, key.tail, key.title);
        let from = key.allowed.map(|allowed| format!(", from {}", addresses::shown(&allowed).join(" ")));
        let from = from.unwrap_or_default();
        println!("{id}\t***{tail}\t{state}\t{created}\tused {used}\t{title}\t{scope}, {rights}{from}");
    }
    Ok(())
}

/// `latchkey key …`
pub async fn run(settings: &Settings, db: &Db, command: Command) -> Outcome {
    match command {
        Command::List { email } => list(db, &email).await,
        Command::Allow { id, networks } => {
            let allowed = match &*networks {
                [any] if any == "any" => None,
                networks => addresses::read(&networks.join(" "))?,
            };
            let places =
                allowed.as_deref().map_or("anywhere".to_owned(), |allowed| addresses::shown(allowed).join(", "));
            edit_key(db, id, Edit { allowed: Some(allowed), ..Edit::default() }).await?;
            log::info!("key allow: changed key={id}");
            println!("The key {id} may be used from {places}.");
            Ok(())
        }
        Command::Expire { id, end: End(end) } => {
            if end.is_some_and(|end| end <= clock::now()) {
                return Err(format!("This end is over. To stop the key now: latchkey key withdraw {id}"));
            }
            edit_key(db, id, Edit { expires_at: Some(end), ..Edit::default() }).await?;
            log::info!("key expire: changed key={id}");
            match end {
                Some(end) => println!("The key {id} expires at {}.", formatted_end(end)),
                None => println!("The key {id} does not expire."),
            }
            Ok(())
        }
        Command::Import { file, random_bits_at_least } => {
            let text = content(&file)?;
            let imported = import::import(db, &text, random_bits_at_least, settings.max_keys, clock::now()).await;
            report(&file, imported.map_err(database_error)?)
        }
        Command::Withdraw { id } => {
            let withdrawn = withdraw::withdraw(db, id, Withdrawal::Command, Origin::default(), clock::now())
                .await
                .map_err(failed)?;
            if !withdrawn {
                return Err(format!("There is no active key {id}. List a user's keys with: latchkey key list EMAIL"));
            }
            log::info!("key withdraw: withdrawn key={id}");
            println!("Withdrew the key {id}.");
            Ok(())
        }
    }
}

/// Problems of a file that are printed.
const MOST_PROBLEMS: usize = 100;

fn content(file: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => io::stdin().read_to_end(&mut text).map(|_| text),
        false => fs::read(file),
    };
    read.map_err(|error| {
        // As root, commands switch to the user who owns the data folder.
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => " Or let your shell read it: latchkey key import - < FILE",
            _ => "",
        };
        format!("Cannot read {}: {error}.{hint}", file.display())
    })
}

/// Says what became of a file.
fn report(file: &Path, outcome: import::Outcome) -> Outcome {
    match outcome {
        import::Outcome::Imported { keys, users, end } => {
            log::info!("key import: imported {keys} keys of {users} users");
            let number = |number: usize, one, many| counted(i64::try_from(number).unwrap_or(i64::MAX), one, many);
            println!("Imported {} of {}.", number(keys, "key", "keys"), number(users, "user", "users"));
            if let Some(end) = end {
                println!(
                    "They end on {} at the latest, since they may have fewer than {ENOUGH_BITS} random bits \
                     (--random-bits-at-least {ENOUGH_BITS} says that they have as many).",
                    formatted(end)
                );
            }
            Ok(())
        }
        import::Outcome::Unchanged(keys) => {
            println!("All keys of this file ({keys}) were imported before. Nothing was changed.");
            Ok(())
        }
        import::Outcome::Refused(problems) => {
            let mut lines = vec![format!("Nothing was imported from {}:", file.display())];
            lines.extend(problems.iter().take(MOST_PROBLEMS).map(ToString::to_string));
            if problems.len() > MOST_PROBLEMS {
                lines.push(format!("and {} more", problems.len() - MOST_PROBLEMS));
            }
            Err(lines.join("\n"))
        }
    }
}
