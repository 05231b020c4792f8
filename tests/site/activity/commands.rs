//! What is recorded of the host's commands, and `latchkey activity`.

use crate::host::Host;
use crate::people::{DESK, world};

const ANA: &str = "ana@farol.example";

/// Kind and sentence of each entry of an account, the oldest first.
fn of(host: &Host, email: &str) -> Vec<String> {
    let found = host.activity(&[email]);
    assert!(found.iter().all(|entry| entry["actor"] == "command" && entry["address"].is_empty()), "{found:?}");
    found.iter().rev().map(|entry| format!("{}: {}", entry["kind"], entry["what"])).collect()
}

#[actix_web::test]
async fn each_command_that_changes_an_account_is_recorded_once() {
    let host = Host::new().await;
    host.migrate();
    assert_eq!(host.run(&["activity", "list"]).ok(), "No activity.\n");
    host.run(&["user", "invite", ANA, "--base-url", "https://pms.example"]).ok();
    host.run(&["user", "invite", ANA, "--base-url", "https://pms.example"]).refused(1);
    host.welcome_link(ANA);
    for _ in 0..2 {
        host.run(&["user", "deactivate", ANA]).ok();
    }
    host.run(&["user", "link", ANA, "--base-url", "https://pms.example"]).refused(1);
    for _ in 0..2 {
        host.run(&["user", "activate", ANA]).ok();
    }
    for _ in 0..2 {
        host.run(&["subscription", "activate", ANA, "--until", "2099-12-31"]).ok();
    }
    host.subscribe(ANA);
    for _ in 0..2 {
        host.run(&["subscription", "cancel", ANA]).ok();
    }
    let link = "link_created: Created a one-time link for setting the password";
    let found = of(&host, ANA);
    assert_eq!(
        found[..8],
        [
            format!("user_added: Created an account for {ANA}"),
            link.to_owned(),
            link.to_owned(),
            "user_deactivated: Deactivated the account".to_owned(),
            "user_activated: Reactivated the account".to_owned(),
            "subscription_changed: Changed the subscription: active, ends 1 Jan 2100, 00:00 UTC".to_owned(),
            "subscription_changed: Changed the subscription: active, without an end".to_owned(),
            found[7].clone(),
        ]
    );
    assert!(found[7].starts_with("subscription_changed: Changed the subscription: cancelled, ends"), "{found:?}");
    assert_eq!(found.len(), 8, "{found:?}");

    host.add_user("ben@farol.example");
    assert_eq!(of(&host, "ben@farol.example"), ["user_added: Created an account for ben@farol.example"]);
}

#[actix_web::test]
async fn a_deleted_account_leaves_its_entries_to_the_host() {
    let (server, _me) = world().await;
    let before = server.activity(&[]).len();
    server.run(&["user", "delete", DESK, "--with-properties"]).ok();
    let found = server.activity(&[]);
    assert_eq!(found.len(), before + 1, "{found:#?}");
    assert_eq!((&*found[0]["kind"], &*found[0]["account"], &*found[0]["subject"]), ("user_deleted", "", DESK));
    assert!(found.iter().any(|entry| entry["kind"] == "key_created" && entry["by"] == "a deleted account"));
    server.run(&["activity", "list", DESK]).refused(1);
}

#[actix_web::test]
async fn the_list_has_a_line_for_each_entry_the_newest_first() {
    let (server, me) = world().await;
    me.browser.create_key("Night\u{202f}audit").await;
    let printed = server.run(&["activity", "list", DESK, "--kind", "key_created"]).ok();
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2, "{printed}");
    assert!(chrono::NaiveDateTime::parse_from_str(lines[0][0], "%Y-%m-%d %H:%M UTC").is_ok(), "{printed}");
    assert_eq!(lines[0][1..], ["key_created", DESK, "person", "Night\u{202f}audit", "127.0.0.1"]);
    assert_eq!(lines[1][4], "Front desk");
}

#[actix_web::test]
async fn the_list_is_narrowed_by_account_kind_and_day() {
    let (server, _me) = world().await;
    server.add_user(ANA);
    assert_eq!(server.activity(&[ANA]).len(), 1);
    assert!(server.activity(&["--kind", "user_added"]).len() > 1);
    assert_eq!(server.activity(&[ANA, "--kind", "key_created"]), []);
    let today = chrono::DateTime::<chrono::Utc>::from(std::time::UNIX_EPOCH + since_epoch()).date_naive();
    let (yesterday, next) = (today.pred_opt().expect("a day"), today.succ_opt().expect("a day"));
    assert_eq!(server.activity(&[ANA, "--since", &yesterday.to_string()]).len(), 1);
    assert_eq!(
        server.run(&["activity", "list", ANA, "--since", &next.succ_opt().expect("a day").to_string()]).ok(),
        "No activity.\n"
    );
    let refused = server.run(&["activity", "list", "--kind", "key_stolen"]).refused(2);
    assert!(refused.contains("key_created") && refused.contains("subscription_changed"), "{refused}");
    let refused = server.run(&["activity", "list", "--since", "yesterday"]).refused(2);
    assert!(refused.contains("not a date such as 2026-12-31"), "{refused}");
    let refused = server.run(&["activity", "list", "nobody@farol.example"]).refused(1);
    assert!(refused.contains("There is no user nobody@farol.example."), "{refused}");
}

fn since_epoch() -> std::time::Duration {
    std::time::UNIX_EPOCH.elapsed().expect("a time after 1970")
}
