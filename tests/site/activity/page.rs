//! The page "Activity" and its CSV.

use serde_json::json;

use crate::access::PROPERTY_USERS;
use crate::browser::NEW_KEY;
use crate::html;
use crate::page::{problem, seen, typed};
use crate::people::{DESK, Person, world};
use crate::record::{Written, entries};
use crate::response::Response;
use crate::site::Site;

const PAGE: &str = "/user_profile/activity";
const CSV: &str = "/user_profile/activity.csv";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 \
    Safari/537.36";

/// The rows of the table, as they are read.
fn rows(page: &Response) -> Vec<String> {
    html::rows(page.text()).filter(|row| row.contains("rowheader")).map(|row| seen(&format!("<tr{row}"))).collect()
}

/// A sign-in at a time.
fn sign_in(at: &str) -> Written<'_> {
    Written { kind: "sign_in", at, client: CHROME, count: 1 }
}

async fn lives_in(me: &Person, zone: &str) {
    me.browser.post_form("/user_profile", &[("name", "Rita"), ("time_zone", zone)]).await.is(303);
}

#[actix_web::test]
async fn the_page_tells_what_happened_when_by_whom_and_from_where() {
    let (server, me) = world().await;
    let profile = me.browser.get("/user_profile").await.is(200);
    assert!(profile.text().contains(&format!("href=\"{PAGE}\"")), "{profile}");
    let id = me.browser.key_id(&me.key).await;
    server.run(&["key", "withdraw", &id]).ok();
    server
        .write_activity(
            DESK,
            &[
                sign_in("2026-01-31T15:30:00Z"),
                Written { kind: "sign_in_failed", at: "2026-01-30T08:00:00Z", client: "curl/8.5.0", count: 3 },
                Written { kind: "sign_in_failed", at: "2026-01-30T07:00:00Z", client: "curl/8.5.0", count: 1 },
            ],
        )
        .await;
    lives_in(&me, "Asia/Tokyo").await;
    let page = me.browser.get(PAGE).await.is(200);
    let rows = rows(&page);
    let row = |parts: &[&str]| {
        let found = rows.iter().filter(|row| parts.iter().all(|part| row.contains(part))).count();
        assert_eq!(found, 1, "{parts:?} in {rows:#?}");
    };
    row(&["Created the API key “ Front desk ”", "you", "127.0.0.1"]);
    row(&["Withdrew the API key “ Front desk ”", "Latchkey", "–"]);
    row(&["Signed in", "1 Feb 2026, 00:30", "you", "203.0.113.7", "Chrome on Windows"]);
    row(&["3 failed sign-in attempts", "30 Jan 2026, 17:00", "unknown person", "curl 8.5"]);
    row(&["Failed sign-in attempt ", "unknown person"]);
    assert!(page.text().contains(&format!("title=\"{CHROME}\"")), "{page}");
    assert!(
        page.text().contains("<time datetime=\"2026-01-31T15:30:00Z\" title=\"1 Feb 2026, 00:30:00 Asia/Tokyo\">"),
        "{page}"
    );
    assert!(seen(page.text()).contains("Entries are kept for 400 days."), "{page}");
    let away = server.browser().get(&format!("{PAGE}?kind=sign_in")).await.is(303);
    assert_eq!(away.header("location"), Some("/sign_in?return_to=%2Fuser_profile%2Factivity%3Fkind%3Dsign_in"));
    server.browser().get(CSV).await.is(303);
}

#[actix_web::test]
async fn nobody_sees_the_entries_of_others_nor_where_they_were() {
    let Site { server, alice, others: [bob, eve], farol, .. } =
        &Site::<2>::shared_with(["bob@farol.example", "eve@farol.example"]).await;
    alice.gives(&PROPERTY_USERS, farol, bob, "user").await;
    let page = alice.browser.get(PAGE).await.is(200);
    let own = "Gave bob@farol.example access to the property “ Casa do Farol ” (user)";
    assert!(rows(&page).iter().any(|row| row.contains(own) && row.contains("the API key “ Front desk ” 127.0.0.1")));
    let page = bob.browser.get(&format!("{PAGE}?kind=member_added")).await.is(200);
    let found = rows(&page);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("Gave you access to the property “ Casa do Farol ” (user)"), "{found:?}");
    assert!(found[0].contains(&format!("{DESK} with an API key")), "{found:?}");
    assert!(!page.text().contains("127.0.0.1") && !page.text().contains("Front desk"), "{page}");
    let csv = bob.browser.get(&format!("{CSV}?kind=member_added")).await.is(200);
    assert!(!csv.text().contains("127.0.0.1") && !csv.text().contains("Front desk"), "{csv}");
    for path in [PAGE, CSV] {
        let answer = eve.browser.get(path).await.is(200);
        assert!(!answer.text().contains("Casa do Farol") && !answer.text().contains(DESK), "{answer}");
    }
    // Only the signed-in user counts, whatever is asked for.
    let page = eve.browser.get(&format!("{PAGE}?user={DESK}&email={DESK}&user_id={DESK}")).await.is(200);
    assert!(!page.text().contains("Casa do Farol"), "{page}");
    drop(server.run(&["activity", "list"]).ok());
}

