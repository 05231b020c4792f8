//! A disk that is full, or fails: writes are refused in words, reads are answered, and all is well when the disk is.
//! (Nothing of this is seen on PostgreSQL, whose disk is another's.)

use std::fs::{self, File};
use std::future::IntoFuture;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use actix_web::rt;
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::{is_root, run_by};
use crate::host::Host;
use crate::page::{seen, until};
use crate::program::signal;
use crate::property::{PROPERTIES, at, body};
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

/// Mounts a small disk in a name space of its own, which ends with the program; then the program runs. The data folder
/// is the first word, the place of the disk the second.
const ON_SMALL_DISK: &str =
    r#"mount -t tmpfs -o size=16m,mode=700 none "$1" && cp -a "$0"/. "$1" && shift && exec "$@""#;

/// A server on a small disk of its own. The disk is gone when the server is.
fn serve_on_small_disk(host: &Host) -> (Server, PathBuf) {
    let disk = host.data_dir().with_file_name("disk");
    fs::create_dir(&disk).expect("a folder");
    let (data, place) = (host.data_dir(), disk.to_string_lossy().into_owned());
    let mut serve = host.latchkey(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &place]);
    serve.env_remove("LATCHKEY_DATA_DIR");
    // Root needs no name space of users, and may not have one.
    let how = if is_root() { "-m" } else { "-rm" };
    let outer = ["unshare", how, "sh", "-c", ON_SMALL_DISK, data.to_str().expect("a name"), &place];
    let server = host.start(run_by(&outer, &serve)).ready();
    let server = server.unwrap_or_else(|log| panic!("no server on a small disk (by unshare and mount): {log}"));
    // As the server sees it.
    let seen = PathBuf::from(format!("/proc/{}/root{place}", server.process()));
    (server, seen)
}

/// Copies a database as a kill would leave it, to where a server can be started on it.
fn copy(server: &Server, from: &Path, to: &Path) {
    server.signal("STOP");
    for name in ["latchkey.db", "latchkey.db-wal"] {
        fs::write(to.join(name), fs::read(from.join(name)).expect("a file")).expect("a file");
    }
    server.signal("CONT");
}

fn is_away(answer: &Response) {
    assert_eq!(answer.status, 503, "{answer}");
    assert!(answer.header("retry-after").is_some(), "{answer}");
}

/// Creates properties until one is refused; the ids of those that were answered.
async fn creates_until_refused(api: Client, title: &'static str, content: Value) -> Vec<String> {
    let mut made = Vec::new();
    for _ in 0..2_000 {
        let answer = api.post(PROPERTIES, &body(json!({ "title": title, "content": content }))).await;
        match answer.status {
            201 => made.push(answer.id()),
            _ => {
                is_away(&answer);
                assert_eq!(answer.json()["errors"]["code"], "service_unavailable", "{answer}");
                return made;
            }
        }
    }
    panic!("the disk does not fill");
}

/// The same by several at once, who share transactions. The last one's are as long as a property may be.
async fn many_create_until_refused(api: &Client) -> Vec<String> {
    let photo =
        json!({ "url": format!("https://farol.example/{}", "x".repeat(2_000)), "description": "𝄞".repeat(255) });
    let longest = "𝄞".repeat(20_000);
    let longest = json!({ "description": longest, "important_information": longest, "photos": vec![photo; 100] });
    let long = json!({ "description": "x".repeat(20_000) });
    let all = [("Alfa", long.clone()), ("Bravo", long), ("Charlie", longest)]
        .map(|(title, content)| rt::spawn(creates_until_refused(api.clone(), title, content)));
    let mut made = Vec::new();
    for one in all {
        made.append(&mut one.await.expect("answers"));
    }
    made
}

async fn works_again(api: &Client) -> String {
    until("a property can be created again", async || {
        let answer = api.post(PROPERTIES, &body(json!({}))).await;
        if answer.status != 201 {
            is_away(&answer);
        }
        (answer.status == 201).then(|| answer.id())
    })
    .await
}

