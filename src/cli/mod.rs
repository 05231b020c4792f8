//! The commands. They may run beside a server.

mod activity;
mod background; // what a server does beside requests
mod cleanup; // of what is kept for a limited time
mod database; // the database of a command
mod hourly; // what happens once an hour
mod key;
mod mail;
mod member;
mod other_user; // commands run by another user than the server's
mod scan; // finding keys, without a database
mod secrets;
mod serve;
mod session;
mod subscription;
mod user;
mod variables; // environment variables

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

use crate::{
    base::{clock::Moment, error::Error, logging, settings::Settings},
    cli::database::Place,
    db::{Db, Found, PATIENCE_OF_COMMANDS, Tx, missing, plain},
    people::users::{self, Email, User},
};

/// The result of a command; the error is a sentence for the host.
type Outcome = Result<(), String>;

/// Self-hosted, white-label channel-manager API for the hotel trade
#[derive(Parser)]
#[command(name = "latchkey", version, after_help = "Without a command, runs `serve`.")]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the pages and the API (the default)
    Serve,
    /// Serve on a fresh temporary database with a user, an API key and some properties
    Demo,
    /// Create the database, or migrate its schema; `serve` does so too
    Migrate,
    /// Manage users
    #[command(subcommand)]
    User(user::Command),
    /// Manage users' subscriptions, which API keys require
    #[command(subcommand)]
    Subscription(subscription::Command),
    /// List, withdraw and import API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Check and rotate the keys with which secrets in the database are encrypted
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// List, add and remove the people who have access to a property
    #[command(subcommand)]
    Member(member::Command),
    /// List the mails to be sent, and test the mail server
    #[command(subcommand)]
    Mail(mail::Command),
    /// List what happened to accounts: sign-ins, keys, access
    #[command(subcommand)]
    Activity(activity::Command),
    /// Find API keys in files and folders, offline: exits with 1 if there are any, with 2 after an error
    Scan(scan::Scan),
    /// Print rules with which other programs find API keys
    ScanRules(scan::ScanRules),
}

