//! The host's secret keys: lost, wrong, and rotated.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::command::{Said, finish};
use crate::host::Host;
use crate::page::{problem, until};
use crate::people::User;
use crate::second_factor::{Factor, KEYS, sign_in};
use crate::server::Server;

const OTHER: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// A server with these keys, on a host.
fn serve(host: &Host, keys: &str) -> Server {
    Server::options().env("LATCHKEY_SECRET_KEYS", keys).start_on(host).serving()
}

fn run(host: &Host, args: &[&str], keys: &str) -> Said {
    let mut command = host.latchkey(args);
    command.env("LATCHKEY_SECRET_KEYS", keys);
    finish(command, "")
}

async fn enrolled(host: &Host, server: &Server) -> (User, Factor) {
    let user = host.add_subscriber("desk@farol.example");
    let factor = server.enrol(&server.signed_in(&user).await).await;
    server.let_codes_be_used_again().await;
    (user, factor)
}

#[actix_web::test]
async fn sqlite_gets_a_file_of_its_own_when_the_first_secret_is_stored() {
    let host = Host::new().await;
    if host.database_url().is_some() {
        return;
    }
    let server = host.serve(&[]);
    let file = host.data_dir().join("secret.keys");
    assert!(!file.exists());
    let (user, factor) = enrolled(&host, &server).await;
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let keys = fs::read_to_string(&file).expect("a file");
    assert_eq!(keys.lines().count(), 1);
    server.secrets.register("secret key", keys.trim());
    let said = host.run(&["secrets", "check"]).ok();
    assert!(said.contains("All of them can be decrypted: 1 secret."), "{said}");
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);

    // Rotated beside the running server.
    server.let_codes_be_used_again().await;
    let said = host.run(&["secrets", "rotate"]).ok();
    assert!(said.contains("Encrypted 1 secret with the key") && said.contains("can be removed from"), "{said}");
    let rotated = fs::read_to_string(&file).expect("a file");
    assert_eq!(rotated.lines().count(), 2);
    assert!(rotated.ends_with(&keys), "the old key stays below the new one");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
    // The old line is not needed any more.
    fs::write(&file, rotated.lines().next().expect("a line")).expect("a file");
    host.run(&["secrets", "check"]).ok();
    server.let_codes_be_used_again().await;
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
    // What was enrolled meanwhile is encrypted with the new key.
    let other = server.person("other@farol.example").await;
    server.enrol(&other.browser).await;
    host.run(&["secrets", "check"]).ok();
    // A file that others can read is reported.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a file");
    assert!(host.run(&["secrets", "check"]).err.contains("can read the secret keys: chmod 600"));
    // The copy in the test's folder is one of the secrets.
    fs::remove_file(&file).expect("a file");
}

#[actix_web::test]
async fn a_missing_key_says_so_and_recovery_codes_still_work() {
    let host = Host::new().await;
    let server = serve(&host, KEYS);
    let (user, factor) = enrolled(&host, &server).await;
    drop(server);
    for keys in [OTHER, "k1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="] {
        let server = serve(&host, keys);
        for _ in 0..5 {
            let refused = sign_in(&server.browser(), &user, &factor.code(0)).await.is(422);
            let told = problem(&refused, "code").expect("a reason");
            assert!(told.contains("Codes cannot be checked just now"), "{told}");
        }
        let told = || server.log().contains("cannot decrypt the secret for the one-time codes");
        until("the log tells of the secret", async || told().then_some(())).await;
        assert!(server.log().contains("secret key k1"), "{}", server.log());
        assert_eq!(server.log().contains("the secret key k1 is missing in"), keys == OTHER, "{}", server.log());
        let number = usize::from(keys != OTHER);
        sign_in(&server.browser(), &user, &factor.recovery[number]).await.is(303);
        let said = run(&host, &["secrets", "check"], keys).refused(1);
        assert!(said.contains("cannot be decrypted"), "{said}");
        drop(server);
    }
    let server = serve(&host, &format!("{OTHER} {KEYS}"));
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
}

#[actix_web::test]
async fn a_secret_does_not_open_for_another_user() {
    let host = Host::new().await;
    let server = serve(&host, KEYS);
    let (user, _) = enrolled(&host, &server).await;
    let other = server.person("other@farol.example").await;
    let others = server.enrol(&other.browser).await;
    server
        .sql(
            "update totp set last_step = 0, sealed = (
            select t.sealed from totp t join users u on u.id = t.user_id where u.email = 'other@farol.example')",
        )
        .await;
    let refused = sign_in(&server.browser(), &user, &others.code(0)).await.is(422);
    assert!(problem(&refused, "code").is_some_and(|told| told.contains("cannot be checked")), "{refused}");
    sign_in(&server.browser(), &other.user, &others.code(0)).await.is(303);
}

#[actix_web::test]
async fn keys_of_the_settings_are_rotated_in_steps_once_every_process_knows_the_new_one() {
    let host = Host::new().await;
    let mut server = serve(&host, KEYS);
    let (user, factor) = enrolled(&host, &server).await;
    // First the command names a new line.
    let said = run(&host, &["secrets", "rotate"], KEYS).ok();
    assert!(said.contains("Put this line before all others"), "{said}");
    let line = said.lines().find(|line| line.len() > 40 && line.contains(':') && !line.contains(' ')).expect("a key");
    let both = format!("{line} {KEYS}");
    if host.database_url().is_some() {
        let refused = run(&host, &["secrets", "rotate"], &both).refused(1);
        assert!(refused.contains("1 running processes do not encrypt with the key"), "{refused}");
    }
    server.terminate();
    let server = serve(&host, &both);
    let said = run(&host, &["secrets", "rotate"], &both).ok();
    assert!(said.contains("Encrypted 1 secret ") && said.contains("can be removed") && said.contains("k1"), "{said}");
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
    drop(server);
    let server = serve(&host, line);
    server.let_codes_be_used_again().await;
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
    run(&host, &["secrets", "check"], line).ok();
}

#[actix_web::test]
async fn keys_that_are_none_are_refused_at_start_without_showing_them() {
    let host = Host::new().await;
    for keys in ["k1", "k1:AAAA", &format!("{KEYS} {KEYS}")] {
        let said = Server::options().env("LATCHKEY_SECRET_KEYS", keys).start_on(&host).refused();
        assert!(said.contains("LATCHKEY_SECRET_KEYS: line"), "{said}");
        assert!(!said.contains("AAAA"), "{said}");
    }
    let missing = host.data_dir().join("nowhere");
    let named = missing.to_string_lossy();
    let said = Server::options().env("LATCHKEY_SECRET_KEYS_FILE", &named).start_on(&host).refused();
    assert!(said.contains("Cannot read the secret keys in"), "{said}");
}
