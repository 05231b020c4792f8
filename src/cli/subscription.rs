//! `latchkey subscription`: shows, activates and cancels subscriptions.

use std::cmp::Ordering::{Equal, Greater, Less};

use chrono::{Days, NaiveDate, NaiveTime};
use clap::Subcommand;
use serde_json::json;

use crate::{
    base::{
        clock::{self, Moment},
        ids::UserId,
        settings::Settings,
    },
    cli::{Outcome, begin_change, begin_read, database_error, formatted_end},
    db::{Db, Tx},
    people::{
        subscriptions::{self, State},
        users::Email,
    },
    record::{
        activity::Kind,
        by::{By, Change},
        origin::Origin,
    },
};

#[derive(Subcommand)]
pub enum Command {
    /// Show the state of a user's subscription
    Show {
        /// The user's email address
        email: Email,
    },
    /// Activate a user's subscription
    Activate {
        /// The user's email address
        email: Email,
        /// Last day (2026-12-31, UTC) or exact end (2026-12-31T12:00:00Z) [default: no end]
        #[arg(long, value_name = "DATE", value_parser = until)]
        until: Option<Moment>,
    },
    /// Cancel a user's subscription at the end of its period
    Cancel {
        /// The user's email address
        email: Email,
        /// End it immediately
        #[arg(long)]
        now: bool,
    },
}

/// `latchkey subscription …`
pub async fn run(settings: &Settings, db: &Db, command: Command) -> Outcome {
    match command {
        Command::Show { email } => {
            let (mut tx, user) = begin_read(db, &email).await?;
            let subscription = subscriptions::store::of_user(&mut tx, user.id).await.map_err(database_error)?;
            let active = subscriptions::is_active(subscription.as_ref(), settings.grace(), clock::now());
            println!("Active: {}", if active { "yes" } else { "no" });
            if let Some(subscription) = subscription {
                // A state that has run out is shown as expired.
                let has_run_out = !active && matches!(subscription.state, State::Active | State::Trialing);
                let state = if has_run_out { State::Expired } else { subscription.state };
                println!("State: {}", state.name());
                println!("Period ends: {}", subscription.period_ends_at.map_or("never".to_owned(), formatted_end));
            }
            Ok(())
        }
        Command::Activate { email, until } => {
            let (mut tx, user) = begin_change(db, &email).await?;
            set(&mut tx, user.id, State::Active, until, clock::now()).await?;
            tx.commit().await.map_err(database_error)?;
            log::info!(
                "subscription activate: active, ends {} user={}",
                until.map_or("never".to_owned(), formatted_end),
                user.id
            );
            match until {
                None => println!("The subscription of {} is active.", user.email),
                Some(end) if end > clock::now() => {
                    println!("The subscription of {} is active until {}.", user.email, formatted_end(end));
                }
                Some(end) => println!("The subscription of {} ended {}.", user.email, at(end)),
            }
            Ok(())
        }
        Command::Cancel { email, now: at_once } => {
            let (mut tx, user) = begin_change(db, &email).await?;
            let now = clock::now();
            let Some(old) = subscriptions::store::of_user(&mut tx, user.id).await.map_err(database_error)? else {
                return Err(format!("{} has no subscription.", user.email));
            };
            // If it expired before its period ended, cancelling would make it active again.
            if old.state == State::Expired {
                println!("The subscription of {} has ended.", user.email);
                return Ok(());
            }
            // Without a period it ends now; one that has ended keeps its end.
            let end = old.period_ends_at.filter(|end| !at_once || *end <= now).unwrap_or(now);
            set(&mut tx, user.id, State::Cancelled, Some(end), now).await?;
            tx.commit().await.map_err(database_error)?;
            log::info!("subscription cancel: cancelled, ends {} user={}", formatted_end(end), user.id);
            match end.cmp(&now) {
                Greater => println!("The subscription of {} is cancelled and ends {}.", user.email, at(end)),
                Equal => println!("The subscription of {} has ended.", user.email),
                Less => println!("The subscription of {} ended {}.", user.email, at(end)),
            }
            Ok(())
        }
    }
}

/// Sets the subscription, and records it unless it stays as it is.
async fn set(tx: &mut Tx, user: UserId, state: State, end: Option<Moment>, now: Moment) -> Outcome {
    let old = subscriptions::store::of_user(tx, user).await.map_err(database_error)?;
    subscriptions::store::set(tx, user, state, end, now).await.map_err(database_error)?;
    if old.is_some_and(|old| (old.state, old.period_ends_at) == (state, end)) {
        return Ok(());
    }
    let details = json!({ "state": state.name(), "ends_at": end });
    let change = Change { kind: Kind::SubscriptionChanged, subject: user.0, concerns: Some(user), details };
    By::command(&Origin::default()).put(tx, change, now).await.map_err(database_error)
}

fn at(end: Moment) -> String {
    let text = formatted_end(end);
    if text.starts_with("the end") { format!("at {text}") } else { format!("on {text}") }
}

/// Parses `--until`: a day, including its end, or a moment.
pub(super) fn until(text: &str) -> Result<Moment, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let next = day.checked_add_days(Days::new(1)).ok_or("too far in the future")?;
        return Ok(next.and_time(NaiveTime::MIN).and_utc());
    }
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|_| "not a date such as 2026-12-31, nor a moment such as 2026-12-31T12:00:00Z".to_owned())
}
