//! PostgreSQL behind Debian's PgBouncer, as hosts run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection, Row};
use tempfile::TempDir;
use url::Url;

use crate::command::{finish, is_root};
use crate::host::Host;
use crate::page::{seen, until};
use crate::program::free_port;
use crate::property::{PROPERTIES, body};

const POOLER: &str = "LATCHKEY_DATABASE_POOLER";

/// Ends when it is dropped.
struct PgBouncer {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl PgBouncer {
    /// One with few sessions, which clients must share.
    async fn start(database: &str, mode: &str) -> Self {
        let (mut url, port) = (Url::parse(database).expect("a URL"), free_port());
        let folder = TempDir::with_prefix_in("latchkey-pgbouncer-", "/tmp").expect("a folder");
        let settings = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {}\nmax_client_conn = 200\n",
            url.host_str().expect("a host"),
            url.port().unwrap_or(5432),
            if mode == "session" { 40 } else { 3 },
        )
        // The user of the server is named, since any client may come.
        .replace("* = ", &format!("* = user={} ", url.username()));
        fs::write(&settings, text).expect("a file");
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("permissions");
        let mut command = Command::new("/usr/sbin/pgbouncer");
        command.arg("-q").arg(&settings).stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::null());
        if is_root() {
            command.uid(65534).gid(65534);
        }
        let child = command.spawn().expect("pgbouncer of Debian");
        until("PgBouncer listens", async || std::net::TcpStream::connect(("127.0.0.1", port)).ok()).await;
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        PgBouncer { child, url: url.into(), _folder: folder }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What people and programs do, on two servers at once.
async fn main_flows(host: &Host, pooler: &PgBouncer, setting: &str) {
    let latchkey = |args: &[&str]| {
        let mut command = host.latchkey(args);
        command.env("DATABASE_URL", &pooler.url).env(POOLER, setting);
        command
    };
    let start = || host.start(latchkey(&["serve", "--listen", "127.0.0.1:0"]));
    // Two at once make the schema.
    let starting = [(); 2].map(|()| start());
    for start in starting {
        start.serving();
    }
    let password = host.new_password();
    finish(latchkey(&["user", "add", "desk@farol.example"]), &password).ok();
    finish(latchkey(&["subscription", "activate", "desk@farol.example"]), "").ok();
    let user = crate::people::User { email: "desk@farol.example".to_owned(), password };
    let (one, two) = (start().serving(), start().serving());
    let browser = one.signed_in(&user).await;
    for round in 0..3 {
        let key = browser.create_key(&format!("Round {round}")).await;
        let made = one.with_key(&key).post(PROPERTIES, &body(json!({}))).await.is(201);
        assert!(made.json()["data"]["id"].is_string(), "{made}");
        // More at once than there are sessions behind the pooler.
        let calls: Vec<_> = (0..24)
            .map(|number| if number % 2 == 0 { &one } else { &two })
            .map(|server| actix_web::rt::spawn(server.with_key(&key).get(PROPERTIES).into_future()))
            .collect();
        for call in calls {
            let answer = call.await.expect("an answer").is(200);
            assert_eq!(answer.column("id").len(), round + 1, "{answer}");
        }
        let id = browser.key_id(&key).await;
        browser.post_form(&format!("/user_profile/api_keys/{id}/withdraw"), &[]).await.is(303);
        for server in [&one, &two] {
            server.with_key(&key).get(PROPERTIES).await.is(401);
        }
    }
    assert!(seen(browser.get("/user_profile").await.is(200).text()).contains("Round 2"));
    assert!(finish(latchkey(&["key", "list", "desk@farol.example"]), "").ok().contains("withdrawn"));
    for server in [&one, &two] {
        assert!(!server.log().contains(" 500 "), "{}", server.log());
        assert!(!server.log().contains("prepared statement"), "{}", server.log());
    }
}

#[actix_web::test]
async fn a_pooler_of_sessions_needs_no_setting_on_postgresql() {
    let host = Host::new().await;
    let Some(url) = host.database_url() else { return };
    let pooler = PgBouncer::start(&url, "session").await;
    main_flows(&host, &pooler, "").await;
    drop(pooler);
}

#[actix_web::test]
async fn a_pooler_of_transactions_works_with_its_setting_on_postgresql() {
    let host = Host::new().await;
    let Some(url) = host.database_url() else { return };
    let pooler = PgBouncer::start(&url, "transaction").await;
    main_flows(&host, &pooler, "transaction").await;
    // Nothing that was set for one client stays in a session for others.
    let options = PgConnectOptions::from_str(&pooler.url).expect("an address").extra_float_digits(None);
    for _ in 0..4 {
        let mut client = PgConnection::connect_with(&options).await.expect("a session");
        for (show, value) in [
            ("show client_min_messages", "notice"),
            ("show idle_in_transaction_session_timeout", "0"),
            ("select coalesce(current_setting('latchkey.session', true), '')", ""),
        ] {
            let shown: String = client.fetch_one(show).await.expect("a setting").get(0);
            assert_eq!(shown, value, "{show}");
        }
    }
    drop(pooler);
}

#[actix_web::test]
async fn without_the_setting_a_pooler_of_transactions_is_told_by_the_server_and_used_by_commands_on_postgresql() {
    let host = Host::new().await;
    let Some(url) = host.database_url() else { return };
    let pooler = PgBouncer::start(&url, "transaction").await;
    let run = |args: &[&str], stdin: &str| {
        let mut command = host.latchkey(args);
        command.env("DATABASE_URL", &pooler.url);
        finish(command, stdin)
    };
    let said = run(&["serve", "--listen", "127.0.0.1:0"], "").refused(1);
    assert!(said.contains("Set LATCHKEY_DATABASE_POOLER=transaction, or pool_mode = session"), "{said}");
    let tables = "select cast(count(*) as text) from pg_class where relnamespace = 'public'::regnamespace";
    assert_eq!(host.texts(tables).await, ["0"]);
    run(&["migrate"], "").ok();
    for number in 0..4 {
        run(&["user", "add", &format!("desk{number}@farol.example")], &host.new_password()).ok();
    }
    assert!(run(&["user", "list"], "").ok().contains("desk3@farol.example"));
    drop(pooler);
}

#[actix_web::test]
async fn no_secret_of_an_address_is_in_the_log_and_a_network_without_encryption_is_told_on_postgresql() {
    let host = Host::new().await;
    let Some(url) = host.database_url() else { return };
    let serve = |url: &str| {
        let mut command = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("DATABASE_URL", url);
        host.start(command).serving()
    };
    let server = serve(&format!("{url}?sslpassword=of-the-key&channel_binding=not-said"));
    until("a line", async || server.log().contains("sslpassword, channel_binding").then_some(())).await;
    assert!(!server.log().contains("of-the-key") && !server.log().contains("not-said"), "{}", server.log());
    assert!(!server.log().contains("unencrypted"), "{}", server.log());
    let mut command = host.latchkey(&["user", "list"]);
    command.env("DATABASE_URL", "postgres://keeper:not-for-everybody@db.invalid/latchkey?sslpassword=of-the-key");
    let said = finish(command, "").refused(1);
    assert!(!said.contains("of-the-key") && !said.contains("not-for-everybody"), "{said}");
}
