//! A response from memory is void once a transaction has committed, of whatever kind, and when the database is another
//! one, even if that has the same snapshot. (On SQLite there is nothing of this kind.)

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
#[expect(clippy::disallowed_types, reason = "tests make up statements")]
use sqlx::AssertSqlSafe;
use sqlx::{Connection, Executor, PgConnection};
use url::Url;

use crate::cluster::Cluster;
use crate::database::Database;
use crate::host::Host;
use crate::options::Options;
use crate::page::until;
use crate::people::Person;
use crate::property::{PROPERTIES, at};
use crate::response::Response;
use crate::rounds::rounds;
use crate::server::Server;
use crate::wire::Wire;

/// A server on a PostgreSQL of its own, and a property, asked for by its list and by its id.
struct Asked {
    server: Server,
    host: Host,
    wire: Arc<Wire>,
    me: Person,
    property: String,
    /// The last that ends: the host looks into its tables when it ends.
    cluster: Cluster,
}

impl Asked {
    async fn start() -> Option<Self> {
        std::env::var("LATCHKEY_TEST_DATABASE").ok()?;
        let cluster = Cluster::start();
        let wire = Wire::to(&cluster.url());
        let host = Host::on(Database::create_on(&cluster.url()).await);
        let server = Options::default().over(&wire).start_on(&host).serving();
        let me = server.person("desk@farol.example").await;
        let property = me.has(json!({ "title": "Before" })).await;
        Some(Self { server, host, wire, me, property, cluster })
    }

    /// The title is this one wherever it is shown, also when asked for again.
    async fn shows(&self, title: &str) {
        for _ in 0..2 {
            for address in [PROPERTIES.to_owned(), at(&self.property)] {
                let answer = self.gets(&address).await.is(200);
                assert!(answer.text().contains(&format!("\"title\":\"{title}\"")), "not {title}: {answer}");
            }
        }
    }

    /// The same, until responses are cached again after a failure.
    async fn goes_on_showing(&self, title: &str) {
        let end = Instant::now() + Duration::from_millis(1_200);
        while Instant::now() < end {
            self.shows(title).await;
        }
    }

    /// SQL that changes the title.
    fn change(&self, title: &str) -> String {
        let version: i64 = rand::random();
        format!("update properties set title = '{title}', version = {version} where id = '{}'", self.property)
    }

    /// The database as this cluster has it.
    fn url_on(&self, cluster: &Cluster) -> String {
        let mut url = Url::parse(&cluster.url()).expect("a database URL");
        url.set_path(Url::parse(&self.url()).expect("a database URL").path());
        url.into()
    }

    fn url(&self) -> String {
        self.host.database_url().expect("PostgreSQL")
    }