impl Cli {
    /// Parses the command line, or prints its help, without values of environment variables, some of which are secret.
    /// A variable that is set but empty counts as not set.
    fn read() -> Self {
        let command = Cli::command().mut_args(|argument| argument.hide_env_values(true));
        let with_values = command.clone().mut_args(|argument| match argument.get_env() {
            Some(name) if std::env::var_os(name).is_some_and(|value| value.is_empty()) => {
                argument.env(None::<&'static str>)
            }
            _ => argument,
        });
        let matches = with_values.try_get_matches().unwrap_or_else(|error| match error.kind() {
            // Help lists all variables.
            ErrorKind::DisplayHelp => command.get_matches(),
            _ => error.exit(),
        });
        Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Runs a command that needs neither the database nor the user who owns it.
    fn run_without_database(&self) -> Option<ExitCode> {
        let run: &dyn Fn() -> ExitCode = match &self.command {
            Some(Command::Scan(command)) => &|| scan::scan(&self.settings, command),
            Some(Command::ScanRules(command)) => &|| scan::print_rules(&self.settings, command),
            _ => return None,
        };
        Some(variables::refuse_unknown(&Cli::command()).map_or_else(|message| scan::failed(&message), |()| run()))
    }

    /// Checks environment variables, and switches to the user of the data folder. Must be called before any thread
    /// starts.
    fn begin(&self) -> Outcome {
        variables::refuse_unknown(&Cli::command())?;
        let has_own_folder = matches!(self.command, Some(Command::Demo)) && self.settings.data_dir.is_none();
        if has_own_folder { Ok(()) } else { other_user::switch_user(&self.settings) }
    }
}

/// The whole program. It is here and not in `main.rs`, since what is async is compiled once more by the crate that waits
/// for it.
pub fn main() -> ExitCode {
    let cli = Cli::read();
    if let Some(ended) = cli.run_without_database() {
        return ended;
    }
    // Before any thread starts.
    if let Err(message) = cli.begin() {
        eprintln!("{message}");
        return ExitCode::FAILURE;
    }
    let lines = logging::start(cli.settings.log_format);
    let ended = actix_web::rt::System::new().block_on(run(cli));
    lines.flush_all();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command.
async fn run(cli: Cli) -> Outcome {
    let settings = cli.settings;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(settings).await,
        Command::Demo => serve::demo(settings).await,
        Command::Migrate => migrate(&settings).await,
        Command::User(command) => on_database(&settings, async |db| user::run(&settings, db, command).await).await,
        Command::Subscription(command) => {
            on_database(&settings, async |db| subscription::run(&settings, db, command).await).await
        }
        Command::Secrets(command) => {
            on_database(&settings, async |db| secrets::run(&settings, db, command).await).await
        }
        Command::Mail(command) => on_database(&settings, async |db| mail::run(&settings, db, command).await).await,
        Command::Member(command) => on_database(&settings, async |db| member::run(db, command).await).await,
        Command::Activity(command) => on_database(&settings, async |db| activity::run(db, command).await).await,
        Command::Key(command) => on_database(&settings, async |db| key::run(&settings, db, command).await).await,
        Command::Scan(_) | Command::ScanRules(_) => Ok(()),
    }
}

/// Opens the database for one command, and closes it.
async fn on_database(settings: &Settings, command: impl AsyncFnOnce(&Db) -> Outcome) -> Outcome {
    if settings.base_url.is_some() {
        settings.base_url(None)?;
    }
    let db = Place::for_command(settings)?.existing(settings, PATIENCE_OF_COMMANDS).await?;
    let outcome = command(&db).await;
    db.close().await;
    outcome
}

/// `latchkey migrate`
async fn migrate(settings: &Settings) -> Outcome {
    let place = Place::for_command(settings)?;
    let before = place.inspect().await?;
    if let Found::Ours(ours) = &before {
        // A newer schema is reported before anything is opened.
        missing(&ours.applied)?;
    }
    place.migrated(settings, PATIENCE_OF_COMMANDS).await?.close().await;
    let Found::Ours(after) = place.inspect().await? else { return Err("The database has disappeared.".to_owned()) };
    let (name, newest) = (place.name(), after.applied.last().copied().unwrap_or_default());
    match before {
        Found::Nothing => println!("Created the database {name} with schema {newest}."),
        Found::Ours(before) if before.applied == after.applied => {
            println!("The database {name} is up to date (schema {newest}).");
        }
        Found::Ours(before) => {
            let old = before.applied.last().copied().unwrap_or_default();
            println!("Migrated the database {name} from schema {old} to {newest}.");
        }
    }
    Ok(())
}

/// A writing transaction, and the user.
async fn begin_change(db: &Db, email: &Email) -> Result<(Tx, User), String> {
    let mut tx = db.write().await.map_err(database_error)?;
    let user = find(&mut tx, email).await?;
    Ok((tx, user))
}

/// A reading transaction, and the user.
async fn begin_read(db: &Db, email: &Email) -> Result<(Tx, User), String> {
    let mut tx = db.read().await.map_err(database_error)?;
    let user = find(&mut tx, email).await?;
    Ok((tx, user))
}

async fn find(tx: &mut Tx, email: &Email) -> Result<User, String> {
    let found = users::store::by_email(tx, email).await.map_err(database_error)?;
    found.ok_or_else(|| format!("There is no user {}. Add one with: latchkey user add {}", email.text, email.text))
}

/// Formats a moment.
fn formatted(moment: Moment) -> String {
    moment.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Formats an end: midnight is the end of the day before, not the beginning of the next one.
fn formatted_end(end: Moment) -> String {
    match end.time() == chrono::NaiveTime::MIN {
        true => format!("the end of {} (UTC)", (end - chrono::Duration::days(1)).format("%Y-%m-%d")),
        false => formatted(end),
    }
}

fn failed(error: Error) -> String {
    match error {
        Error::Database(error) => database_error(error),
        other => format!("{}.", other.reason().unwrap_or_else(|| other.to_string().into())),
    }
}

fn database_error(error: sqlx::Error) -> String {
    format!("Database error: {}.", plain(&error))
}
