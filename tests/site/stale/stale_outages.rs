//! A withdrawal holds at a second process, whatever the network between that and the database does: who asks there after
//! the answer is refused or hears that the database is away. (An SQLite file has one process and no network: there is
//! nothing to see here on SQLite.)

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt::time::sleep;

use crate::hammer::{Hammer, Judged, moment, read_with, rounds};
use crate::instances::Instances;
use crate::page::until;
use crate::people::Person;
use crate::property::PROPERTIES;
use crate::raw::form;
use crate::wire::Wire;

/// What a request that begins after the answer may get. 408 is of a server that stood still for so long that the request
/// seems to have come slowly.
const REFUSED: [u16; 3] = [401, 408, 503];

/// What is answered without a query, once it is known who asks: all that is looked at here is who is let in.
const CATALOGUE: &str = "/api/v1/property_facilities/options";

/// Longer than a process trusts what it has read.
const SLOW: Duration = Duration::from_millis(300);

/// Two servers on one database, the second at the end of a wire.
struct Two {
    instances: Rc<Instances>,
    wire: Arc<Wire>,
    me: Person,
}

impl Two {
    async fn new() -> Option<Rc<Self>> {
        let (instances, wire) = Instances::with_wire().await?;
        let me = instances.first().person("desk@farol.example").await;
        Some(Rc::new(Self { instances, wire, me }))
    }

    /// A new key, and the form that withdraws it.
    async fn key(&self) -> (String, Vec<u8>) {
        let key = self.me.browser.create_key("In use").await;
        let id = self.me.browser.key_id(&key).await;
        (key, form(&self.me.browser, &format!("/user_profile/api_keys/{id}/withdraw"), &[]))
    }

    /// Hammers the second server.
    fn hammer(&self, key: &str) -> Hammer {
        Hammer::start(&[self.instances.servers[1].address()], read_with(key, CATALOGUE))
    }

    /// Has PostgreSQL end all connections of the second server, as a restart does.
    async fn end_connections(&self) {
        let ports: Vec<String> = self.wire.ports().iter().map(u16::to_string).collect();
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity where client_port in";
        assert!(self.instances.host.sql(&format!("{sql} ({})", ports.join(", "))).await > 0, "nobody was connected");
    }

    /// Withdraws a key at the first server while something is wrong at the second, which `mended` sets right again.
    async fn round(&self, breaks: impl AsyncFnOnce(), mended: impl AsyncFnOnce(&Hammer, Instant)) -> Judged {
        let (key, withdraw) = self.key().await;
        let hammer = self.hammer(&key);
        hammer.is_let_in().await;
        breaks().await;
        let answered = self.instances.change(withdraw, 303).await;
        // Those of the first are waiting for answers, perhaps.
        let late = self.hammer(&key);
        mended(&late, answered).await;
        let back = Instant::now();
        let mut sum = Judged::default();
        for hammer in [hammer, late] {
            hammer.gets(401, back).await;
            let judged = hammer.judge(answered, &REFUSED);
            sum.before += judged.before;
            sum.after += judged.after;
        }
        sum
    }
}

#[actix_web::test]
async fn a_withdrawal_holds_while_the_database_answers_late_on_postgresql() {
    let Some(two) = Two::new().await else { return };
    rounds("database slow", 4, 1, move |_, number| {
        let two = two.clone();
        async move {
            let (key, withdraw) = two.key().await;
            // Every other time the key is used first while the database is slow: what is found of it then comes when it
            // is true no more. Else the withdrawal falls into a reading of the epoch.
            let first = number % 2 == 1;
            let before = two.hammer(if first { &two.me.key } else { &key });
            before.is_let_in().await;
            before.judge(Instant::now(), &[]);
            two.wire.slow(if first { SLOW * 3 } else { SLOW });
            let hammer = two.hammer(&key);
            if !first {
                sleep(moment(number * 5, SLOW * 3)).await;
            }
            let answered = two.instances.change(withdraw, 303).await;
            hammer.goes_on(answered).await;
            two.wire.mend();
            hammer.judge(answered, &REFUSED)
        }
    })
    .await;
}

