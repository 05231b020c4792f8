//! Guesses at passwords: how they are counted, whom they keep out, and whom they do not.

use actix_web::rt::spawn;

use crate::browser::Browser;
use crate::host::Host;
use crate::page::{problem, seen, typed};
use crate::people::{User, world};
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";
const PASSWORD: &str = "/user_profile/password";
const WRONG: &str = "not the password 7";

/// A server that believes the addresses that are sent to it, and a user.
async fn behind_proxy() -> (Server, User) {
    let server = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let user = server.add_user("desk@farol.example");
    (server, user)
}

/// A sign-in of a browser at this address.
async fn from(browser: &Browser, address: &str, email: &str, password: &str) -> Response {
    let form = [("email", email), ("password", password)];
    browser.post_form("/sign_in", &form).header("x-forwarded-for", address).await
}

/// Guesses of strangers, each from an address of its own.
async fn guesses(server: &Server, email: &str, number: u8) -> Vec<u16> {
    let mut statuses = Vec::new();
    for guess in 0..number {
        statuses.push(from(&server.browser(), &format!("198.51.100.{guess}"), email, WRONG).await.status);
    }
    statuses
}

fn retry_after(refused: &Response) -> i64 {
    refused.header("retry-after").expect("when to try again").parse().expect("seconds")
}

async fn failures(host: &Host, subject: &str) -> Vec<String> {
    let counters =
        format!("select cast(failures as text) from attempts where subject like '{subject}%' order by subject");
    host.texts(&counters).await
}