    /// A response that is not of a connection which has ended.
    async fn gets(&self, address: &str) -> Response {
        until("the database is back", async || {
            let answer = self.me.api.get(address).await;
            (answer.status != 503).then_some(answer)
        })
        .await
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("PostgreSQL")
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection.execute(AssertSqlSafe(sql.to_owned())).await.expect(sql);
}

async fn snapshot(connection: &mut PgConnection) -> String {
    sqlx::query_scalar("select pg_current_snapshot()::text").fetch_one(connection).await.expect("a snapshot")
}

/// Uses up transactions until the next one is the first that this snapshot does not show.
async fn catch_up(connection: &mut PgConnection, with: &str) {
    let next = |snapshot: &str| snapshot.split(':').nth(1).and_then(|xmax| xmax.parse::<u64>().ok()).expect("a number");
    while next(&snapshot(connection).await) < next(with) {
        run(connection, "select pg_current_xact_id()").await;
    }
}

#[actix_web::test]
async fn what_a_transaction_writes_is_shown_once_it_commits_on_postgresql() {
    let Some(all) = Asked::start().await else { return };
    let (mut other, mut third) = (connect(&all.url()).await, connect(&all.url()).await);
    let mut shown = "Before".to_owned();
    for number in 0..rounds(8) {
        let kinds: [(&str, &str, &str); 6] = [
            ("plain", "", "commit"),
            ("in a subtransaction", "savepoint a", "release a; commit"),
            ("after one that was rolled back", "savepoint a; select pg_current_xact_id(); rollback to a", "commit"),
            ("prepared", "", "prepare transaction 'p'"),
            ("prepared, in a subtransaction", "savepoint a", "release a; prepare transaction 'p'"),
            ("asynchronous", "set local synchronous_commit = off", "commit"),
        ];
        for (kind, begin, end) in kinds {
            let title = format!("House {number} {kind}");
            run(&mut other, &format!("begin; {begin}")).await;
            run(&mut other, &all.change(&title)).await;
            // A later one that is over sooner.
            run(&mut third, "select pg_current_xact_id()").await;
            all.shows(&shown).await;
            run(&mut other, end).await;
            if end.ends_with("'p'") {
                all.shows(&shown).await;
                run(&mut other, "commit prepared 'p'").await;
            }
            all.shows(&title).await;
            shown = title;
        }
        // More of them than a snapshot has room for.
        run(&mut other, "begin").await;
        for level in 0..100 {
            run(&mut other, &format!("savepoint s{level}; {}", all.change(&format!("Level {level}")))).await;
        }
        all.shows(&shown).await;
        shown = format!("House {number} deep");
        run(&mut other, &all.change(&shown)).await;
        run(&mut other, "commit").await;
        all.shows(&shown).await;
    }
}

#[actix_web::test]
async fn what_another_server_has_is_shown_though_its_snapshot_is_equal_on_postgresql() {
    let Some(mut all) = Asked::start().await else { return };
    let twin = all.cluster.twin();
    // The first requests find that their connections have ended.
    all.server = Options::default().over(&all.wire).start_on(&all.host).serving();
    all.me.api = all.server.with_key(&all.me.key);
    let mut here = connect(&all.url_on(&all.cluster)).await;
    let mut there = connect(&all.url_on(&twin)).await;
    for number in 0..rounds(2) {
        let (ours, theirs) = (format!("Here {number}"), format!("There {number}"));
        run(&mut here, &all.change(&ours)).await;
        all.shows(&ours).await;
        run(&mut there, &all.change(&theirs)).await;
        let seen = snapshot(&mut here).await;
        catch_up(&mut there, &seen).await;
        let other = snapshot(&mut there).await;
        catch_up(&mut here, &other).await;
        all.shows(&ours).await;
        assert_eq!(snapshot(&mut here).await, snapshot(&mut there).await, "what this is about");
        all.wire.lead_to(&twin.url());
        all.goes_on_showing(&theirs).await;
        all.wire.lead_to(&all.cluster.url());
        all.goes_on_showing(&ours).await;
    }
}

#[actix_web::test]
async fn what_was_lost_with_the_server_is_not_shown_though_its_transaction_id_is_used_again_on_postgresql() {
    let Some(all) = Asked::start().await else { return };
    let url = all.url();
    let mut other = connect(&url).await;
    run(&mut other, "alter system set wal_writer_delay = '10s'").await;
    run(&mut other, "select pg_reload_conf()").await;
    let mut lost = 0;
    for number in 0..rounds(3) {
        let (gone, after) = (format!("Gone {number}"), format!("After {number}"));
        run(&mut other, &format!("set synchronous_commit = off; {}", all.change(&gone))).await;
        all.shows(&gone).await;
        let seen = snapshot(&mut other).await;
        all.cluster.stop("immediate");
        all.cluster.restart();
        other = connect(&url).await;
        run(&mut other, &all.change(&after)).await;
        catch_up(&mut other, &seen).await;
        lost += usize::from(snapshot(&mut other).await == seen);
        all.goes_on_showing(&after).await;
    }
    assert!(lost > 0, "no transaction id was used again");
}
