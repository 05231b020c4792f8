//! The environment in which a host starts the program: variables of an orchestrator, empty ones, another user.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::command::{finish, is_root};
use crate::host::Host;

/// A user that is neither root nor anybody else.
const OTHER: u32 = 41_817;

#[actix_web::test]
async fn what_kubernetes_and_docker_set_for_a_service_of_that_name_does_not_stop_a_start() {
    let host = Host::new().await;
    let mut command = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    for (name, value) in [
        ("LATCHKEY_PORT", "tcp://10.0.0.11:80"),
        ("LATCHKEY_SERVICE_HOST", "10.0.0.11"),
        ("LATCHKEY_SERVICE_PORT", "80"),
        ("LATCHKEY_SERVICE_PORT_HTTP", "80"),
        ("LATCHKEY_PORT_80_TCP", "tcp://10.0.0.11:80"),
        ("LATCHKEY_PORT_80_TCP_ADDR", "10.0.0.11"),
        ("LATCHKEY_PORT_80_TCP_PORT", "80"),
        ("LATCHKEY_PORT_80_TCP_PROTO", "tcp"),
        ("LATCHKEY_DB_SERVICE_HOST", "10.0.0.12"),
        ("LATCHKEY_DB_PORT", "tcp://10.0.0.12:5432"),
        ("LATCHKEY_DB_PORT_5432_TCP_ADDR", "10.0.0.12"),
        ("LATCHKEY_DB_NAME", "/web/latchkey-db"),
        ("LATCHKEY_DB_ENV_POSTGRES_PASSWORD", "of-somebody-else"),
    ] {
        command.env(name, value);
    }
    let server = host.start(command).serving();
    assert!(!server.log().contains("of-somebody-else"), "{}", server.log());
}

#[actix_web::test]
async fn what_is_no_setting_is_refused_and_only_a_close_one_suggested() {
    let host = Host::new().await;
    for (name, suggested) in [
        ("LATCHKEY_DATADIR", Some("LATCHKEY_DATA_DIR")),
        ("LATCHKEY_LISTN", Some("LATCHKEY_LISTEN")),
        ("LATCHKEY_GRACE_DAY", Some("LATCHKEY_GRACE_DAYS")),
        ("LATCHKEY_LOGO", None),
        ("LATCHKEY_PORT", None),
        ("LATCHKEY_COLOUR_OF_THE_SEA", None),
    ] {
        let mut command = host.latchkey(&["user", "list"]);
        command.env(name, "8080");
        let said = finish(command, "").refused(1);
        assert!(said.contains(&format!("There is no setting {name}.")), "{said}");
        match suggested {
            Some(near) => assert!(said.contains(&format!("Did you mean {near}?")), "{said}"),
            None => assert!(!said.contains("Did you mean"), "{said}"),
        }
    }
}

/// All settings, as the help names them.
fn settings(host: &Host) -> Vec<String> {
    let help = host.run(&["--help"]).ok();
    let names = help.split("[env: ").skip(1).map(|rest| rest.split([']', '=']).next().expect("a name").to_owned());
    names.collect()
}

#[actix_web::test]
async fn a_variable_that_is_set_and_empty_counts_as_not_set() {
    let host = Host::new().await;
    let all = settings(&host);
    assert!(all.len() > 20 && all.contains(&"DATABASE_URL".to_owned()), "{all:?}");
    let mut command = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    let needed = ["LATCHKEY_DATA_DIR", "DATABASE_URL", "LATCHKEY_ARGON2_MEMORY_KIB"];
    for name in all.iter().filter(|name| !needed.contains(&name.as_str())) {
        command.env(name, "");
    }
    command.env("RUST_LOG", "").env("LATCHKEY_NOT_A_SETTING", "");
    let server = host.start(command).serving();
    server.anonymous().get("/readyz").await.is(200);
    server.anonymous().get("/api/v1/properties").await.is(401);
    crate::page::until("the log has the request", async || server.log().contains("401").then_some(())).await;
    // Those that the test needs, too: one by one, with the place in a flag.
    let folder = host.data_dir().with_file_name("empty");
    let mut command = host.latchkey(&["migrate", "--data-dir", &folder.to_string_lossy()]);
    command.env("LATCHKEY_DATA_DIR", "").env("DATABASE_URL", "");
    finish(command, "").ok();
    assert!(folder.join("latchkey.db").is_file());
    // Help names a setting all the same.
    let mut help = host.latchkey(&["--help"]);
    help.env("LATCHKEY_BASE_URL", "");
    assert!(finish(help, "").ok().contains("LATCHKEY_BASE_URL"));
}

/// Gives a data folder to another user, who can come to it.
fn give_away(host: &Host, user: u32) {
    let folder = host.data_dir();
    std::fs::set_permissions(folder.parent().expect("above"), PermissionsExt::from_mode(0o755)).expect("permissions");
    for entry in std::fs::read_dir(&folder).into_iter().flatten() {
        chown(entry.expect("a file").path(), Some(user), Some(user)).expect("root may");
    }
    chown(&folder, Some(user), Some(user)).expect("root may");
}

fn owners(host: &Host) -> Vec<(String, u32)> {
    let files = std::fs::read_dir(host.data_dir()).expect("the folder");
    files
        .map(|file| file.expect("a file"))
        .map(|file| (file.file_name().to_string_lossy().into_owned(), file.metadata().expect("its owner").uid()))
        .collect()
}