#[actix_web::test]
async fn entries_are_filtered_by_kind_and_by_days_of_the_users_time_zone() {
    let (server, me) = world().await;
    server
        .write_activity(
            DESK,
            &[
                // In Tokyo the last second of January, the first and the last of 1 February, and the first of 2 February.
                sign_in("2026-01-31T14:59:59Z"),
                sign_in("2026-01-31T15:00:00Z"),
                sign_in("2026-02-01T14:59:59Z"),
                sign_in("2026-02-01T15:00:00Z"),
                Written { kind: "sign_out", at: "2026-02-01T03:00:00Z", client: CHROME, count: 1 },
            ],
        )
        .await;
    lives_in(&me, "Asia/Tokyo").await;
    for (query, days) in [
        ("kind=sign_in&to=2026-03-31&from=2026-01-01", vec!["2 Feb", "1 Feb", "1 Feb", "31 Jan"]),
        ("kind=sign_in&from=2026-02-01&to=2026-02-01", vec!["1 Feb", "1 Feb"]),
        ("from=2026-02-01&to=+2026-02-01+", vec!["1 Feb", "1 Feb", "1 Feb"]),
        ("kind=sign_in&from=&to=2026-01-31", vec!["31 Jan"]),
        ("kind=sign_in&from=2026-02-02&to=2026-02-28", vec!["2 Feb"]),
        ("kind=sign_out", vec!["1 Feb"]),
        ("kind=password_changed", vec![]),
    ] {
        let page = me.browser.get(&format!("{PAGE}?{query}")).await.is(200);
        let found = rows(&page);
        assert_eq!(found.len(), days.len(), "{query}: {found:?}");
        assert!(found.iter().zip(&days).all(|(row, day)| row.contains(day)), "{query}: {found:?}");
        let csv = me.browser.get(&format!("{CSV}?{query}")).await.is(200);
        assert_eq!(entries(csv.text()).len(), days.len(), "{query}: {csv}");
        if days.is_empty() {
            assert!(seen(page.text()).contains("Nothing matches this filter."), "{page}");
        }
    }
    let page = me.browser.get(&format!("{PAGE}?kind=sign_out&from=2026-02-01")).await.is(200);
    assert!(page.text().contains("<option value=\"sign_out\" selected>Sign-outs</option>"), "{page}");
    assert_eq!(typed(&page, "from").as_deref(), Some("2026-02-01"));
    assert!(page.text().contains(&format!("href=\"{CSV}?kind=sign_out&#38;from=2026-02-01\"")), "{page}");
}

#[actix_web::test]
async fn a_bad_filter_is_shown_again_with_the_reason_beside_the_field() {
    let (_server, me) = world().await;
    let no_date = Some("Enter a date such as 2026-12-31.");
    for (query, field, entered, reason) in [
        ("from=soon", "from", "soon", no_date),
        ("to=2026-02-30", "to", "2026-02-30", no_date),
        ("from=%3Cb%3E&to=2026-01-01", "from", "<b>", no_date),
        ("from=%2B12026-01-01", "from", "+12026-01-01", no_date),
        ("to=0000-01-01", "to", "0000-01-01", no_date),
        ("from=2026-02-02&to=2026-02-01", "to", "2026-02-01", Some("This day is before the first one.")),
    ] {
        for path in [PAGE, CSV] {
            let page = me.browser.get(&format!("{path}?{query}")).await.is(422);
            assert_eq!(problem(&page, field).as_deref(), reason, "{page}");
            assert_eq!(typed(&page, field).as_deref(), Some(entered), "{page}");
            assert_eq!(rows(&page), [""; 0]);
            assert_eq!(page.header("content-disposition"), None);
        }
    }
    let page = me.browser.get(&format!("{PAGE}?kind=key_stolen")).await.is(422);
    assert_eq!(problem(&page, "kind").as_deref(), Some("Choose a kind from the list."));
    // The last days that there are.
    me.browser.get(&format!("{PAGE}?from=0001-01-01&to=9999-12-31")).await.is(200);
}

