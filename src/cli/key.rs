//! `latchkey key`: lists and withdraws API keys.

use std::{
    fs,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use clap::Subcommand;

use crate::{
    base::{clock, ids::ApiKeyId, settings::Settings},
    cli::{Outcome, begin_read, database_error, failed, formatted},
    db::Db,
    keys::{
        WithdrawnBy,
        import::{self, ENOUGH_BITS},
        leaks::LEAK_BOX,
        scope,
        store::{self, Order},
        withdraw,
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

/// `latchkey key …`
pub async fn run(settings: &Settings, db: &Db, command: Command) -> Outcome {
    match command {
        Command::List { email } => {
            let (mut tx, user) = begin_read(db, &email).await?;
            let keys = store::of_user(&mut tx, user.id, Order::Created).await.map_err(database_error)?;
            if keys.is_empty() {
                println!("No keys.");
            }
            for key in keys {
                let state = match key.withdrawn_at {
                    Some(at) if key.withdrawn_how.as_deref() == Some(LEAK_BOX) => {
                        format!("withdrawn {} (found, leaked)", formatted(at))
                    }
                    Some(at) => format!("withdrawn {}", formatted(at)),
                    None => "active".to_owned(),
                };
                let used = key.last_used_at.map_or("never".to_owned(), formatted);
                let created =
                    format!("{} {}", if key.imported { "imported" } else { "created" }, formatted(key.created_at));
                let (scope, rights) =
                    (key.scope.words().to_lowercase(), scope::rights(key.read_only, key.manage_users).to_lowercase());
                let (id, tail, title) = (key.id, key.tail, key.title);
                println!("{id}\t***{tail}\t{state}\t{created}\tused {used}\t{title}\t{scope}, {rights}");
            }
            Ok(())
        }
        Command::Import { file, random_bits_at_least } => {
            let text = content(&file)?;
            let imported = import::import(db, &text, random_bits_at_least, settings.max_keys, clock::now()).await;
            report(&file, imported.map_err(database_error)?)
        }
        Command::Withdraw { id } => {
            let withdrawn =
                withdraw::withdraw(db, id, WithdrawnBy::Host, Origin::default(), clock::now()).await.map_err(failed)?;
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