async fn all_there(api: &Client, made: &[String]) {
    for id in made {
        api.get(&at(id)).await.is(200);
    }
    let listed = api.get(PROPERTIES).await.is(200).json()["meta"]["total"].as_u64();
    assert_eq!(listed, Some(made.len() as u64), "what was refused is there");
}

/// Fills a disk but for so many bytes.
fn fill(ballast: &Path, leave: u64) {
    let mut file = File::create(ballast).expect("a file");
    let full = (0..100_000).find_map(|_| file.write_all(&[0; 4096]).err()).expect("a small disk");
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    let length = file.metadata().expect("its length").len();
    file.set_len(length.checked_sub(leave).expect("a disk with room")).expect("some room");
}

#[actix_web::test]
async fn a_full_disk_refuses_writes_answers_reads_and_loses_nothing_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let user = host.add_subscriber("desk@farol.example");
    let (mut server, disk) = serve_on_small_disk(&host);
    let browser = server.signed_in(&user).await;
    let key = browser.create_key("Front desk").await;
    let api = server.with_key(&key);
    let ballast = disk.join("ballast");
    let mut made = Vec::new();
    for leave in [300_000, 0] {
        fill(&ballast, leave);
        made.append(&mut many_create_until_refused(&api).await);
        let long = "Rita ".repeat(20);
        let rename = browser.post_form(PROFILE, &[("name", &*long), ("time_zone", "UTC")]).await;
        if rename.status != 303 {
            is_away(&rename);
            assert!(seen(rename.text()).contains("try again in a few seconds"), "{rename}");
        }
        all_there(&api, &made).await;
        browser.get(PROFILE).await.is(200);
        assert!(!server.has_ended_within(Duration::ZERO).await, "{}", server.log());

        fs::remove_file(&ballast).expect("the ballast");
        made.push(works_again(&api).await);
        all_there(&api, &made).await;
        // What a server finds that starts on what this one leaves when it is killed.
        copy(&server, &disk, &host.data_dir());
        let mut second = host.serve(&[]);
        all_there(&second.with_key(&key), &made).await;
        assert_eq!(host.texts("pragma integrity_check").await, ["ok"]);
        second.terminate();
    }
}

/// Lets calls of a process fail for as long as it lives. What calls, and how, strace says.
struct Failing(Child);

impl Failing {
    async fn start(server: &Server, file: &Path, calls: &str, how: &str) -> Self {
        let process = server.process().to_string();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
        strace.args(["-e", &format!("inject={calls}:{how}"), "-P"]).arg(file).args(["-p", &process]);
        let mut child = strace.stderr(Stdio::piped()).spawn().expect("strace runs");
        until("every thread of the server is traced", async || {
            if child.try_wait().expect("its state").is_some() {
                let mut why = String::new();
                let _ = child.stderr.take().expect("its errors").read_to_string(&mut why);
                panic!("strace must be allowed to trace another process (root is): {why}");
            }
            let mut threads = fs::read_dir(format!("/proc/{process}/task")).expect("its threads");
            let traced = threads.all(|thread| {
                let status = fs::read_to_string(thread.expect("a thread").path().join("status")).unwrap_or_default();
                !status.contains("TracerPid:\t0")
            });
            traced.then_some(())
        })
        .await;
        Failing(child)
    }

    /// The calls work again.
    fn end(mut self) {
        // Asked to end, strace lets go of the process.
        signal(self.0.id(), "TERM");
        self.0.wait().expect("strace ends");
    }
}

