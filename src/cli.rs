//! The commands, one function each. They may run beside a server.

use std::{
    fs::{DirBuilder, File},
    io::{self, IsTerminal, Read},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use actix_web::{cookie::Key, rt, web::Data};
use chrono::{Days, NaiveDate, NaiveTime};
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;

use crate::{
    api_keys::{self, By, last_use::LastUses, store::Order},
    clock::{self, Moment},
    config::Settings,
    db::{Db, Tx, is_taken},
    demo,
    http::server,
    ids::ApiKeyId,
    secret::{self, Digest},
    sessions,
    site::{self, Site},
    subscriptions::{self, State},
    users::{
        self, Email, User,
        password::{Hasher, Password},
        welcome,
    },
};

/// Days for which a one-use link is good (contract/README.md, section 15, 23).
const LINK_DAYS: u64 = 7;

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
    User(UserCommand),
    /// Manage users' subscriptions, which open API keys to them
    #[command(subcommand)]
    Subscription(SubscriptionCommand),
    /// List and withdraw API keys
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user; the password is asked for, or read from standard input
    Add {
        email: Email,
        #[arg(long)]
        name: Option<String>,
    },
    /// List all users
    List,
    /// Deactivate a user: signed out everywhere, keys refused
    Deactivate { email: Email },
    /// Activate a user again
    Activate { email: Email },
    /// Set a user's password and end the user's sessions; it is asked for, or read from standard input
    Password { email: Email },
    /// Print a one-use link with which the user sets name and password
    Link { email: Email },
}

#[derive(Subcommand)]
enum SubscriptionCommand {
    /// Show how a user's subscription stands
    Show { email: Email },
    /// Activate a user's subscription
    Activate {
        email: Email,
        /// Last day (2026-12-31, UTC) or exact end (2026-12-31T12:00:00Z) [default: no end]
        #[arg(long, value_name = "DATE", value_parser = until)]
        until: Option<Moment>,
    },
    /// Cancel a user's subscription at the end of its period
    Cancel {
        email: Email,
        /// End it at once
        #[arg(long)]
        now: bool,
    },
}

#[derive(Subcommand)]
enum KeyCommand {
    /// List a user's API keys, withdrawn ones too
    List { email: Email },
    /// Withdraw an API key, for good
    Withdraw {
        #[arg(value_name = "ID")]
        id: ApiKeyId,
    },
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> Outcome {
    let settings = cli.settings;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(settings).await,
        Command::Demo => serve_demo(settings).await,
        Command::User(command) => user(settings, command).await,
        Command::Subscription(command) => subscription(settings, command).await,
        Command::Key(command) => key(settings, command).await,
    }
}

async fn serve(settings: Settings) -> Outcome {
    let start = Start::new(settings).await?;
    start.serve(|_| {}).await
}

async fn serve_demo(mut settings: Settings) -> Outcome {
    let named = settings.data_dir.is_some() || settings.database_url.is_some();
    // Removed when the demo ends.
    let fresh = tempfile::tempdir().map_err(|error| format!("Cannot make a temporary folder: {error}."))?;
    if !named {
        settings.data_dir = Some(fresh.path().to_owned());
    }
    let start = Start::new(settings).await?;
    let demo = demo::prepare(&start.site).await?;
    start
        .serve(|site| {
            println!("Email: {}", demo.email);
            println!("Password: {}", demo.password);
            println!("curl -H 'user-api-key: {}' {}/api/v1/properties/", demo.key.reveal(), site.address());
        })
        .await
}

/// A server about to serve.
struct Start {
    listener: TcpListener,
    site: Data<Site>,
    cookie_key: Key,
    /// Held while this process serves a SQLite file.
    _only: Option<File>,
}

impl Start {
    async fn new(settings: Settings) -> Result<Self, String> {
        let listener = server::listen(&settings.listen).await?;
        let bound = listener.local_addr().map_err(|error| error.to_string())?;
        let base_url = settings.base_url(Some(bound))?;
        let only = match settings.database_url {
            Some(_) => None,
            None => Some(hold_alone(&settings)?),
        };
        let db = open(&settings).await?;
        let mut tx = db.write().await.map_err(told)?;
        let cookie_key =
            site::shared_value(&mut tx, "cookie_key", Key::generate().master().to_owned()).await.map_err(told)?;
        tx.commit().await.map_err(told)?;
        let hasher = Hasher::new(settings.cost(), settings.argon2_at_once.into())?;
        let site = Data::new(Site { settings, base_url, db, hasher, last_uses: LastUses::default() });
        Ok(Start { listener, site, cookie_key: Key::from(&cookie_key), _only: only })
    }

