//! Which databases the program touches: its own. Only what serves or migrates makes one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::command::finish;
use crate::host::Host;
use crate::property::{PROPERTIES, body};

/// Commands that only use a database.
const COMMANDS: [&[&str]; 8] = [
    &["user", "list"],
    &["user", "invite", "desk@farol.example"],
    &["user", "link", "desk@farol.example"],
    &["user", "deactivate", "desk@farol.example"],
    &["subscription", "show", "desk@farol.example"],
    &["subscription", "activate", "desk@farol.example"],
    &["key", "list", "desk@farol.example"],
    &["key", "withdraw", "01a20a38-0000-7000-8000-000000000000"],
];

const ALL: [&[&str]; 4] =
    [&["serve", "--listen", "127.0.0.1:0"], &["demo", "--listen", "127.0.0.1:0"], &["migrate"], &["user", "list"]];

/// Everything that is in a folder, with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<_> = entries
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.to_string_lossy().into_owned(), fs::read(&path).unwrap_or_default()))
        .collect();
    all.sort();
    all
}

#[actix_web::test]
async fn a_command_where_there_is_no_database_says_so_and_makes_nothing() {
    let host = Host::new().await;
    let root = host.data_dir().parent().expect("a folder").to_owned();
    for args in COMMANDS {
        let said = host.run(args).refused(1);
        assert!(said.contains("There is no Latchkey database at "), "{args:?}: {said}");
        match host.database_url() {
            Some(url) => assert!(said.contains(url.rsplit('/').next().expect("a name")), "{said}"),
            None => assert!(said.contains(&*host.data_dir().join("latchkey.db").to_string_lossy()), "{said}"),
        }
    }
    assert!(!host.data_dir().exists() && files(&root).is_empty(), "{:?}", files(&root));
    if host.database_url().is_some() {
        let tables = "select cast(count(*) as text) from pg_class where relnamespace = 'public'::regnamespace";
        assert_eq!(host.texts(tables).await, ["0"]);
        return;
    }
    // Also beside one that is there: in another folder, by another name.
    host.migrate();
    let elsewhere = root.join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let mut lost = host.latchkey(&["user", "list"]);
    lost.env_remove("LATCHKEY_DATA_DIR").current_dir(&elsewhere);
    let said = finish(lost, "").refused(1);
    assert!(said.contains(&*elsewhere.join("latchkey-data/latchkey.db").to_string_lossy()), "{said}");
    assert!(files(&elsewhere).is_empty());
    let misspelt = root.join("dta");
    let said = host.run(&["user", "list", "--data-dir", &misspelt.to_string_lossy()]).refused(1);
    assert!(said.contains("dta/latchkey.db") && !misspelt.exists(), "{said}");
}

#[actix_web::test]
async fn an_older_schema_is_used_by_no_command_before_it_is_migrated() {
    let host = Host::new().await;
    host.add_subscriber("desk@farol.example");
    // As the version before left it: the last migration's table is not there.
    host.sql("delete from _sqlx_migrations where version > 6").await;
    for args in COMMANDS {
        let said = host.run(args).refused(1);
        assert!(said.contains("latchkey migrate") && said.contains("(6, not "), "{args:?}: {said}");
    }
    assert_eq!(host.texts("select cast(max(version) as text) from _sqlx_migrations").await, ["6"]);
}

#[actix_web::test]
async fn migrating_again_changes_nothing_and_says_so() {
    let host = Host::new().await;
    assert!(host.migrate().starts_with("Created the database "));
    let applied = "select cast(version as text) from _sqlx_migrations order by version";
    let before = host.texts(applied).await;
    let again = host.migrate();
    assert!(again.contains("is up to date (schema "), "{again}");
    assert_eq!(host.texts(applied).await, before);
}