#[actix_web::test]
async fn long_lists_have_pages_which_keep_the_filter() {
    let (server, me) = world().await;
    let at: Vec<String> = (0..60).map(|minute| format!("2026-01-31T15:{minute:02}:00Z")).collect();
    let written: Vec<_> = at.iter().map(|at| sign_in(at)).collect();
    server.write_activity(DESK, &written).await;
    let page = me.browser.get(&format!("{PAGE}?kind=sign_in&to=2026-01-31&page=2")).await.is(200);
    assert!(seen(page.text()).contains("Page 2 of 3"), "{page}");
    for (number, link) in [("", "prev"), ("&#38;page=3", "next")] {
        let link = format!("href=\"{PAGE}?kind=sign_in&#38;to=2026-01-31{number}\" rel=\"{link}\"");
        assert!(page.text().contains(&link), "no {link} in {page}");
    }
    let found = rows(&page);
    assert_eq!(found.len(), 25);
    assert!(found[0].contains("15:34") && found[24].contains("15:10"), "{found:?}");
    for (wanted, shown) in [("0", 1), ("-1", 1), ("x", 1), ("99", 3), ("9223372036854775807", 3)] {
        let page = me.browser.get(&format!("{PAGE}?kind=sign_in&to=2026-01-31&page={wanted}")).await.is(200);
        assert!(seen(page.text()).contains(&format!("Page {shown} of 3")), "{page}");
    }
}

#[actix_web::test]
async fn the_csv_has_what_the_page_has_and_no_formulas() {
    let (_server, me) = world().await;
    for title in ["=1+1", "+1", "-1", "@SUM(A1)", "a, \"b\"", "=HYPERLINK(\"x\")"] {
        let form = me.browser.get(NEW_KEY).await.is(200);
        let token = html::input_value(form.text(), "form_token").expect("a token");
        let fields = [("title", title), ("form_token", &*token)];
        let sent = me.browser.post_form(NEW_KEY, &fields).header("user-agent", title);
        me.browser.register(sent.await).is(200);
    }
    let answer = me.browser.get(&format!("{CSV}?kind=key_created")).await.is(200);
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"activity.csv\""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.text().starts_with("time,kind,what,by,address,client,count\r\n"), "{answer}");
    let found = entries(answer.text());
    let clients: Vec<&str> = found.iter().rev().map(|entry| &*entry["client"]).collect();
    assert_eq!(clients[1..], ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "a, \"b\"", "'=HYPERLINK(\"x\")"]);
    assert_eq!(found[1]["what"], "Created the API key “a, \"b\"”");
    let page = me.browser.get(&format!("{PAGE}?kind=key_created")).await.is(200);
    let rows = rows(&page);
    assert_eq!(rows.len(), found.len());
    for (row, entry) in rows.iter().zip(&found) {
        let what = entry["what"].replace('“', "“ ").replace('”', " ”");
        for part in [&*what, &entry["by"], &entry["address"]] {
            assert!(row.contains(part), "no {part} in {row}");
        }
    }
}

#[actix_web::test]
async fn a_long_csv_is_whole_and_in_order() {
    let (server, me) = world().await;
    let at: Vec<String> =
        (0..2_500).map(|number| format!("2026-01-31T{:02}:{:02}:00Z", number / 60 % 24, number % 60)).collect();
    let client = "x".repeat(250);
    for at in at.chunks(250) {
        let written: Vec<_> = at.iter().map(|at| Written { kind: "sign_out", at, client: &client, count: 1 }).collect();
        server.write_activity(DESK, &written).await;
    }
    let answer = me.browser.get(&format!("{CSV}?kind=sign_out")).await.is(200);
    let found = entries(answer.text());
    assert_eq!(found.len(), 2_500);
    assert!(found.is_sorted_by(|a, b| a["time"] >= b["time"]));
    let listed = server.run(&["activity", "list", "--kind", "sign_out"]).ok();
    assert_eq!(listed.lines().count(), 2_500);
    assert_eq!(json!(found[0]["time"]), json!("2026-01-31T23:59:00Z"));
}
