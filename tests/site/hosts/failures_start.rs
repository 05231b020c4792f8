//! Starting: many at once, beside each other, and where it cannot go well.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::command::{finish, is_root};
use crate::host::Host;
use crate::property::PROPERTIES;
use crate::server::Server;

#[actix_web::test]
async fn eight_servers_started_at_once_on_an_empty_database() {
    let host = Host::new().await;
    let copy = Server::options().public_url("http://localhost:7001");
    let starting: Vec<_> = (0..8).map(|_| copy.clone().start_on(&host)).collect();
    let (mut serving, mut refused) = (Vec::new(), Vec::new());
    for start in starting {
        match start.ready() {
            Ok(server) => serving.push(server),
            Err(log) => refused.push(log),
        }
    }
    let many = if host.database_url().is_some() { 8 } else { 1 };
    assert_eq!(serving.len(), many, "{refused:?}");
    for log in &refused {
        assert!(log.contains("Another server uses the data folder") && !log.contains("panicked"), "{log}");
    }
    let user = host.add_subscriber("desk@farol.example");
    let browser = serving[0].signed_in(&user).await;
    let key = browser.create_key("Front desk").await;
    // They share the key of the cookies: a session of one is a session of all.
    let cookies = browser.cookies().expect("a session");
    for server in &serving {
        server.with_key(&key).get(PROPERTIES).await.is(200);
        server.anonymous().get("/user_profile").header("cookie", &cookies).await.is(200);
    }
}

#[actix_web::test]
async fn eight_users_added_at_once_to_an_empty_database() {
    let host = Host::new().await;
    host.migrate();
    let adding: Vec<_> = (0..8)
        .map(|number| {
            let command = host.latchkey(&["user", "add", &format!("desk-{number}@farol.example")]);
            let password = host.new_password();
            std::thread::spawn(move || finish(command, &password))
        })
        .collect();
    for added in adding {
        added.join().expect("a command").ok();
    }
    let list = host.run(&["user", "list"]).ok();
    assert_eq!(list.lines().count(), 8, "{list}");
}

#[actix_web::test]
async fn one_user_added_eight_times_at_once_is_there_once() {
    let host = Host::new().await;
    host.migrate();
    let adding: Vec<_> = ["desk@farol.example", "Desk@Farol.example"]
        .repeat(4)
        .into_iter()
        .map(|email| {
            let (command, password) = (host.latchkey(&["user", "add", email]), host.new_password());
            std::thread::spawn(move || finish(command, &password))
        })
        .collect();
    let mut added = 0;
    for said in adding.into_iter().map(|adding| adding.join().expect("a command")) {
        match said.code {
            Some(0) => added += 1,
            _ => {
                let said = said.refused(1);
                assert!(said.contains("already"), "{said}");
            }
        }
    }
    assert_eq!(added, 1);
    assert_eq!(host.run(&["user", "list"]).ok().lines().count(), 1);
}

#[actix_web::test]
async fn a_second_server_is_refused_while_the_first_serves_and_not_after_its_death_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let first = host.serve(&[]);
    let said = host.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1);
    assert!(said.contains("Another server uses the data folder"), "{said}");
    first.anonymous().get("/readyz").await.is(200);
    // Killed, as by a power cut: the lock goes with the process.
    drop(first);
    let second = host.serve(&[]);
    second.anonymous().get("/readyz").await.is(200);
}

#[actix_web::test]
async fn a_taken_port_is_told_in_words() {
    let host = Host::new().await;
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("its address").to_string();
    let said = host.run(&["serve", "--listen", &address]).refused(1);
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
    for nonsense in ["127.0.0.1", "127.0.0.1:99999", "nowhere.invalid:80", ":", ""] {
        let said = host.run(&["serve", "--listen", nonsense]).refused(1);
        assert!(said.contains("Cannot listen on"), "{nonsense}: {said}");
    }
}

#[actix_web::test]
async fn a_data_folder_that_cannot_be_used_is_told_in_words_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    // A folder in the place of the file, a file in the place of the folder, rubbish in the file.
    std::fs::create_dir_all(host.data_dir().join("latchkey.db")).expect("a folder");
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let said = host.run(args).refused(1);
        assert!(said.contains("latchkey.db") && said.contains("Is a directory"), "{said}");
    }
    std::fs::remove_dir_all(host.data_dir()).expect("removed");
    std::fs::write(host.data_dir(), "a file").expect("a file");
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let said = host.run(args).refused(1);
        assert!(said.contains("data folder"), "{said}");
    }
    std::fs::remove_file(host.data_dir()).expect("removed");
    std::fs::create_dir(host.data_dir()).expect("a folder");
    std::fs::write(host.data_dir().join("latchkey.db"), "not a database ".repeat(500)).expect("a file");
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let said = host.run(args).refused(1);
        assert!(said.contains("latchkey.db"), "{said}");
    }
}

#[actix_web::test]
async fn a_data_folder_that_must_not_be_written_is_told_in_words_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    host.migrate();
    let folder = host.data_dir();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("permissions");
    };
    // Root may write everything, so the program runs as nobody, who must be able to come here.
    mode(folder.parent().expect("a folder above"), 0o755);
    let as_nobody = |args: &[&str]| {
        let mut command = host.latchkey(args);
        if is_root() {
            command.uid(65534).gid(65534);
        }
        finish(command, "").refused(1)
    };
    mode(&folder, 0o555);
    for name in std::fs::read_dir(&folder).expect("the data folder") {
        mode(&name.expect("a file").path(), 0o444);
    }
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let said = as_nobody(args);
        assert!(said.contains("writable") && said.contains(&*folder.to_string_lossy()), "{said}");
    }
    mode(&folder, 0o777);
    for name in ["serve.lock", "migrate.lock"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let said = as_nobody(args);
        assert!(said.contains("writable") && said.contains(&*folder.to_string_lossy()), "{said}");
    }
}

#[actix_web::test]
async fn what_a_server_keeps_is_readable_by_its_user_alone_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    host.migrate();
    let mode = std::fs::metadata(host.data_dir()).expect("the data folder").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}