#[actix_web::test]
async fn another_programs_file_is_left_as_it_is_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    fs::create_dir(host.data_dir()).expect("a folder");
    for foreign in [
        "create table visits (id integer)",
        "create table users (id integer, name text); insert into users values (1, 'not ours')",
        "create table _sqlx_migrations (version bigint primary key, description text not null, installed_on timestamp,
            success boolean not null, checksum blob not null, execution_time bigint not null);
         insert into _sqlx_migrations values (1, 'users', '2026-01-01', true, x'00', 1);
         create table users (id integer); create table host_values (name text, value blob)",
        "create table _sqlx_migrations (id integer)",
        "pragma journal_mode = wal; create table visits (id integer)",
    ] {
        host.make_sqlite(foreign);
        let before = files(&host.data_dir());
        for args in ALL {
            let said = host.run(args).refused(1);
            assert!(said.contains("data of another program"), "{args:?}: {said}");
            assert_eq!(files(&host.data_dir()), before, "{args:?} after {foreign}");
        }
        fs::remove_file(host.data_dir().join("latchkey.db")).expect("removed");
    }
    fs::write(host.data_dir().join("latchkey.db"), "a letter to a friend, and no database").expect("a file");
    let before = files(&host.data_dir());
    for args in ALL {
        let said = host.run(args).refused(1);
        assert!(said.contains("not an SQLite database"), "{args:?}: {said}");
        assert_eq!(files(&host.data_dir()), before, "{args:?}");
    }
}

#[actix_web::test]
async fn a_file_without_a_byte_is_no_database_yet_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    fs::create_dir(host.data_dir()).expect("a folder");
    let file = host.data_dir().join("latchkey.db");
    fs::write(&file, "").expect("a file");
    assert!(host.run(&["user", "list"]).refused(1).contains("There is no Latchkey database"));
    assert_eq!(files(&host.data_dir()).len(), 1);
    host.serve(&[]).anonymous().get("/readyz").await.is(200);
}

#[actix_web::test]
async fn another_programs_database_is_left_as_it_is_on_postgresql() {
    for foreign in [
        "create table visits (id integer)",
        "create table users (id integer, name text); insert into users values (1, 'not ours')",
        "create table _sqlx_migrations (version bigint primary key, description text not null,
            installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null,
            execution_time bigint not null);
         insert into _sqlx_migrations values (1, 'users', now(), true, '', 1);
         create table users (id integer); create table host_values (name text, value bytea)",
        "create table _sqlx_migrations (id integer)",
        "create sequence visits",
        "create view visits as select 1 as one",
        "create type colour as enum ('red')",
        "create function one() returns integer language sql as 'select 1'",
        "create schema app; create table app.visits (id integer)",
        // The search path leads to a schema that is empty.
        "create schema app; create table public.visits (id integer); do $$ begin
            execute format('alter database %I set search_path = app', current_database()); end $$",
    ] {
        let host = Host::new().await;
        if host.database_url().is_none() {
            return;
        }
        host.sql_batch(foreign).await;
        let count = "select cast(count(*) as text) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
        let before = host.texts(count).await;
        for args in ALL {
            let said = host.run(args).refused(1);
            assert!(said.contains("data of another program"), "{args:?} after {foreign}: {said}");
        }
        assert_eq!(host.texts(count).await, before, "{foreign}");
        assert!(!host.data_dir().exists());
    }
}

#[actix_web::test]
async fn a_schema_of_its_own_and_the_things_of_extensions_are_fine_on_postgresql() {
    let host = Host::new().await;
    if host.database_url().is_none() {
        return;
    }
    host.sql_batch(
        "create extension if not exists pg_trgm; create schema latchkey; do $$ begin
            execute format('alter database %I set search_path = latchkey', current_database()); end $$",
    )
    .await;
    host.migrate();
    // What comes beside it later is none of its business.
    host.sql_batch("create table public.visits (id integer)").await;
    let user = host.add_subscriber("desk@farol.example");
    host.serve(&[]).signed_in(&user).await;
}

