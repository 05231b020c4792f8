//! `latchkey key`: lists and withdraws API keys.

use clap::Subcommand;

use crate::{
    base::{clock, ids::ApiKeyId},
    cli::{Outcome, begin_read, database_error, failed, formatted},
    db::Db,
    keys::{WithdrawnBy, scope, store, withdraw},
    people::users::Email,
    record::origin::Origin,
};

#[derive(Subcommand)]
pub enum Command {
    /// List a user's API keys, including withdrawn ones
    List {
        /// The user's email address
        email: Email,
    },
    /// Withdraw an API key permanently
    Withdraw {
        /// The key's ID, as listed
        #[arg(value_name = "ID")]
        id: ApiKeyId,
    },
}

/// `latchkey key …`
pub async fn run(db: &Db, command: Command) -> Outcome {
    match command {
        Command::List { email } => {
            let (mut tx, user) = begin_read(db, &email).await?;
            let keys = store::of_user(&mut tx, user.id).await.map_err(database_error)?;
            if keys.is_empty() {
                println!("No keys.");
            }
            for key in keys {
                let state = match key.withdrawn_at {
                    Some(at) => format!("withdrawn {}", formatted(at)),
                    None => "active".to_owned(),
                };
                let used = key.last_used_at.map_or("never".to_owned(), formatted);
                let created = formatted(key.created_at);
                let (scope, rights) =
                    (key.scope.words().to_lowercase(), scope::rights(key.read_only, key.manage_users).to_lowercase());
                let (id, tail, title) = (key.id, key.tail, key.title);
                println!("{id}\t***{tail}\t{state}\tcreated {created}\tused {used}\t{title}\t{scope}, {rights}");
            }
            Ok(())
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
