//! Keys of another system, which are imported by their hashes and go on being sent as they are.

use std::fs;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::command::Said;
use crate::host::Host;
use crate::instances::Instances;
use crate::key_form::{foreign_key, mistyped, sha256_hex};
use crate::page::{key_rows, until};
use crate::people::{DESK, world};
use crate::property::{PROPERTIES, UNKNOWN_ID};
use crate::raw;

/// As the documentation of other systems shows one.
const KEY: &str = "uU08XiMgk8a7CrY4xUjAReUIuTrn83R123adaVb8Tf/qMcVTEgriuJhXWs/1Q1P";

const HEADER: &str = "email,title,sha256,tail,expires_at,read_only,property_ids";

#[expect(clippy::disallowed_methods, reason = "the clock of the test")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

impl Host {
    /// Imports a file of these bytes.
    fn import(&self, file: &[u8], args: &[&str]) -> Said {
        let path = NamedTempFile::new().expect("a file");
        fs::write(&path, file).expect("a file");
        let name = path.path().to_str().expect("a path");
        self.run(&[&["key", "import", name], args].concat())
    }

    /// Imports one key of a user, which has enough random bits.
    fn import_key(&self, email: &str, key: &str) {
        self.secrets.register("API key", key);
        let file = format!("{HEADER}\n{email},Old system,{},,,,\n", sha256_hex(key));
        let printed = self.import(file.as_bytes(), &["--random-bits-at-least", "128"]).ok();
        assert_eq!(printed, "Imported 1 key of 1 user.\n");
    }
}