#[actix_web::test]
async fn a_disk_that_fails_for_a_while_refuses_writes_answers_reads_and_loses_nothing_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let mut server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    let log = host.data_dir().join("latchkey.db-wal");
    let mut made = vec![me.has(json!({})).await];
    for (calls, how) in [
        // What a file system says that was turned read-only. (One with open files cannot be, but by its own faults.)
        ("pwrite64", "error=EROFS"),
        // In the middle of a transaction that several share.
        ("pwrite64", "error=ENOSPC:when=7+5"),
        ("pwrite64", "error=EIO:when=3+4"),
        // The commit itself.
        ("fsync,fdatasync", "error=EIO"),
        ("fsync,fdatasync", "error=EIO:when=2+3"),
    ] {
        let failing = Failing::start(&server, &log, calls, how).await;
        made.append(&mut many_create_until_refused(&me.api).await);
        for id in &made {
            me.api.get(&at(id)).await.is(200);
        }
        me.browser.get(PROFILE).await.is(200);
        failing.end();
        made.push(works_again(&me.api).await);
        all_there(&me.api, &made).await;
        assert!(!server.has_ended_within(Duration::ZERO).await, "{}", server.log());
        assert_eq!(host.texts("pragma integrity_check").await, ["ok"], "{calls} {how}");
    }
    drop(server);
    let server = host.serve(&[]);
    all_there(&server.with_key(&me.key), &made).await;
    assert_eq!(host.texts("pragma integrity_check").await, ["ok"]);
}

#[actix_web::test]
async fn who_is_refused_for_what_another_has_just_written_is_told_so_when_that_is_kept_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    let log = host.data_dir().join("latchkey.db-wal");
    let id = me.has(json!({})).await;
    let delete_at_once = async || {
        let all: Vec<_> = (0..6).map(|_| rt::spawn(me.api.delete(&at(&id)).into_future())).collect();
        let mut statuses = Vec::new();
        for one in all {
            statuses.push(one.await.expect("an answer").status);
        }
        statuses
    };
    // The first is not yet kept when the others find the property gone; and then it is there again.
    let failing = Failing::start(&server, &log, "fsync,fdatasync", "error=EIO:delay_enter=50ms").await;
    for _ in 0..5 {
        assert_eq!(delete_at_once().await, [503; 6], "nothing is deleted, nor gone");
    }
    failing.end();
    me.api.get(&at(&id)).await.is(200);
    let mut statuses = delete_at_once().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404, 404, 404]);
}

/// Nowhere but in the data folder, the first word, can a file be made for the time being.
const WITHOUT_TEMPORARY_FOLDERS: &str = r#"mount --bind "$0" "$0" && mount --rbind /tmp /tmp &&
    mount -o remount,bind,ro,nosuid,nodev /tmp && mount -t tmpfs -o ro none /var/tmp && cd /proc && exec "$@""#;

#[actix_web::test]
async fn large_lists_are_sorted_without_a_folder_for_temporary_files_on_sqlite() {
    const PROPERTIES_MADE: i64 = 300_000;
    let host = Host::new().await;
    let mut server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    server.with_key(&me.key).post(PROPERTIES, &body(json!({}))).await.is(201);
    server.terminate();
    // Copies of that property, and of its place in its group.
    let columns = async |table: &str| {
        let names = "select group_concat(name, ', ') from pragma_table_info";
        host.texts(&format!("{names}('{table}') where name not in ('id', 'property_id')")).await.remove(0)
    };
    let (of_property, of_link) = (columns("properties").await, columns("group_properties").await);
    let numbers =
        format!("with recursive n (i) as (select 2 union all select i + 1 from n where i < {PROPERTIES_MADE})");
    let number = "cast(substr('0000000000000000' || i, -16) as blob)";
    host.sql(&format!(
        "insert into properties (id, {of_property}) {numbers} select {number}, {of_property} from n, properties"
    ))
    .await;
    host.sql(&format!(
        "insert into group_properties (property_id, {of_link}) {numbers} select {number}, {of_link} from n, group_properties"
    ))
    .await;
    host.count_totals().await;

    let data = host.data_dir();
    let mut serve = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    serve.env_remove("TMPDIR").env_remove("SQLITE_TMPDIR");
    let how = if is_root() { "-m" } else { "-rm" };
    let outer = ["unshare", how, "sh", "-c", WITHOUT_TEMPORARY_FOLDERS, data.to_str().expect("a name")];
    let server = host.start(run_by(&outer, &serve)).serving();
    let api = server.with_key(&me.key);
    for order in ["order[inserted_at]=desc", "order[title]=desc"] {
        let list = api.get(&format!("{PROPERTIES}?{order}")).await.is(200);
        assert_eq!(list.json()["meta"]["total"], PROPERTIES_MADE, "{order}");
    }
}