    async fn serve(self, greet: impl FnOnce(&Site)) -> Outcome {
        let site = self.site.clone();
        let writing = rt::spawn(site.last_uses.clone().keep_writing(site.db.clone()));
        let server = server::serve(self.listener, self.site, &self.cookie_key)
            .map_err(|error| format!("The server could not start: {error}."))?;
        println!("Latchkey is serving {}", site.address());
        greet(&site);
        let stopped = server.await.map_err(|error| format!("The server stopped: {error}."));
        writing.abort();
        if site.last_uses.write(&site.db).await.is_err() {
            log::warn!("the last uses of some keys are lost");
        }
        site.db.close().await;
        stopped
    }
}

/// Opens the database, its schema up to date.
async fn open(settings: &Settings) -> Result<Db, String> {
    if let Some(url) = &settings.database_url {
        let db = Db::postgres(url, settings.database_connections).await?;
        db.migrate(Path::new("")).await?;
        return Ok(db);
    }
    let folder = settings.data_dir();
    make_private(&folder)?;
    let db = Db::sqlite(&folder.join("latchkey.db"), settings.sqlite_synchronous.into()).await?;
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

/// One server for one SQLite file.
fn hold_alone(settings: &Settings) -> Result<File, String> {
    let folder = settings.data_dir();
    make_private(&folder)?;
    let path = folder.join("serve.lock");
    let file = File::create(&path)
        .map_err(|error| format!("Cannot write {}: {error}. The data folder must be writable.", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(format!(
            "Another server uses the data folder {}. Stop it, choose another --data-dir, or use PostgreSQL.",
            folder.display()
        )),
    }
}

async fn user(settings: Settings, command: UserCommand) -> Outcome {
    match command {
        UserCommand::Add { email, name } => add_user(settings, email, name).await,
        UserCommand::List => {
            let db = open(&settings).await?;
            let mut tx = db.read().await.map_err(told)?;
            for user in users::store::all(&mut tx).await.map_err(told)? {
                let state = if user.deactivated_at.is_some() { "deactivated" } else { "active" };
                println!("{}\t{state}\t{}", user.email, user.name.unwrap_or_default());
            }
            Ok(())
        }
        UserCommand::Deactivate { email } => set_deactivated(settings, email, true).await,
        UserCommand::Activate { email } => set_deactivated(settings, email, false).await,
        UserCommand::Password { email } => set_password(settings, email).await,
        UserCommand::Link { email } => make_link(settings, email).await,
    }
}

async fn add_user(settings: Settings, email: Email, name: Option<String>) -> Outcome {
    let name = users::name(&name.unwrap_or_default())?;
    let password = ask_password(&settings, &email)?;
    let hasher = Hasher::new(settings.cost(), 1)?;
    let hash = hasher.hash(password).await.map_err(|error| error.to_string())?;
    let db = open(&settings).await?;
    let mut tx = db.write().await.map_err(told)?;
    match users::store::add_account(&mut tx, &email, name, Some(&hash), clock::now()).await {
        Err(error) if is_taken(&error) => return Err(format!("There is a user {} already.", email.text)),
        added => added.map_err(told)?,
    };
    tx.commit().await.map_err(told)?;
    println!("Added {}.", email.text);
    Ok(())
}

async fn set_password(settings: Settings, email: Email) -> Outcome {
    let password = ask_password(&settings, &email)?;
    let hasher = Hasher::new(settings.cost(), 1)?;
    let hash = hasher.hash(password).await.map_err(|error| error.to_string())?;
    let (mut tx, user) = change(&settings, &email).await?;
    users::store::set_password(&mut tx, user.id, &hash).await.map_err(told)?;
    sessions::store::end_all(&mut tx, user.id).await.map_err(told)?;
    tx.commit().await.map_err(told)?;
    println!("The password of {} is set; all sessions are ended.", user.email);
    Ok(())
}

async fn set_deactivated(settings: Settings, email: Email, off: bool) -> Outcome {
    let (mut tx, user) = change(&settings, &email).await?;
    users::store::set_deactivated(&mut tx, user.id, off.then(clock::now)).await.map_err(told)?;
    if off {
        sessions::store::end_all(&mut tx, user.id).await.map_err(told)?;
    }
    tx.commit().await.map_err(told)?;
    println!("{} is {}.", user.email, if off { "deactivated" } else { "active" });
    Ok(())
}

async fn make_link(settings: Settings, email: Email) -> Outcome {
    let base_url = settings.base_url(None)?;
    let (mut tx, user) = change(&settings, &email).await?;
    let token = secret::random();
    let now = clock::now();
    let end = now + Days::new(LINK_DAYS);
    users::store::insert_link(&mut tx, user.id, &Digest::of(&token), now, end).await.map_err(told)?;
    tx.commit().await.map_err(told)?;
    println!("{}{}", base_url.as_str().trim_end_matches('/'), welcome::path(&token));
    Ok(())
}

async fn subscription(settings: Settings, command: SubscriptionCommand) -> Outcome {
    match command {
        SubscriptionCommand::Show { email } => {
            let (mut tx, user) = look(&settings, &email).await?;
            let subscription = subscriptions::store::of_user(&mut tx, user.id).await.map_err(told)?;
            let active = subscriptions::is_active(subscription.as_ref(), settings.grace(), clock::now());
            println!("Active: {}", if active { "yes" } else { "no" });
            if let Some(subscription) = subscription {
                println!("State: {}", subscription.state.name());
                println!("Period ends: {}", subscription.period_ends_at.map_or("never".to_owned(), written));
            }
            Ok(())
        }
        SubscriptionCommand::Activate { email, until } => {
            let (mut tx, user) = change(&settings, &email).await?;
            subscriptions::store::set(&mut tx, user.id, State::Active, until, clock::now()).await.map_err(told)?;
            tx.commit().await.map_err(told)?;
            match until {
                None => println!("The subscription of {} is active.", user.email),
                Some(end) if end > clock::now() => {
                    println!("The subscription of {} is active until {}.", user.email, written(end));
                }
                Some(end) => println!("The subscription of {} ended on {}.", user.email, written(end)),
            }
            Ok(())
        }
        SubscriptionCommand::Cancel { email, now: at_once } => {
            let (mut tx, user) = change(&settings, &email).await?;
            let now = clock::now();
            let Some(old) = subscriptions::store::of_user(&mut tx, user.id).await.map_err(told)? else {
                return Err(format!("{} has no subscription.", user.email));
            };
            // One without an end has no period that could run out.
            let end = old.period_ends_at.filter(|end| !at_once && *end > now).unwrap_or(now);
            subscriptions::store::set(&mut tx, user.id, State::Cancelled, Some(end), now).await.map_err(told)?;
            tx.commit().await.map_err(told)?;
            match end > now {
                true => println!("The subscription of {} is cancelled and ends on {}.", user.email, written(end)),
                false => println!("The subscription of {} has ended.", user.email),
            }
            Ok(())
        }
    }
}

async fn key(settings: Settings, command: KeyCommand) -> Outcome {
    match command {
        KeyCommand::List { email } => {
            let (mut tx, user) = look(&settings, &email).await?;
            for key in api_keys::store::of_user(&mut tx, user.id, Order::Created).await.map_err(told)? {
                let state = match key.withdrawn_at {
                    Some(at) => format!("withdrawn {}", written(at)),
                    None => "active".to_owned(),
                };
                let used = key.last_used_at.map_or("never".to_owned(), written);
                let created = written(key.created_at);
                println!("{}\t***{}\t{state}\tcreated {created}\tused {used}\t{}", key.id, key.tail, key.title);
            }
            Ok(())
        }
        KeyCommand::Withdraw { id } => {
            let db = open(&settings).await?;
            let mut tx = db.write().await.map_err(told)?;
            if !api_keys::store::withdraw(&mut tx, id, By::Host, clock::now()).await.map_err(told)? {
                return Err(format!("There is no active key {id}. List a user's keys with: latchkey key list EMAIL"));
            }
            tx.commit().await.map_err(told)?;
            println!("The key {id} is withdrawn.");
            Ok(())
        }
    }
}

/// A transaction that changes something of this user.
async fn change(settings: &Settings, email: &Email) -> Result<(Tx, User), String> {
    let mut tx = open(settings).await?.write().await.map_err(told)?;
    let user = find(&mut tx, email).await?;
    Ok((tx, user))
}

/// A transaction that reads something of this user.
async fn look(settings: &Settings, email: &Email) -> Result<(Tx, User), String> {
    let mut tx = open(settings).await?.read().await.map_err(told)?;
    let user = find(&mut tx, email).await?;
    Ok((tx, user))
}

async fn find(tx: &mut Tx, email: &Email) -> Result<User, String> {
    let found = users::store::by_email(tx, email).await.map_err(told)?;
    found.ok_or_else(|| format!("There is no user {}. Add one with: latchkey user add {}", email.text, email.text))
}

/// A new password: typed twice on a terminal, else the first line of standard input.
fn ask_password(settings: &Settings, email: &Email) -> Result<Password, String> {
    let text = if io::stdin().is_terminal() {
        let ask = |prompt| rpassword::prompt_password(prompt).map_err(|error| error.to_string());
        let first = ask("Password: ")?;
        if first != ask("Again: ")? {
            return Err("The two passwords differ.".to_owned());
        }
        first
    } else {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(|error| format!("No password could be read: {error}."))?;
        text.lines().next().unwrap_or_default().to_owned()
    };
    Password::chosen(text, &settings.host_name, &email.text)
}

/// `--until`: the whole of a day, or a moment.
fn until(text: &str) -> Result<Moment, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let next = day.checked_add_days(Days::new(1)).ok_or("too far in the future")?;
        return Ok(next.and_time(NaiveTime::MIN).and_utc());
    }
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|_| "not a date such as 2026-12-31, nor a moment such as 2026-12-31T12:00:00Z".to_owned())
}

fn written(moment: Moment) -> String {
    moment.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn told(error: sqlx::Error) -> String {
    format!("The database did not do it: {error}.")
}