#[actix_web::test]
async fn a_withdrawal_holds_while_the_database_is_silent_on_postgresql() {
    let Some(two) = Two::new().await else { return };
    rounds("database silent", 4, 1, move |_, _| {
        let two = two.clone();
        async move {
            let silence = async || {
                two.wire.silence();
                two.wire.wait_until_it_holds_something_back();
            };
            two.round(silence, async |_, _| two.wire.mend()).await
        }
    })
    .await;
}

#[actix_web::test]
async fn a_withdrawal_holds_while_the_connection_to_the_database_is_cut_on_postgresql() {
    let Some(two) = Two::new().await else { return };
    rounds("connection cut", 4, 1, move |_, number| {
        let two = two.clone();
        async move {
            let cut = async || two.wire.cut();
            let mend = async |late: &Hammer, answered| {
                if number % 2 == 0 {
                    late.gets(503, answered).await;
                }
                two.wire.mend();
            };
            two.round(cut, mend).await
        }
    })
    .await;
}

#[actix_web::test]
async fn a_withdrawal_holds_while_the_database_ends_its_connections_on_postgresql() {
    let Some(two) = Two::new().await else { return };
    rounds("connections ended", 4, 1, move |_, number| {
        let two = two.clone();
        async move {
            let end = async || two.end_connections().await;
            match number % 2 {
                0 => two.round(end, async |_, _| ()).await,
                _ => two.round(async || (), async |_, _| end().await).await,
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn a_withdrawal_holds_at_a_server_that_stood_still_meanwhile_on_postgresql() {
    let Some(two) = Two::new().await else { return };
    rounds("server stood still", 4, 1, move |_, _| {
        let two = two.clone();
        async move {
            let second = &two.instances.servers[1];
            two.round(async || second.signal("STOP"), async |_, _| second.signal("CONT")).await
        }
    })
    .await;
}

#[actix_web::test]
async fn a_key_can_be_withdrawn_although_a_lost_process_was_just_writing_its_use_on_postgresql() {
    let Some(two) = Two::new().await else { return };
    let (key, withdraw) = two.key().await;
    let held = two.instances.host.hold("update api_keys set id = id").await;
    two.instances.servers[1].with_key(&key).get(PROPERTIES).await.is(200);
    let waiting = "
        select 'yes' from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    until("its use is being written", async || (two.instances.host.texts(waiting).await == ["yes"]).then_some(()))
        .await;
    two.wire.silence();
    held.release().await;
    two.instances.change(withdraw, 303).await;
    two.wire.mend();
    two.instances.servers[1].with_key(&key).get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn a_standby_is_not_believed_on_postgresql() {
    let Some(two) = Two::new().await else { return };
    let (host, second) = (&two.instances.host, &two.instances.servers[1]);
    let api = second.with_key(&two.me.key);
    api.get(PROPERTIES).await.is(200);
    // The same database, whose sessions are told from now on that it is one.
    let url = host.database_url().expect("PostgreSQL");
    let name = url.rsplit('/').next().expect("a name");
    host.sql("create function public.pg_is_in_recovery() returns boolean language sql as 'select true'").await;
    host.sql(&format!("alter database {name} set search_path = public, pg_catalog")).await;
    two.end_connections().await;
    until("the connections are gone", async || (api.get(PROPERTIES).await.status != 200).then_some(())).await;
    api.get(PROPERTIES).await.is(503);
    let said = host.run(&["user", "list"]).refused(1);
    assert!(said.contains("is a standby"), "{said}");
    host.sql(&format!("alter database {name} reset search_path")).await;
    until("it is the primary again", async || (api.get(PROPERTIES).await.status == 200).then_some(())).await;
}