#[actix_web::test]
async fn commands_of_root_leave_nothing_that_the_server_of_another_user_cannot_open_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() || !is_root() {
        return;
    }
    // Before there is a database, and with a password on standard input.
    std::fs::create_dir(host.data_dir()).expect("a folder");
    give_away(&host, OTHER);
    host.migrate();
    let password = host.new_password();
    host.run_with(&["user", "add", "desk@farol.example"], &password).ok();
    host.run(&["subscription", "activate", "desk@farol.example"]).ok();
    let all = owners(&host);
    assert!(all.len() >= 2 && all.iter().all(|(_, owner)| *owner == OTHER), "{all:?}");
    let mut command = host.latchkey(&["serve", "--listen", "127.0.0.1:0"]);
    command.uid(OTHER).gid(OTHER);
    let server = host.start(command).serving();
    let user = crate::people::User { email: "desk@farol.example".to_owned(), password };
    server.signed_in(&user).await;
    host.run(&["user", "list"]).ok();
    assert!(owners(&host).iter().all(|(_, owner)| *owner == OTHER), "{:?}", owners(&host));
    // A server that root starts is that user's, too.
    drop(server);
    let server = host.serve(&[]);
    let uid = std::fs::metadata(format!("/proc/{}", server.process())).expect("it runs").uid();
    assert_eq!(uid, OTHER);
    let groups = std::fs::read_to_string(format!("/proc/{}/status", server.process())).expect("its state");
    let groups = groups.lines().find_map(|line| line.strip_prefix("Groups:")).expect("its groups").trim().to_owned();
    assert!(groups.split_whitespace().all(|group| group == OTHER.to_string()), "{groups}");
}

#[actix_web::test]
async fn a_command_of_a_third_user_is_refused_with_the_line_to_type_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() || !is_root() {
        return;
    }
    host.add_subscriber("desk@farol.example");
    let as_other = |args: &[&str]| {
        let mut command = host.latchkey(args);
        command.uid(OTHER + 1).gid(OTHER + 1);
        finish(command, "")
    };
    give_away(&host, OTHER);
    let said = as_other(&["user", "invite", "a b@farol.example", "--name", "Rita Á"]).code;
    assert_eq!(said, Some(2), "what is no address is told first");
    let said = as_other(&["user", "invite", "rita@farol.example", "--name", "Rita Á"]).refused(1);
    let line = format!("sudo -u '#{OTHER}' latchkey user invite rita@farol.example --name 'Rita Á'");
    assert!(said.contains(&line), "{said}");
    give_away(&host, 65_534);
    assert!(as_other(&["user", "list"]).refused(1).contains("sudo -u nobody latchkey user list"));
    // A bind mount that Docker made belongs to root.
    let empty = host.data_dir().with_file_name("mount");
    std::fs::create_dir(&empty).expect("a folder");
    let said = as_other(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &empty.to_string_lossy()]).refused(1);
    assert!(said.contains(&format!("chown -R {} {}", OTHER + 1, empty.display())), "{said}");
    assert!(std::fs::read_dir(&empty).expect("a folder").next().is_none());
    // What root left behind in earlier days.
    give_away(&host, OTHER);
    chown(host.data_dir().join("latchkey.db"), Some(0), Some(0)).expect("root may");
    let said = host.run(&["user", "list"]).refused(1);
    assert!(said.contains(&format!("chown -R {OTHER} ")), "{said}");
}

#[actix_web::test]
async fn a_data_folder_that_others_can_look_into_is_told_at_each_start_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let server = host.serve(&[]);
    assert!(!server.log().contains("chmod"), "{}", server.log());
    drop(server);
    let (folder, file) = (host.data_dir(), host.data_dir().join("latchkey.db"));
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("permissions");
    };
    mode(&folder, 0o755);
    let server = host.serve(&[]);
    let line = format!("chmod 700 {}", folder.display());
    crate::page::until("a warning", async || server.log().contains(&line).then_some(())).await;
    assert!(!server.log().contains("chmod 600"), "{}", server.log());
    drop(server);
    mode(&file, 0o644);
    let server = host.serve(&[]);
    let line = format!("chmod 600 {}*", file.display());
    crate::page::until("a warning", async || server.log().contains(&line).then_some(())).await;
}

#[actix_web::test]
async fn a_server_waits_for_one_that_is_about_to_be_gone_on_sqlite() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let first = host.serve(&[]);
    let second = host.start(host.latchkey(&["serve", "--listen", "127.0.0.1:0"]));
    // The second one has looked at the lock when it has the file open.
    crate::page::until("the second waits", async || {
        let open = Command::new("sh").args(["-c", "ls -l /proc/[0-9]*/fd 2>/dev/null"]).output().expect("ls");
        let lock = host.data_dir().join("serve.lock");
        let count = String::from_utf8_lossy(&open.stdout).matches(&*lock.to_string_lossy()).count();
        (count == 2).then_some(())
    })
    .await;
    drop(first);
    let second = second.serving();
    second.anonymous().get("/readyz").await.is(200);
}

#[actix_web::test]
async fn an_address_of_another_database_is_refused_with_an_example_of_one_that_is_taken() {
    let host = Host::new().await;
    let mut command = host.latchkey(&["user", "list"]);
    command.env("DATABASE_URL", "mysql://keeper@localhost/latchkey");
    let said = finish(command, "").refused(1);
    let example = "does not begin with postgres://. Expected: postgres://user:password@host:5432/latchkey.";
    assert!(said.contains(example), "{said}");
}