#[actix_web::test]
async fn missing_rights_are_told_with_the_line_that_gives_them_on_postgresql() {
    let host = Host::new().await;
    let Some(url) = host.database_url() else { return };
    let role = format!("keeper_{}", uuid::Uuid::now_v7().simple());
    host.sql_batch(&format!("create role {role} login")).await;
    let mut theirs = url::Url::parse(&url).expect("a URL");
    theirs.set_username(&role).expect("a name");
    let run = |args: &[&str]| {
        let mut command = host.latchkey(args);
        command.env("DATABASE_URL", theirs.as_str());
        command
    };
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"]] {
        let said = finish(run(args), "").refused(1);
        assert!(said.contains("permission denied for schema public"), "{said}");
        assert!(said.contains(&format!("grant all on schema public to \"{role}\";")), "{said}");
        assert!(!said.contains("at line"), "{said}");
    }
    host.migrate();
    let said = finish(run(&["user", "list"]), "").refused(1);
    assert!(said.contains(&format!("grant all on all tables in schema public to \"{role}\";")), "{said}");
    host.sql_batch(&format!(
        "grant all on schema public to \"{role}\"; grant all on all tables in schema public to \"{role}\";"
    ))
    .await;
    assert!(finish(run(&["user", "list"]), "").ok().contains("No users yet"));
    host.sql_batch(&format!("drop owned by {role}; drop role {role}")).await;
}

#[actix_web::test]
async fn a_demo_does_not_even_migrate_what_no_demo_made() {
    let host = Host::new().await;
    host.add_subscriber("desk@farol.example");
    host.sql("delete from _sqlx_migrations where version > 6").await;
    let said = host.run(&["demo", "--listen", "127.0.0.1:0"]).refused(1);
    assert!(said.contains("data that no demo created"), "{said}");
    assert_eq!(host.texts("select cast(max(version) as text) from _sqlx_migrations").await, ["6"]);
}

#[actix_web::test]
async fn a_lock_that_is_a_link_is_not_followed_and_nothing_is_emptied_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    host.migrate();
    let victim = host.data_dir().with_file_name("victim");
    for lock in ["serve.lock", "migrate.lock"] {
        let path = host.data_dir().join(lock);
        let _ = fs::remove_file(&path);
        fs::write(&victim, "precious").expect("a file");
        symlink(&victim, &path).expect("a link");
        let said = host.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1);
        assert!(said.contains(lock) && said.contains("symbolic link"), "{said}");
        assert_eq!(fs::read_to_string(&victim).expect("it is there"), "precious");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "a note").expect("a file");
    }
    host.serve(&[]).anonymous().get("/readyz").await.is(200);
    for lock in ["serve.lock", "migrate.lock"] {
        assert_eq!(fs::read_to_string(host.data_dir().join(lock)).expect("it is there"), "a note");
    }
}

#[actix_web::test]
async fn a_deleted_text_does_not_stay_in_the_file_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let mut server = host.serve(&[]);
    let me = server.person("desk@farol.example").await;
    // Some that stays keeps its neighbours' pages in use.
    for round in 0..20 {
        let text = format!("the wifi of room {round} is swordfish-in-the-bay {}", "and so on ".repeat(40));
        let content = serde_json::json!({ "content": { "description": text } });
        let made = me.api.post(PROPERTIES, &body(content)).await.is(201);
        if round % 2 == 1 {
            let id = made.json()["data"]["id"].as_str().expect("an id").to_owned();
            me.api.delete(&format!("{PROPERTIES}/{id}")).await.is(200);
        }
    }
    assert!(server.terminate().success());
    let file = String::from_utf8_lossy(&host.contents()).into_owned();
    for round in 0..20 {
        let is_there = file.contains(&format!("room {round} is swordfish"));
        assert_eq!(is_there, round % 2 == 0, "room {round}");
    }
    assert_eq!(file.matches("swordfish-in-the-bay").count(), 10);
}
