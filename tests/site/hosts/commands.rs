//! The command line of a host, beside a server and before there ever was one.

use crate::command::{finish, first_line};
use crate::host::Host;
use crate::page::key_titles;
use crate::people::User;
use crate::program::bare_latchkey;
use crate::property::{PROPERTIES, UNKNOWN_ID};
use crate::server::Server;

/// Everything that a host does with users and subscriptions, and what is said to it.
fn round_of_commands(host: &Host) {
    let (first, second) = (host.new_password(), host.new_password());
    let run = |args: &[&str]| host.run(args).ok();
    assert_eq!(run(&["user", "list"]), "No users yet. Invite one with: latchkey user invite EMAIL\n");
    let added = host.run_with(&["user", "add", "Desk@Farol.example", "--name", "Rita Álvares"], &first).ok();
    assert_eq!(added, "Added Desk@Farol.example.\n");
    // The password is the first line; what editors put behind it does not belong to it.
    let added = host.run_with(&["user", "add", "night@farol.example"], &format!("{second}\r\nmore\n")).ok();
    assert_eq!(added, "Added night@farol.example.\n");
    assert_eq!(run(&["user", "list"]), "Desk@Farol.example\tactive\tRita Álvares\nnight@farol.example\tactive\t\n");
    assert_eq!(run(&["user", "deactivate", "NIGHT@farol.example"]), "night@farol.example is deactivated.\n");
    assert!(run(&["user", "list"]).contains("night@farol.example\tdeactivated\t"));
    assert_eq!(run(&["user", "activate", "night@farol.example"]), "night@farol.example is active.\n");
    let set = host.run_with(&["user", "password", "desk@farol.example"], &host.new_password()).ok();
    assert_eq!(set, "Set the password of Desk@Farol.example and ended all sessions.\n");
    let link = run(&["user", "link", "desk@farol.example", "--base-url", "https://pms.example/"]);
    let token = first_line(&link).strip_prefix("https://pms.example/welcome/").expect("a link");
    host.secrets.register("one-use link", token);
    assert!(token.len() >= 43 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{link}");

    let email = "desk@farol.example";
    assert_eq!(run(&["subscription", "show", email]), "Active: no\n");
    assert_eq!(run(&["subscription", "activate", email]), "The subscription of Desk@Farol.example is active.\n");
    assert_eq!(run(&["subscription", "show", email]), "Active: yes\nState: active\nPeriod ends: never\n");
    assert_eq!(run(&["key", "list", email]), "No keys.\n");
}

#[actix_web::test]
async fn every_command_works_where_no_server_ever_ran() {
    let host = Host::new().await;
    let made = host.migrate();
    assert!(made.starts_with("Created the database ") && made.contains(" with schema "), "{made}");
    round_of_commands(&host);
}

#[actix_web::test]
async fn every_command_works_beside_a_server() {
    let host = Host::new().await;
    let server = host.serve(&[]);
    round_of_commands(&host);
    server.anonymous().get("/readyz").await.is(200);
}

#[actix_web::test]
async fn a_period_ends_when_it_was_told_to() {
    let host = Host::new().await;
    let email = &*host.add_subscriber("desk@farol.example").email;
    let run = |args: &[&str]| host.run(args).ok();
    let show = || run(&["subscription", "show", email]);
    for (until, said, shown) in [
        (
            "2999-12-31",
            "is active until the end of 2999-12-31 (UTC).",
            "Active: yes\nState: active\nPeriod ends: the end of 2999-12-31 (UTC)\n",
        ),
        (
            "2999-12-31T12:00:00+02:00",
            "is active until 2999-12-31 10:00 UTC.",
            "Active: yes\nState: active\nPeriod ends: 2999-12-31 10:00 UTC\n",
        ),
        (
            "2020-02-29",
            "ended at the end of 2020-02-29 (UTC).",
            "Active: no\nState: expired\nPeriod ends: the end of 2020-02-29 (UTC)\n",
        ),
    ] {
        let told = run(&["subscription", "activate", email, "--until", until]);
        assert_eq!(told, format!("The subscription of desk@farol.example {said}\n"));
        assert_eq!(show(), shown);
    }
    // Cancelled, it lasts to the end of what was paid for; at once with --now; without an end there is nothing to wait for.
    run(&["subscription", "activate", email, "--until", "2999-12-31"]);
    let told = run(&["subscription", "cancel", email]);
    assert!(told.contains("is cancelled and ends at the end of 2999-12-31 (UTC)"), "{told}");
    assert_eq!(show(), "Active: yes\nState: cancelled\nPeriod ends: the end of 2999-12-31 (UTC)\n");
    assert!(run(&["subscription", "cancel", email, "--now"]).contains("has ended"));
    assert!(show().starts_with("Active: no\nState: cancelled\n"), "{}", show());
    run(&["subscription", "activate", email]);
    assert!(run(&["subscription", "cancel", email]).contains("has ended"));
    assert!(show().starts_with("Active: no\n"), "{}", show());
    run(&["subscription", "activate", email]);
    assert!(show().starts_with("Active: yes\n"));
}

#[actix_web::test]
async fn cancelling_what_has_ended_does_not_move_its_end() {
    let host = Host::new().await;
    let email = &*host.add_subscriber("desk@farol.example").email;
    let run = |args: &[&str]| host.run(args).ok();
    let show = || run(&["subscription", "show", email]);
    run(&["subscription", "activate", email, "--until", "2020-02-29"]);
    for args in [&["subscription", "cancel", email][..], &["subscription", "cancel", email, "--now"]] {
        assert_eq!(run(args), "The subscription of desk@farol.example ended at the end of 2020-02-29 (UTC).\n");
        assert_eq!(show(), "Active: no\nState: cancelled\nPeriod ends: the end of 2020-02-29 (UTC)\n");
    }
    // An end that is still to come would be a new period for one that has expired.
    run(&["subscription", "activate", email, "--until", "2999-12-31"]);
    assert_eq!(host.sql("update subscriptions set state = 'expired'").await, 1);
    for args in [&["subscription", "cancel", email][..], &["subscription", "cancel", email, "--now"]] {
        assert_eq!(run(args), "The subscription of desk@farol.example has ended.\n");
        assert_eq!(show(), "Active: no\nState: expired\nPeriod ends: the end of 2999-12-31 (UTC)\n");
    }
    // In the days of grace after a payment that failed, cancelling ends it with the period that was paid for.
    run(&["subscription", "activate", email, "--until", "2020-02-29"]);
    assert_eq!(host.sql("update subscriptions set state = 'past_due'").await, 1);
    let cancel = ["subscription", "cancel", email, "--grace-days", "36500"];
    assert_eq!(run(&cancel), "The subscription of desk@farol.example ended at the end of 2020-02-29 (UTC).\n");
    assert!(show().starts_with("Active: no\nState: cancelled\n"), "{}", show());
}

#[actix_web::test]
async fn keys_are_listed_and_withdrawn_by_their_ids() {
    let server = Server::start().await;
    let user = server.add_subscriber("desk@farol.example");
    let browser = server.signed_in(&user).await;
    let (old, new) = (browser.create_key("Front desk").await, browser.create_key("Nächte 🏨").await);
    server.with_key(&old).get(PROPERTIES).await.is(200);
    let list = || server.run(&["key", "list", "desk@farol.example"]).ok();
    let lines: Vec<Vec<String>> = list().lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!((&*lines[0][1], &*lines[1][1]), (&*format!("***{}", &new[46..]), &*format!("***{}", &old[46..])));
    assert_eq!((&*lines[0][2], &*lines[0][4], &*lines[0][5]), ("active", "used never", "Nächte 🏨"));
    assert!(!list().contains(&old) && !list().contains(&new));

    let id = &*lines[1][0];
    assert_eq!(server.run(&["key", "withdraw", &id.to_uppercase()]).ok(), format!("Withdrew the key {id}.\n"));
    server.with_key(&old).get(PROPERTIES).await.is(401);
    server.with_key(&new).get(PROPERTIES).await.is(200);
    assert!(list().lines().nth(1).is_some_and(|line| line.contains("\twithdrawn 20")), "{}", list());
    assert_eq!(key_titles(&browser.get("/user_profile").await), ["Nächte 🏨", "Front desk"]);
    for id in [id, UNKNOWN_ID] {
        let said = server.run(&["key", "withdraw", id]).refused(1);
        assert!(said.contains(&format!("There is no active key {id}")), "{said}");
    }
}

#[actix_web::test]
async fn a_command_without_words_serves() {
    let host = Host::new().await;
    let command = host.latchkey(&["--listen", "127.0.0.1:0"]);
    let mut server = host.start(command).serving();
    server.anonymous().get("/healthz").await.is(200);
    assert!(server.terminate().success());
}

#[actix_web::test]
async fn a_database_that_a_newer_version_made_is_left_alone() {
    let host = Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (999, 'of the future', true, '', 0)";
    assert_eq!(host.sql(newer).await, 1);
    for args in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["demo", "--listen", "127.0.0.1:0"],
        &["user", "list"],
        &["user", "deactivate", &user.email],
        &["subscription", "show", &user.email],
        &["key", "list", &user.email],
    ] {
        let said = host.run(args).refused(1);
        assert!(said.contains("made by a newer version") && said.contains("999"), "{args:?}: {said}");
    }
    assert_eq!(host.sql("delete from _sqlx_migrations where version = 999").await, 1);
    assert!(host.run(&["user", "list"]).ok().contains("\tactive\t"));
}