#[actix_web::test]
async fn fifty_guesses_at_once_are_no_more_than_fifty_one_after_the_other() {
    let (server, user) = behind_proxy().await;
    let server = std::rc::Rc::new(server);
    let guesses: Vec<_> = (0..50)
        .map(|number| {
            let (server, email) = (server.clone(), user.email.clone());
            spawn(async move { from(&server.browser(), &format!("198.51.100.{number}"), &email, WRONG).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for guess in guesses {
        statuses.push(guess.await.expect("an answer"));
    }
    let checked = statuses.iter().filter(|status| **status == 422).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((checked, refused), (5, 45), "{statuses:?}");
    assert_eq!(failures(&server, "account:").await, ["5"]);
}

#[actix_web::test]
async fn the_fifth_failure_closes_and_each_further_one_for_longer() {
    let (server, user) = behind_proxy().await;
    for (failures, seconds) in [(5, 15), (6, 30), (7, 60), (8, 120), (9, 240), (10, 900), (11, 900)] {
        let before = if failures == 5 { 5 } else { 1 };
        assert_eq!(guesses(&server, &user.email, before).await, vec![422; before.into()], "{failures}");
        let refused = from(&server.browser(), "192.0.2.1", &user.email, &user.password).await.is(429);
        let left = retry_after(&refused);
        assert!((seconds - 5..=seconds).contains(&left), "{failures}: {left}");
        let told = problem(&refused, "email").expect("a reason");
        assert!(told.starts_with("Too many attempts. Try again in "), "{told}");
        assert_eq!(typed(&refused, "email").as_deref(), Some(&*user.email), "what was entered is still there");
        assert!(!refused.text().contains(&user.password), "but no password");
        assert_eq!(refused.header("set-cookie"), None);
        // The time is over.
        server.set_moment("attempts", "closed_until", -1).await;
    }
    from(&server.browser(), "192.0.2.1", &user.email, &user.password).await.is(303);
    assert_eq!(failures(&server, "account:").await, Vec::<String>::new(), "a sign-in clears them");
    assert_eq!(failures(&server, "address:192.0.2.1").await, ["0"], "and counts for nothing");
}

#[actix_web::test]
async fn a_flood_of_strangers_leaves_the_owner_s_browser_sessions_and_keys_alone() {
    let server = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let me = server.person("desk@farol.example").await;
    let known = server.signed_in(&me.user).await;
    known.post_form("/sign_out", &[]).await.is(303);
    guesses(&server, &me.user.email, 20).await;
    from(&server.browser(), "192.0.2.1", &me.user.email, &me.user.password).await.is(429);
    // From an address that guessed, too.
    me.browser.get(PROFILE).await.is(200);
    me.api.get(PROPERTIES).await.is(200);
    from(&known, "198.51.100.1", &me.user.email, WRONG).await.is(422);
    from(&known, "198.51.100.1", &me.user.email, &me.user.password).await.is(303);
    from(&server.browser(), "192.0.2.1", &me.user.email, &me.user.password).await.is(429);
    // A browser that is known to another user is a stranger here.
    let other = server.add_user("other@farol.example");
    let of_other = server.browser();
    from(&of_other, "192.0.2.2", &other.email, &other.password).await.is(303);
    from(&of_other, "192.0.2.2", &me.user.email, &me.user.password).await.is(429);
    // The known browser has a counter of its own.
    for _ in 0..5 {
        from(&known, "192.0.2.3", &me.user.email, WRONG).await.is(422);
    }
    from(&known, "192.0.2.3", &me.user.email, &me.user.password).await.is(429);
    from(&server.browser(), "192.0.2.3", &other.email, &other.password).await.is(303);
}

#[actix_web::test]
async fn an_address_without_an_account_is_closed_in_the_same_way_and_the_same_words() {
    let (server, user) = behind_proxy().await;
    let unknown = "none@farol.example";
    for (number, password) in [WRONG; 5].iter().chain([&&*user.password; 3]).enumerate() {
        let mut faces = Vec::new();
        for (email, network) in [(&*user.email, "198.51.100"), (unknown, "203.0.113")] {
            let answer = from(&server.browser(), &format!("{network}.{number}"), email, password).await;
            let (status, headers, text) = answer.face();
            faces.push((status, headers, text.replace(email, "EMAIL")));
        }
        assert_eq!(faces[0], faces[1], "attempt {number}");
    }
    assert_eq!(failures(&server, "account:").await, ["5", "5"]);
    // A hundred failures close both until a reset.
    server.sql("update attempts set failures = 100, closed_until = null").await;
    for email in [&*user.email, unknown] {
        let refused = from(&server.browser(), "192.0.2.1", email, &user.password).await.is(429);
        let told = problem(&refused, "email").expect("a reason");
        assert!(told.contains("ask for a new password"), "{told}");
    }
}

#[actix_web::test]
async fn one_address_is_closed_after_ten_failures_at_any_accounts_and_others_are_not() {
    let (server, user) = behind_proxy().await;
    let known = server.browser();
    from(&known, "198.51.100.7", &user.email, &user.password).await.is(303);
    for number in 0..10 {
        from(&server.browser(), "198.51.100.7", &format!("nobody{number}@farol.example"), WRONG).await.is(422);
    }
    let refused = from(&server.browser(), "198.51.100.7", &user.email, &user.password).await.is(429);
    assert!((25..=30).contains(&retry_after(&refused)), "{refused}");
    from(&server.browser(), "198.51.100.8", &user.email, &user.password).await.is(303);
    from(&known, "198.51.100.7", &user.email, &user.password).await.is(303);
    // IPv6 counts by network.
    for number in 0..10 {
        let address = format!("2001:db8:1:2::{number:x}");
        from(&server.browser(), &address, &format!("somebody{number}@farol.example"), WRONG).await.is(422);
    }
    from(&server.browser(), "2001:db8:1:2:ffff::1", &user.email, &user.password).await.is(429);
    from(&server.browser(), "2001:db8:1:3::1", &user.email, &user.password).await.is(303);
}

#[actix_web::test]
async fn behind_an_unlisted_proxy_nobody_is_locked_out_by_his_neighbours() {
    let server = Server::start().await;
    let user = server.add_user("desk@farol.example");
    for number in 0..30 {
        let email = format!("nobody{number}@farol.example");
        from(&server.browser(), "203.0.113.7", &email, WRONG).await.is(422);
    }
    from(&server.browser(), "203.0.113.8", &user.email, &user.password).await.is(303);
    assert_eq!(failures(&server, "proxy:").await, ["30"]);
    assert_eq!(failures(&server, "address:").await, Vec::<String>::new());
    // A thousand failures a day slow it to one attempt a second.
    server.sql("update attempts set failures = 1000 where subject like 'proxy:%'").await;
    from(&server.browser(), "203.0.113.8", "one@farol.example", WRONG).await.is(422);
    let seconds = match server.database_url() {
        Some(_) => "select cast(cast(extract(epoch from closed_until - last_at) as int) as text) from attempts",
        None => "select cast(strftime('%s', closed_until) - strftime('%s', last_at) as text) from attempts",
    };
    assert_eq!(server.texts(&format!("{seconds} where subject like 'proxy:%'")).await, ["1"]);
    server.set_moment_where("attempts", "closed_until", 20, "subject like 'proxy:%'").await;
    let refused = from(&server.browser(), "203.0.113.8", &user.email, &user.password).await.is(429);
    assert!((15..=20).contains(&retry_after(&refused)), "{refused}");
    // Without such a header the address counts for itself.
    for number in 0..10 {
        server.browser().sign_in(&format!("somebody{number}@farol.example"), WRONG).await.is(422);
    }
    server.browser().sign_in(&user.email, &user.password).await.is(429);
}

#[actix_web::test]
async fn what_a_hundred_failures_closed_is_opened_by_a_reset_or_by_the_host() {
    let (server, user) = behind_proxy().await;
    guesses(&server, &user.email, 1).await;
    let close = || server.sql("update attempts set failures = 100, closed_until = null where subject like 'account:%'");
    let sign_in = async |password: &str| from(&server.browser(), "192.0.2.1", &user.email, password).await.status;
    close().await;
    // A day later it is still closed.
    server.set_moment("attempts", "last_at", -100_000).await;
    assert_eq!(sign_in(&user.password).await, 429);
    let said = server.run(&["user", "unlock", &user.email]).ok();
    assert!(said.contains("can sign in again"), "{said}");
    assert_eq!(sign_in(&user.password).await, 303);

    guesses(&server, &user.email, 1).await;
    close().await;
    let link = server.run(&["user", "link", &user.email]).ok();
    let path = link.lines().next().and_then(|url| url.split_once("/welcome/")).expect("a link").1.to_owned();
    server.secrets.register("link", &path);
    let new = "a-lantern-in-the-fog-1";
    server.secrets.register("password", new);
    let browser = server.browser();
    browser.post_form(&format!("/welcome/{path}"), &[("password", new)]).await.is(303);
    assert_eq!(sign_in(new).await, 303);
    // The browser that set it is known, whatever strangers do meanwhile.
    close().await;
    guesses(&server, &user.email, 6).await;
    assert_eq!(sign_in(new).await, 429);
    from(&browser, "198.51.100.1", &user.email, new).await.is(303);
}

#[actix_web::test]
async fn guesses_at_the_forms_of_who_is_signed_in_count_too() {
    let (server, me) = world().await;
    let change = async |old: &str| {
        let fields = [("old_password", old), ("new_password", "a-lantern-in-the-fog-1")];
        me.browser.post_form(PASSWORD, &fields).await
    };
    for _ in 0..3 {
        change(WRONG).await.is(422);
    }
    for _ in 0..2 {
        me.browser.post_form("/confirm", &[("password", WRONG)]).await.is(422);
    }
    let refused = change(&me.user.password).await.is(429);
    assert!(problem(&refused, "old_password").is_some_and(|told| told.contains("Too many attempts")), "{refused}");
    assert!((10..=15).contains(&retry_after(&refused)), "{refused}");
    let refused = me.browser.post_form("/confirm", &[("password", &*me.user.password)]).await.is(429);
    assert!(problem(&refused, "password").is_some_and(|told| told.contains("Too many attempts")), "{refused}");
    // It is the counter of this session alone: whoever has stolen it keeps nobody from signing in.
    server.signed_in(&me.user).await;
    // What is empty is no guess.
    server.set_moment("attempts", "closed_until", -1).await;
    for _ in 0..7 {
        change("").await.is(422);
    }
    change(WRONG).await.is(422);
    me.browser.sign_in(&me.user.email, &me.user.password).await.is(303);
    change(&me.user.password).await.is(303);
}

#[actix_web::test]
async fn an_address_counts_the_failures_of_a_day_and_successes_do_not_prolong_it() {
    let (server, user) = behind_proxy().await;
    let sign_in = async |password: &str| from(&server.browser(), "198.51.100.7", &user.email, password).await.status;
    assert_eq!(sign_in(WRONG).await, 422);
    let of_address = "subject like 'address:%'";
    server.sql(&format!("update attempts set failures = 49 where {of_address}")).await;
    server.set_moment_where("attempts", "began_at", -86_300, of_address).await;
    assert_eq!(sign_in(&user.password).await, 303);
    server.set_moment_where("attempts", "began_at", -86_401, of_address).await;
    assert_eq!(sign_in(WRONG).await, 422);
    assert_eq!(failures(&server, "address:").await, ["1"]);
    assert_eq!(sign_in(&user.password).await, 303);
}

#[actix_web::test]
async fn a_browser_that_two_people_use_has_another_cookie_when_the_second_signs_in() {
    let (server, user) = behind_proxy().await;
    let other = server.add_user("other@farol.example");
    let desk = server.browser();
    from(&desk, "192.0.2.1", &user.email, &user.password).await.is(303);
    let copied = desk.cookies().expect("a cookie");
    from(&desk, "192.0.2.1", &other.email, &other.password).await.is(303);
    for user in [&user, &other] {
        guesses(&server, &user.email, 6).await;
        let form = [("email", &*user.email), ("password", &*user.password)];
        let stolen = server.browser().post_form("/sign_in", &form).header("x-forwarded-for", "192.0.2.2");
        stolen.header("cookie", &copied).await.is(429);
        from(&desk, "192.0.2.1", &user.email, &user.password).await.is(303);
        server.sql("delete from attempts").await;
    }
}

#[actix_web::test]
async fn counters_are_forgotten_a_day_after_the_last_failure() {
    let (server, user) = behind_proxy().await;
    assert_eq!(guesses(&server, &user.email, 4).await, [422; 4]);
    server.set_moment("attempts", "last_at", -86_401).await;
    assert_eq!(guesses(&server, &user.email, 5).await, [422; 5]);
    from(&server.browser(), "192.0.2.1", &user.email, &user.password).await.is(429);
}

#[actix_web::test]
async fn a_closing_of_a_clock_that_was_ahead_lasts_no_longer_than_a_day() {
    let (server, user) = behind_proxy().await;
    guesses(&server, &user.email, 1).await;
    server.set_moment("attempts", "last_at", 400 * 86_400).await;
    server.set_moment("attempts", "closed_until", 400 * 86_400).await;
    let refused = from(&server.browser(), "192.0.2.1", &user.email, &user.password).await.is(429);
    let left = retry_after(&refused);
    assert!((86_000..=86_400).contains(&left), "{left}");
    let ends = match server.database_url() {
        Some(_) => "select cast(cast(extract(epoch from closed_until - now()) as int) as text) from attempts",
        None => "select cast(strftime('%s', closed_until) - strftime('%s', 'now') as text) from attempts",
    };
    for left in server.texts(&format!("{ends} where subject like 'account:%'")).await {
        let left: i64 = left.parse().expect("seconds");
        assert!((86_000..=86_400).contains(&left), "{left}");
    }
}

#[actix_web::test]
async fn processes_on_one_database_count_together() {
    let host = Host::new().await;
    let user = host.add_user("desk@farol.example");
    let first = host.serve(&["--trusted-proxies", "127.0.0.1"]);
    if host.database_url().is_some() {
        let second = host.serve(&["--trusted-proxies", "127.0.0.1"]);
        assert_eq!(guesses(&first, &user.email, 3).await, [422; 3]);
        assert_eq!(guesses(&second, &user.email, 2).await, [422; 2]);
        from(&first.browser(), "192.0.2.1", &user.email, &user.password).await.is(429);
        from(&second.browser(), "192.0.2.1", &user.email, &user.password).await.is(429);
    } else {
        // One process serves a SQLite file; its counters outlast it.
        assert_eq!(guesses(&first, &user.email, 5).await, [422; 5]);
        drop(first);
        let second = host.serve(&["--trusted-proxies", "127.0.0.1"]);
        from(&second.browser(), "192.0.2.1", &user.email, &user.password).await.is(429);
    }
}

#[actix_web::test]
async fn failures_are_recorded_once_for_each_address_and_guessing_once() {
    let (server, user) = behind_proxy().await;
    for _ in 0..3 {
        from(&server.browser(), "198.51.100.1", &user.email, WRONG).await.is(422);
    }
    from(&server.browser(), "198.51.100.2", &user.email, WRONG).await.is(422);
    from(&server.browser(), "198.51.100.3", "nobody@farol.example", WRONG).await.is(422);
    let recorded = "select kind || ' ' || address || ' ' || cast(count as text) from activity
        where kind in ('sign_in_failed', 'guessing') order by address";
    assert_eq!(server.texts(recorded).await, ["sign_in_failed 198.51.100.1 3", "sign_in_failed 198.51.100.2 1"]);
    server.sql("update attempts set failures = 9, closed_until = null where subject like 'account:%'").await;
    from(&server.browser(), "198.51.100.4", &user.email, WRONG).await.is(422);
    server.set_moment("attempts", "closed_until", -1).await;
    from(&server.browser(), "198.51.100.4", &user.email, WRONG).await.is(422);
    // However many addresses somebody has: an account gets so many entries an hour.
    for number in 0..60 {
        server.sql("delete from attempts").await;
        from(&server.browser(), &format!("203.0.113.{number}"), &user.email, WRONG).await.is(422);
    }
    let entries = "select cast(count(*) as text) || ' ' || cast(sum(count) as text) from activity
        where kind = 'sign_in_failed'";
    assert_eq!(server.texts(entries).await, ["50 66"]);
    let guessing = "select address from activity where kind = 'guessing'";
    assert_eq!(server.texts(guessing).await, ["198.51.100.4"]);
    assert!(!seen(&server.log()).contains(&user.email), "no address is logged");
}
