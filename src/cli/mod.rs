//! The commands. They may run beside a server.

mod key;
mod member;
mod serve;
mod subscription;
mod user;

use std::{
    fs::{DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    clock::Moment,
    config::Settings,
    db::{Db, PATIENCE_OF_COMMANDS, Tx},
    users::{self, Email, User},
};

/// What a command that cannot go on says, for people.
type Outcome = Result<(), String>;

/// Self-hosted, white-label channel-manager API for the hotel trade
#[derive(Parser)]
#[command(name = "latchkey", version, after_help = "Run without a command, it serves.")]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and API (the default)
    Serve,
    /// Serve on a fresh temporary database with a user, an API key and some properties
    Demo,
    /// Manage users
    #[command(subcommand)]
    User(user::Command),
    /// Manage users' subscriptions, which open API keys to them
    #[command(subcommand)]
    Subscription(subscription::Command),
    /// List and withdraw API keys
    #[command(subcommand)]
    Key(key::Command),
    /// List, add and remove the people who have access to a property
    #[command(subcommand)]
    Member(member::Command),
}

impl Cli {
    /// The command line as it is, or its help. Values of variables are left out of that: some are secrets, and most
    /// are empty.
    pub fn read() -> Self {
        let command = Cli::command().mut_args(|argument| argument.hide_env_values(true));
        Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> Outcome {
    refuse_unknown_variables()?;
    let settings = cli.settings;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(settings).await,
        Command::Demo => serve::demo(settings).await,
        Command::User(command) => on_database(&settings, async |db| user::run(&settings, db, command).await).await,
        Command::Subscription(command) => {
            on_database(&settings, async |db| subscription::run(&settings, db, command).await).await
        }
        Command::Member(command) => on_database(&settings, async |db| member::run(db, command).await).await,
        Command::Key(command) => on_database(&settings, async |db| key::run(db, command).await).await,
    }
}

/// Opens the database for one command, and leaves it closed.
async fn on_database(settings: &Settings, command: impl AsyncFnOnce(&Db) -> Outcome) -> Outcome {
    let db = open(settings, PATIENCE_OF_COMMANDS).await?;
    let outcome = command(&db).await;
    db.close().await;
    outcome
}

/// A setting that is misspelt would be a setting that is not there.
fn refuse_unknown_variables() -> Outcome {
    let command = Cli::command();
    let known: Vec<&str> =
        command.get_arguments().filter_map(|argument| argument.get_env()).filter_map(|name| name.to_str()).collect();
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("LATCHKEY_")) else { continue };
        if !known.contains(&name) {
            let likely = known.iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
            return Err(format!(
                "There is no setting {name}. Did you mean {}? All are in: latchkey --help",
                likely.unwrap_or(&"another")
            ));
        }
    }
    Ok(())
}

/// Opens the database, its schema up to date. SQLite's lock is waited for so long.
async fn open(settings: &Settings, patience: Duration) -> Result<Db, String> {
    if let Some(url) = &settings.database_url {
        let db = Db::postgres(url, settings.database_connections).await?;
        db.migrate(Path::new("")).await?;
        return Ok(db);
    }
    let folder = settings.data_dir();
    make_private(&folder)?;
    // SQLite gives its other files the mode of this one. Where it cannot be made, opening it says why.
    let file = folder.join("latchkey.db");
    drop(OpenOptions::new().create(true).append(true).mode(0o600).open(&file));
    let db = Db::sqlite(&file, settings.sqlite_synchronous.into(), patience).await?;
    db.migrate(&folder.join("migrate.lock")).await?;
    Ok(db)
}

/// Makes a folder that only this user can read: hashes and addresses are nobody else's business.
fn make_private(folder: &Path) -> Result<(), String> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| format!("Cannot make the data folder {}: {error}.", folder.display()))
}

/// A transaction that changes something of this user.
async fn change(db: &Db, email: &Email) -> Result<(Tx, User), String> {
    let mut tx = db.write().await.map_err(told)?;
    let user = find(&mut tx, email).await?;
    Ok((tx, user))
}

/// A transaction that reads something of this user.
async fn look(db: &Db, email: &Email) -> Result<(Tx, User), String> {
    let mut tx = db.read().await.map_err(told)?;
    let user = find(&mut tx, email).await?;
    Ok((tx, user))
}

async fn find(tx: &mut Tx, email: &Email) -> Result<User, String> {
    let found = users::store::by_email(tx, email).await.map_err(told)?;
    found.ok_or_else(|| format!("There is no user {}. Add one with: latchkey user add {}", email.text, email.text))
}

/// A moment, for people.
fn written(moment: Moment) -> String {
    moment.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn told(error: sqlx::Error) -> String {
    format!("The database did not do it: {error}.")
}