#[actix_web::test]
async fn every_command_explains_itself() {
    for command in [
        &[][..],
        &["serve"],
        &["demo"],
        &["user"],
        &["user", "add"],
        &["user", "list"],
        &["user", "deactivate"],
        &["user", "activate"],
        &["user", "password"],
        &["user", "link"],
        &["user", "invite"],
        &["user", "delete"],
        &["migrate"],
        &["subscription"],
        &["subscription", "show"],
        &["subscription", "activate"],
        &["subscription", "cancel"],
        &["key"],
        &["key", "list"],
        &["key", "withdraw"],
        &["member"],
        &["member", "list"],
        &["member", "add"],
        &["member", "remove"],
        &["activity"],
        &["activity", "list"],
        &["scan"],
        &["scan-rules"],
    ] {
        let mut latchkey = bare_latchkey();
        latchkey.args(command).arg("--help").env("DATABASE_URL", "postgres://host:not-for-everybody@db/latchkey");
        let help = finish(latchkey, "").ok();
        let usage = format!("Usage: latchkey{}", command.iter().map(|word| format!(" {word}")).collect::<String>());
        assert!(help.contains(&usage), "no {usage} in {help}");
        assert!(!help.contains("not-for-everybody"), "{help}");
        for setting in ["LATCHKEY_LISTEN", "LATCHKEY_DATA_DIR", "DATABASE_URL", "LATCHKEY_BASE_URL"] {
            assert!(help.contains(setting), "no {setting} in {help}");
        }
        // Every option says what it is for.
        for (number, line) in help.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("--")) {
            let beside = line.trim().split_once("  ").is_some_and(|(_, text)| !text.trim().is_empty());
            let below = help.lines().nth(number + 1).is_some_and(|next| next.trim().len() > 10);
            assert!(beside || below, "{line} is not explained in {help}");
        }
    }
    let mut version = bare_latchkey();
    version.arg("--version");
    let version = finish(version, "").ok();
    assert_eq!(version, format!("latchkey {}\n", env!("CARGO_PKG_VERSION")));
}

#[actix_web::test]
async fn a_user_of_the_command_line_can_sign_in_with_what_it_was_told() {
    let server = Server::start().await;
    let user = User { email: "desk@farol.example".to_owned(), password: server.new_password() };
    server.run_with(&["user", "add", &user.email, "--name", "Rita"], &format!("{}\n", user.password)).ok();
    let browser = server.signed_in(&user).await;
    let page = browser.get("/user_profile").await.is(200);
    assert_eq!(crate::page::typed(&page, "name").as_deref(), Some("Rita"));
    browser.get("/api/v1/groups").await.is(200);
}

#[actix_web::test]
async fn a_byte_order_mark_before_a_password_is_no_part_of_it() {
    let server = Server::start().await;
    let user = User { email: "desk@farol.example".to_owned(), password: server.new_password() };
    server.run_with(&["user", "add", &user.email], &format!("\u{feff}{}\n", user.password)).ok();
    server.signed_in(&user).await;
}
