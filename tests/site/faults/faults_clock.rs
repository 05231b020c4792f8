//! A clock that is set back and forward while the server runs.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::client::Client;
use crate::command::{finish, run_by};
use crate::host::Host;
use crate::page::{key_rows, until};
use crate::property::PROPERTIES;

const PROFILE: &str = "/user_profile";

/// The clock of one server, which may be set. Only the time of day is: the clock by which the program measures goes on,
/// as a real one does, and that of `auth_epoch`, read past the C library, is none that could be set.
struct Clock(PathBuf);

impl Clock {
    fn library() -> String {
        let places = fs::read_dir("/usr/lib").expect("/usr/lib");
        let found = places
            .filter_map(|place| Some(place.ok()?.path().join("faketime/libfaketimeMT.so.1")))
            .find(|library| library.exists());
        found.expect("libfaketime must be installed (Debian's package faketime)").to_string_lossy().into_owned()
    }

    /// Ahead of the true time by this much: `+1d`, `-1h`.
    fn set(&self, ahead: &str) {
        let new = self.0.with_extension("new");
        fs::write(&new, ahead).expect("a file");
        fs::rename(new, &self.0).expect("a file");
    }
}

/// The true time in so many hours, as commands take it.
fn in_hours(hours: u32) -> String {
    let mut date = std::process::Command::new("date");
    date.args(["-u", "-d", &format!("+{hours} hours"), "+%FT%TZ"]);
    finish(date, "").ok().trim().to_owned()
}

async fn used_by(page: &Client, client: &str) {
    until(&format!("a use by {client} is listed"), async || {
        let rows = key_rows(&page.get(PROFILE).await.is(200));
        rows.iter().any(|row| row.contains(client)).then_some(())
    })
    .await;
}

#[actix_web::test]
async fn a_clock_that_is_set_ends_what_ends_by_time_and_nothing_else() {
    let host = Host::new().await;
    let clock = Clock(host.data_dir().with_file_name("clock"));
    clock.set("+0");
    let library = Clock::library();
    let faked = [
        "env",
        &format!("LD_PRELOAD={library}"),
        &format!("FAKETIME_TIMESTAMP_FILE={}", clock.0.display()),
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
    let serve = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = host.start(run_by(&faked, &serve)).serving();
    let me = server.person("desk@farol.example").await;
    let paying = server.person("owner@aurora.example").await;
    host.run(&["subscription", "activate", &paying.user.email, "--until", &in_hours(12)]).ok();
    let ending = me.browser.create_key("Ends in twelve hours").await;
    host.run(&["key", "expire", &me.browser.key_id(&ending).await, &in_hours(12)]).ok();
    let ending = server.with_key(&ending);
    let asks = async |client: &'static str, status: u16| {
        me.api.get(PROPERTIES).header("user-agent", client).await.is(200);
        me.creates(json!({ "title": client })).await.is(201);
        paying.api.get(PROPERTIES).await.is(status);
        ending.get(PROPERTIES).await.is(if status == 200 { 200 } else { 401 });
    };
    asks("Today/1", 200).await;
    used_by(&me.browser, "Today/1").await;

    clock.set("-1h");
    asks("HourAgo/1", 200).await;
    // A session that begins in an hour is none.
    me.browser.get(PROFILE).await.is(303);
    let past = server.signed_in(&me.user).await;
    let key = past.create_key("Of the past").await;
    server.with_key(&key).get(PROPERTIES).header("user-agent", "Past/1").await.is(200);
    used_by(&past, "Past/1").await;
    used_by(&past, "HourAgo/1").await;

    clock.set("+1d");
    asks("Tomorrow/1", 403).await;
    me.browser.get(PROFILE).await.is(303);
    let tomorrow = server.signed_in(&me.user).await;
    used_by(&tomorrow, "Tomorrow/1").await;
    let key = tomorrow.create_key("Of the future").await;

    clock.set("+0");
    asks("Back/1", 200).await;
    server.with_key(&key).get(PROPERTIES).await.is(200);
    tomorrow.get(PROFILE).await.is(303);
    let again = server.signed_in(&me.user).await;
    // A use noted with tomorrow's date does not stand until then.
    used_by(&again, "Back/1").await;
    again.withdraw_key(&key).await;
    server.with_key(&key).get(PROPERTIES).await.is(401);
    assert!(!server.has_ended_within(std::time::Duration::ZERO).await);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