#[actix_web::test]
async fn a_key_of_another_system_is_imported_and_sent_as_it_is_to_every_process() {
    let instances = Instances::start().await;
    let (host, first) = (&instances.host, instances.first());
    let me = first.person("desk@farol.example").await;
    host.secrets.register("API key", KEY);
    for server in &instances.servers {
        server.with_key(KEY).get(PROPERTIES).await.error("unauthorized");
    }
    let file = format!(
        "\u{feff}{HEADER}\r\n\"Desk@Farol.example\",\"The old \"\"PMS\"\", floor 1\",{},1Q1P,,,\r\n",
        sha256_hex(KEY).to_uppercase()
    );
    let printed = host.import(file.as_bytes(), &["--random-bits-at-least", "256"]).ok();
    assert_eq!(printed, "Imported 1 key of 1 user.\n");
    let lines =
        format!("Host: pms.example\r\nContent-Type: application/json\r\nuser-api-key: {KEY}\r\nConnection: close");
    for server in &instances.servers {
        let request = format!("GET /api/v1/properties/ HTTP/1.1\r\n{lines}\r\n\r\n");
        raw::exchange(server.address(), request.as_bytes()).is(200);
        server.with_key(&format!(" {KEY}\t")).get(PROPERTIES).await.is(200);
        server.with_key(&me.key).get(PROPERTIES).await.is(200);
    }
    let body = json!({ "property": { "title": "Farol", "currency": "EUR" } });
    first.with_key(KEY).post(PROPERTIES, &body).await.is(201);

    let title = "The old \"PMS\", floor 1";
    let page = me.browser.get("/user_profile").await;
    let row = key_rows(&page).into_iter().find(|row| row.contains(title)).expect("the key");
    assert!(row.contains("***1Q1P") && row.contains("imported") && row.contains("127.0.0.1"), "{row}");
    assert_eq!(key_rows(&page).iter().filter(|row| row.contains("imported")).count(), 1);
    let listed = host.run(&["key", "list", "desk@farol.example"]).ok();
    assert!(listed.lines().any(|line| line.contains("\t***1Q1P\tactive\timported 20")), "{listed}");
    assert_eq!(
        host.recorded("key_created")[1],
        format!("desk@farol.example: the host: Imported the API key “{title}”")
    );

    // Withdrawn as any other.
    let id =
        listed.lines().find(|line| line.contains("***1Q1P")).and_then(|line| line.split('\t').next()).expect("an id");
    me.browser.post_form(&format!("/user_profile/api_keys/{id}/withdraw"), &[]).await.is(303);
    for server in &instances.servers {
        let api = server.with_key(KEY);
        api.get(PROPERTIES).await.error_with("unauthorized", json!(["the API key was withdrawn"]));
    }
    assert_eq!(
        host.import(file.as_bytes(), &["--random-bits-at-least", "256"]).ok(),
        "All keys of this file (1) were imported before. Nothing was changed.\n"
    );
    first.with_key(KEY).get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn each_problem_of_a_file_is_named_with_line_and_column_and_nothing_is_imported() {
    let (server, me) = world().await;
    let ana = server.add_subscriber("ana@farol.example");
    let property = me.has(json!({})).await;
    let (good, other) = (sha256_hex("good"), sha256_hex("other"));
    server.import_key(&ana.email, KEY);
    let (known, own) = (sha256_hex(KEY), sha256_hex(&me.key));
    let mut problems = Vec::new();
    let mut lines = format!("{HEADER}\n{DESK},Good,{good},abcd,2999-12-31,true,{property}\n");
    for (line, field, problem) in [
        ("nobody,T,$,,,,", "email", "This is not an email address. Enter that of the user."),
        (
            "nobody@farol.example,T,$,,,,",
            "email",
            "There is no user nobody@farol.example. Correct it, or run: latchkey",
        ),
        ("$E,,$,,,,", "title", "Enter a title"),
        ("$E,\"a\nb\",$,,,,", "title", "Titles cannot contain line breaks"),
        (
            "$E,T,$x,,,,",
            "sha256",
            "This is not a SHA-256 in 64 hexadecimal digits. Make it with: printf %s KEY | sha256sum",
        ),
        ("$E,T,,,,,", "sha256", "This is not a SHA-256"),
        (
            "$E,T,e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855,,,,",
            "sha256",
            "This is the SHA-256 of an empty",
        ),
        ("$E,T,$K,,,,", "sha256", "This key is here already: “Old system” of ana@farol.example. Remove the line."),
        ("$E,T,$O,,,,", "sha256", "This key is here already: “Front desk” of desk@farol.example. Remove the line."),
        ("$E,T,$G,,,,", "sha256", "The same key as in line 2. Remove one of them."),
        ("$E,T,$,12345,,,", "tail", "Enter at most the last 4 characters of the key, or nothing."),
        ("$E,T,$,\"a b\",,,", "tail", "Enter visible characters only"),
        ("$E,T,$,,tomorrow,,", "expires_at", "Enter a date such as 2027-12-31, a moment such as"),
        ("$E,T,$,,2026-02-29,,", "expires_at", "Enter a date"),
        ("$E,T,$,,2020-02-29,,", "expires_at", "This is over. Enter an end that is to come, or remove the line."),
        ("$E,T,$,,9999-12-31,,", "expires_at", "Enter an end before the year 10000, or nothing."),
        ("$E,T,$,,,maybe,", "read_only", "Enter true or false."),
        ("$E,T,$,,,,12", "property_ids", "Enter IDs of properties with blanks between them, or nothing for all."),
        ("$E,T,$,,,,$U", "property_ids", "desk@farol.example has no property with the ID"),
        ("ana@farol.example,T,$,,,,$P", "property_ids", "ana@farol.example has no property with the ID"),
        ("$E,T,$,,", "", "The line has 5 fields, and must have 7."),
        ("$E,T, with a comma,$,,,,", "", "The line has 8 fields, and must have 7."),
    ] {
        let number = lines.lines().count() + 1;
        let place = if field.is_empty() { format!("line {number}: ") } else { format!("line {number}, {field}: ") };
        problems.push(format!("{place}{problem}"));
        let own_digest = sha256_hex(&format!("{number}"));
        let line = line.replace("$E", DESK).replace("$K", &known).replace("$O", &own).replace("$G", &good);
        let line = line.replace("$U", UNKNOWN_ID).replace("$P", &property).replace('$', &own_digest);
        lines.push_str(&format!("{line}\n"));
    }
    lines.push_str(&format!("{DESK},Good too,{other},,,,\n"));
    for file in [lines.clone(), lines.replace('\n', "\r\n")] {
        let said = server.import(file.as_bytes(), &["--random-bits-at-least", "128"]).refused(1);
        let mut printed = said.lines();
        assert!(printed.next().is_some_and(|line| line.starts_with("Nothing was imported from ")), "{said}");
        let printed: Vec<&str> = printed.collect();
        assert_eq!(printed.len(), problems.len(), "{said}");
        for (printed, problem) in printed.iter().zip(&problems) {
            assert!(printed.starts_with(problem), "{printed} is not {problem}");
        }
    }
    assert_eq!(server.count("api_keys").await, 2);
    assert_eq!(server.recorded("key_created").len(), 2);
}

#[actix_web::test]
async fn a_file_that_is_none_is_refused_in_words_and_never_repeats_a_key() {
    let (server, me) = world().await;
    let key = foreign_key("old");
    server.secrets.register("API key", &key);
    let good = sha256_hex("good");
    for (file, problem) in [
        (Vec::new(), "line 1: The file is empty. It begins with the line email,title,"),
        (b"\xff\xfee\0m\0".to_vec(), "line 1: Save the file as CSV in UTF-8 with commas between fields."),
        (HEADER.replace(',', ";").into_bytes(), "line 1: Save the file as CSV in UTF-8 with commas between fields."),
        (HEADER.into(), "line 1: The file has no keys, only this header."),
        (format!("{DESK},T,{good},,,,").into(), "line 1: There is no column “desk@farol.example”."),
        (HEADER.replace(",tail", "").into(), "line 1: The column tail is missing."),
        (format!("{HEADER},tail").into(), "line 1: A column stands there twice."),
        ([HEADER.as_bytes(), b"\n", DESK.as_bytes(), b",\xe9,x,,,,"].concat(), "line 2, title: This is not UTF-8."),
        (format!("{HEADER}\n\"{DESK},T,{good},,,,\n").into(), "line 2: The line has 1 fields"),
        (format!("{HEADER}\n{DESK},T,{key},,,,\n").into(), "line 2, sha256: This is not a SHA-256"),
        (format!("{HEADER}\n{DESK},T,{good},{key},,,\n").into(), "line 2, tail: Enter at most the last 4 characters"),
    ] {
        let said = server.import(&file, &[]).refused(1);
        assert!(said.lines().any(|line| line.starts_with(problem)), "{said} is not {problem}");
        assert!(!said.contains(&key), "{said}");
    }
    let missing = server.run(&["key", "import", "missing.csv"]).refused(1);
    assert!(missing.starts_with("Cannot read missing.csv: No such file"), "{missing}");
    // Columns in another order, from standard input.
    let file = format!("sha256,TAIL,title,email,property_ids,expires_at,read_only\n{good},good,T,{DESK},,,\n");
    server.run_with(&["key", "import", "-"], &file).ok();
    assert_eq!(key_rows(&me.browser.get("/user_profile").await).len(), 2);
}

#[actix_web::test]
async fn imported_keys_count_against_the_limit_and_the_same_file_changes_nothing() {
    let host = Host::new().await;
    host.migrate();
    let (ana, ben) = (host.add_user("ana@farol.example"), host.add_user("ben@farol.example"));
    let mut file = format!("{HEADER}\n");
    for number in 0..100 {
        file.push_str(&format!("{},Key {number},{},,,,\n", ana.email, sha256_hex(&format!("{number}"))));
    }
    file.push_str(&format!("{},Key,{},,,,\n", ben.email, sha256_hex("ben")));
    let over = format!("{file}{},One more,{},,,,\n", ana.email, sha256_hex("more"));
    let said = host.import(over.as_bytes(), &[]).refused(1);
    let problem =
        "line 103, email: ana@farol.example would have 101 active keys, and may have 100 (LATCHKEY_MAX_KEYS).";
    assert!(said.lines().nth(1).is_some_and(|line| line.starts_with(problem)) && said.lines().count() == 2, "{said}");
    assert_eq!(host.count("api_keys").await, 0);
    let printed = host.import(file.as_bytes(), &[]).ok();
    assert!(printed.starts_with("Imported 101 keys of 2 users.\nThey end on "), "{printed}");
    let again = host.import(file.replace('\n', "\r\n").as_bytes(), &[]).ok();
    assert_eq!(again, "All keys of this file (101) were imported before. Nothing was changed.\n");
    assert_eq!((host.count("api_keys").await, host.recorded("key_created").len()), (101, 101));
    // One of them with a new one is refused: nobody means that.
    let said = host.import(over.as_bytes(), &["--max-keys", "1000"]).refused(1);
    assert_eq!(said.lines().count(), 102, "{said}");
    let more = format!("{HEADER}\n{},One more,{},,,,\n", ana.email, sha256_hex("more"));
    assert_eq!(host.import(more.as_bytes(), &[]).refused(1).lines().count(), 2);
    host.import(more.as_bytes(), &["--max-keys", "101"]).ok();
}

#[actix_web::test]
async fn keys_end_in_ninety_days_unless_the_host_knows_that_they_are_random_enough() {
    let (server, me) = world().await;
    let soon = (now() + TimeDelta::days(10)).to_rfc3339();
    let (mut file, mut keys) = (format!("{HEADER}\n"), Vec::new());
    for (title, end) in [("never", ""), ("soon", &*soon), ("late", "2999-12-31")] {
        let key = foreign_key("other-").replace('_', "/");
        server.secrets.register("API key", &key);
        file.push_str(&format!("{DESK},{title},{},,{end},,\n", sha256_hex(&key)));
        keys.push(key);
    }
    let ends = async || {
        let mut days = Vec::new();
        for key in &keys {
            let about = server.with_key(key).get("/api/v1/me").await.is(200).json();
            let end = about.pointer("/data/attributes/key/expires_at").unwrap_or_else(|| panic!("no end in {about}"));
            days.push(end.as_str().map(|end| {
                let end = NaiveDateTime::parse_from_str(&end[..19], "%Y-%m-%dT%H:%M:%S").expect("a moment");
                (end - now().naive_utc() + TimeDelta::hours(1)).num_days()
            }));
        }
        days
    };
    for weak in [&[][..], &["--random-bits-at-least", "127"]] {
        let printed = server.import(file.as_bytes(), weak).ok();
        assert!(printed.contains("They end on ") && printed.contains("fewer than 128 random bits"), "{printed}");
        assert_eq!(ends().await, [Some(90), Some(10), Some(90)]);
        let forget = "delete from api_keys where imported";
        assert_eq!(server.take_away(forget).await, 3);
    }
    assert_eq!(server.import(file.as_bytes(), &["--random-bits-at-least", "128"]).ok(), "Imported 3 keys of 1 user.\n");
    let strong = ends().await;
    assert!(strong[0].is_none() && strong[1] == Some(10) && strong[2].is_some_and(|days| days > 300_000), "{strong:?}");
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn an_imported_key_may_do_what_its_line_says() {
    let (server, me) = world().await;
    let (one, two) = (me.has(json!({})).await, me.has(json!({})).await);
    let keys = ["plain-old-key-1", "plain-old-key-2", "plain-old-key-3"];
    let lines = [",yes,".to_owned(), format!(",,{one}"), format!(",no,\"{one}, {two}\"")];
    let lines = keys.iter().zip(lines).map(|(key, rest)| format!("{DESK},T,{},,{rest}\n", sha256_hex(key)));
    server.import(format!("{HEADER}\n{}", lines.collect::<String>()).as_bytes(), &[]).ok();
    let titles = async |key: &str| server.with_key(key).get(PROPERTIES).await.is(200).column("title").len();
    assert_eq!([titles(keys[0]).await, titles(keys[1]).await, titles(keys[2]).await], [2, 1, 2]);
    let body = json!({ "property": { "title": "Farol", "currency": "EUR" } });
    server.with_key(keys[0]).post(PROPERTIES, &body).await.error_with("forbidden", json!(["the API key is read-only"]));
    let limited = json!(["the API key is limited to chosen properties"]);
    server.with_key(keys[2]).post(PROPERTIES, &body).await.error_with("forbidden", limited);
}

#[actix_web::test]
async fn unknown_keys_of_another_form_are_limited_by_address_where_keys_were_imported() {
    let server = crate::server::Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let me = server.person(DESK).await;
    let ask = |key: &str, from: &str| server.with_key(key).get(PROPERTIES).header("x-forwarded-for", from);
    for number in 0..120 {
        ask(&format!("guess-{number}"), "203.0.113.7").await.error("unauthorized");
    }
    server.import_key(DESK, KEY);
    // What is mistyped of ours is not looked up, and counts for nothing.
    for _ in 0..120 {
        ask(&mistyped(&me.key), "203.0.113.7").await.error("unauthorized");
    }
    let bearer = json!(["send the API key without \"Bearer\""]);
    ask(&format!("Bearer {KEY}"), "203.0.113.7").await.error_with("unauthorized", bearer);
    let quotes = json!(["remove the quotes around the API key"]);
    ask(&format!("\"{KEY}\""), "203.0.113.7").await.error_with("unauthorized", quotes);
    for number in 1..100 {
        ask(&format!("guess-{number}"), "203.0.113.7").await.error("unauthorized");
    }
    let refused = ask("guess", "203.0.113.7").await.is(429);
    assert_eq!(refused.json()["errors"]["code"], "http_too_many_requests");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"address\";q=100;w=60"));
    let seconds: u64 = refused.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&seconds), "{refused}");
    for key in [KEY, &me.key] {
        ask(key, "203.0.113.7").await.is(200);
    }
    ask(&mistyped(&me.key), "203.0.113.7").await.error("unauthorized");
    ask("guess", "203.0.113.8").await.error("unauthorized");
}

#[actix_web::test]
async fn a_found_key_of_another_system_is_withdrawn() {
    let (server, me) = world().await;
    let text = |key: &str| format!("headers = {{\"user-api-key\": \"{key}\"}}  # {}", me.key);
    // Before there are imported keys, other words are not looked at.
    server.anonymous().post_form("/leaked_key", &[("text", KEY)]).await.is(200);
    server.import_key(DESK, KEY);
    server.with_key(KEY).get(PROPERTIES).await.is(200);
    server.anonymous().post_form("/leaked_key", &[("text", &text(KEY))]).await.is(200);
    for key in [KEY, &me.key] {
        let api = server.with_key(key);
        until("the key stops", async || (api.get(PROPERTIES).await.status == 401).then_some(())).await;
    }
    assert_eq!(server.recorded("key_leaked").len(), 2);
}
