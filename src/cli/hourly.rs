//! What happens by the clock, once an hour and when a server starts, by one of the processes on a database.

use std::time::Duration;

use actix_web::{rt, web::Data};

use crate::{
    base::clock::{self, Moment},
    db::{Db, execute, host_values},
    keys::{self, ends},
    people::subscriptions,
    web::state::AppState,
};

/// How often a process looks whether an hour is over. The time of day counts: timers stand still while a machine sleeps.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The shared value with the time of the last round, in microseconds.
const LAST: &str = "last_hourly_round";

/// Runs the rounds until the process ends.
pub async fn keep_running(state: Data<AppState>) {
    // Whatever other processes have done: this one may have been away for long, and nothing is done twice.
    let mut is_due = true;
    loop {
        let now = clock::now();
        // After a failure it is tried again in a minute.
        is_due = match run(&state, is_due, now).await {
            Ok(()) => false,
            Err(error) => {
                log::warn!("could not do what is due every hour: {error}");
                true
            }
        };
        rt::time::sleep(LOOK_EVERY).await;
    }
}

async fn run(state: &AppState, is_due: bool, now: Moment) -> sqlx::Result<()> {
    let is_ours = take_turn(&state.db, now).await?;
    if is_due || is_ours {
        ends::end_and_record(&state.db, now).await?;
        keys::reminders::write(&state.db, now).await?;
        subscriptions::reminders::write(&state.db, state.settings.grace(), now).await?;
    }
    Ok(())
}

/// True for one process, if the last round began an hour ago, or is in the future (the clock was set back).
async fn take_turn(db: &Db, now: Moment) -> sqlx::Result<bool> {
    const FIRST: &str = "insert into host_values (name, value) values ($1, $2) on conflict (name) do nothing";
    const NEXT: &str = "update host_values set value = $2 where name = $1 and value = $3";
    let mut tx = db.read_latest().await?;
    let last = host_values::find_value(&mut tx, LAST).await?;
    drop(tx);
    let new = now.timestamp_micros().to_be_bytes().to_vec();
    let Some(last) = last else {
        let mut tx = db.write().await?;
        let is_ours = execute!(&mut tx, FIRST, LAST, new)? == 1;
        tx.commit().await?;
        return Ok(is_ours);
    };
    let began =
        <[u8; 8]>::try_from(&*last).ok().and_then(|last| Moment::from_timestamp_micros(i64::from_be_bytes(last)));
    if began.is_some_and(|began| began <= now && now - began < chrono::Duration::hours(1)) {
        return Ok(false);
    }
    let mut tx = db.write().await?;
    let is_ours = execute!(&mut tx, NEXT, LAST, new, last)? == 1;
    tx.commit().await?;
    Ok(is_ours)
}
