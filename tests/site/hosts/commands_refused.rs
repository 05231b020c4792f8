//! What the command line says to bad input: words, an exit code, and nothing done.

use crate::command::finish;
use crate::host::Host;
use crate::program::bare_latchkey;
use crate::property::UNKNOWN_ID;

/// How clap ends when the command line itself is wrong; what is wrong beyond that ends with 1.
const USAGE: i32 = 2;

#[actix_web::test]
async fn an_unknown_user_is_told_with_the_way_to_add_one() {
    let host = Host::new().await;
    host.add_subscriber("desk@farol.example");
    let email = "nobody@farol.example";
    for args in [
        &["user", "deactivate", email][..],
        &["user", "activate", email],
        &["user", "link", email],
        &["subscription", "show", email],
        &["subscription", "activate", email],
        &["subscription", "cancel", email],
        &["key", "list", email],
    ] {
        let said = host.run(args).refused(1);
        assert!(said.contains("There is no user nobody@farol.example"), "{args:?}: {said}");
        assert!(said.contains("latchkey user add nobody@farol.example"), "{args:?}: {said}");
    }
    let said = host.run_with(&["user", "password", email], &host.new_password()).refused(1);
    assert!(said.contains("There is no user"), "{said}");
    assert_eq!(host.run(&["user", "list"]).ok().lines().count(), 1);
}

#[actix_web::test]
async fn no_link_is_made_for_a_deactivated_user() {
    let host = Host::new().await;
    let email = &*host.add_subscriber("Desk@farol.example").email;
    host.run(&["user", "deactivate", email]).ok();
    let link = ["user", "link", "desk@farol.example", "--base-url", "https://pms.example"];
    let said = host.run(&link).refused(1);
    assert!(said.contains("Desk@farol.example is deactivated"), "{said}");
    assert!(said.contains("latchkey user activate Desk@farol.example"), "{said}");
    host.run(&["user", "activate", email]).ok();
    let printed = host.run(&link).ok();
    let token = crate::command::first_line(&printed).strip_prefix("https://pms.example/welcome/").expect("a link");
    host.secrets.register("one-use link", token);
}

#[actix_web::test]
async fn a_user_is_there_once_in_whatever_case() {
    let host = Host::new().await;
    let user = host.add_subscriber("Desk@Bücher.example");
    for email in ["Desk@Bücher.example", "desk@bücher.example", "DESK@BÜCHER.EXAMPLE", "desk@bu\u{308}cher.example"]
    {
        let said = host.run_with(&["user", "add", email], &host.new_password()).refused(1);
        assert!(said.contains("already"), "{said}");
    }
    assert_eq!(host.run(&["user", "list"]).ok().lines().count(), 1);
    let server = host.serve(&[]);
    server.signed_in(&user).await;
}

#[actix_web::test]
async fn a_bad_password_is_told_and_adds_nobody() {
    let host = Host::new().await;
    host.migrate();
    for (password, reason) in [
        ("", "Enter a password of at least 15 characters."),
        ("\n", "Enter a password of at least 15 characters."),
        ("fourteen chars\n", "(you entered 14)"),
        ("latchkey-2026-11-23\n", "the site's name"),
        ("desk@farol.example 1\n", "or your email"),
        ("123456789012345\n", "too common"),
    ] {
        let said = host.run_with(&["user", "add", "desk@farol.example"], password).refused(1);
        assert!(said.contains(reason), "{password:?}: {said}");
        assert!(password.trim().is_empty() || !said.contains(password.trim()), "{said}");
    }
    let long = "boat ".repeat(60);
    assert!(host.run_with(&["user", "add", "desk@farol.example"], &long).refused(1).contains("Use at most 256"));
    assert!(host.run(&["user", "list"]).ok().starts_with("No users yet"));
    let user = host.add_subscriber("desk@farol.example");
    assert!(host.run_with(&["user", "password", &user.email], "short\n").refused(1).contains("at least 15"));
    host.serve(&[]).signed_in(&user).await;
}

#[actix_web::test]
async fn what_is_no_address_no_date_no_id_and_no_command_is_told_at_once() {
    let host = Host::new().await;
    for email in [
        "",
        " ",
        "desk",
        "desk@",
        "@farol.example",
        "a b@farol.example",
        "desk@farol..example",
        "desk@farol.example\u{1}",
    ] {
        let said = host.run(&["user", "add", email]).refused(USAGE);
        assert!(said.contains("<EMAIL>"), "{email:?}: {said}");
    }
    for date in ["", "tomorrow", "2026-13-01", "2026-02-30", "31.12.2026", "2026-12-31 12:00", "2026-12-31T25:00:00Z"] {
        let said = host.run(&["subscription", "activate", "desk@farol.example", "--until", date]).refused(USAGE);
        assert!(said.contains("--until"), "{date:?}: {said}");
    }
    for id in ["", "1", "0197a3b2", "lk_0197a3b2", &UNKNOWN_ID[1..]] {
        let said = host.run(&["key", "withdraw", id]).refused(USAGE);
        assert!(said.contains("<ID>"), "{id:?}: {said}");
    }
    for args in [&["user", "remove", "a@b.example"][..], &["keys"], &["serve", "now"], &["user"], &["key", "list"]] {
        let said = host.run(args).refused(USAGE);
        assert!(said.contains("--help") || said.contains("Usage"), "{args:?}: {said}");
    }
    assert!(!host.data_dir().exists(), "nothing was even opened");
}

#[actix_web::test]
async fn a_name_that_will_not_do_is_told() {
    let host = Host::new().await;
    host.migrate();
    let long = "x".repeat(256);
    for (name, reason) in [("a\nb", "control characters"), (&*long, "at most 255")] {
        let args = ["user", "add", "desk@farol.example", "--name", name];
        let said = host.run_with(&args, &host.new_password()).refused(1);
        assert!(said.contains(reason), "{said}");
    }
}

#[actix_web::test]
async fn a_setting_out_of_its_range_is_told() {
    let host = Host::new().await;
    for (option, value) in [
        ("--key-prefix", ""),
        ("--key-prefix", "l1"),
        ("--key-prefix", "nineletter"),
        ("--trusted-proxies", "10.0.0.0/33"),
        ("--trusted-proxies", "proxy.example"),
        ("--session-idle-minutes", "0"),
        ("--session-hours", "0"),
        ("--session-hours", "many"),
        ("--max-keys", "x"),
        ("--grace-days", "-1"),
        ("--database-connections", "0"),
        ("--sqlite-synchronous", "off"),
        ("--argon2-at-once", "70000"),
    ] {
        let said = host.run(&["serve", "--listen", "127.0.0.1:0", &format!("{option}={value}")]).refused(USAGE);
        assert!(said.contains(option), "{option}={value}: {said}");
    }
    for (option, value) in [("--argon2-memory-kib", "1"), ("--argon2-iterations", "0")] {
        let said = host.run(&["serve", "--listen", "127.0.0.1:0", option, value]).refused(1);
        assert!(said.contains("password settings"), "{option} {value}: {said}");
    }
}

#[actix_web::test]
async fn settings_with_which_nothing_could_be_done_are_refused() {
    let host = Host::new().await;
    for setting in ["--argon2-at-once=0", "--max-keys=-1"] {
        let command = host.latchkey(&["serve", "--listen", "127.0.0.1:0", setting]);
        let said = host.start(command).refused();
        assert!(!said.contains("panicked"), "{setting}: {said}");
    }
}

#[actix_web::test]
async fn a_base_url_is_scheme_host_and_port_alone() {
    let host = Host::new().await;
    for url in [
        "https://pms.example/latchkey",
        "https://pms.example/?a=b",
        "https://pms.example/#a",
        "https://user@pms.example",
        "https://user:password@pms.example",
        "https://:password@pms.example",
        "ftp://pms.example",
        "pms.example",
        "https://",
        "https:",
        "javascript:alert(1)",
        "",
    ] {
        for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "link", "desk@farol.example"]] {
            let mut all = args.to_vec();
            all.extend(["--base-url", url]);
            let said = host.run(&all).refused(1);
            assert!(said.contains("base URL"), "{url:?}: {said}");
        }
    }
}

#[actix_web::test]
async fn plain_http_off_loopback_must_be_wished_for() {
    let host = Host::new().await;
    let serve = ["serve", "--listen", "127.0.0.1:0", "--base-url", "http://pms.example"];
    for no in ["", "0", "false", "no", "off"] {
        let mut command = host.latchkey(&serve);
        command.env("LATCHKEY_ALLOW_HTTP", no);
        let said = finish(command, "").refused(1);
        assert!(said.contains("LATCHKEY_ALLOW_HTTP=1") && said.contains("plain http"), "{said}");
    }
    let said = host.run(&["serve", "--listen", "0.0.0.0:0"]).refused(1);
    assert!(said.contains("LATCHKEY_ALLOW_HTTP=1") && said.contains("--base-url"), "{said}");
    for yes in ["1", "true"] {
        let mut command = host.latchkey(&serve);
        command.env("LATCHKEY_ALLOW_HTTP", yes);
        let server = host.start(command).serving();
        assert_eq!(server.base_url, "http://pms.example");
    }
    for loopback in ["http://localhost:7001", "http://127.0.0.1:7001/", "http://[::1]:7001", "http://127.8.8.8"] {
        let server = host.serve(&["--base-url", loopback]);
        assert_eq!(server.base_url, loopback.trim_end_matches('/'));
    }
}

#[actix_web::test]
async fn an_unreachable_postgresql_is_told_without_its_password() {
    let host = Host::new().await;
    for (url, told) in [
        ("postgres://keeper:not-for-everybody@127.0.0.1:1/latchkey", "127.0.0.1:1/latchkey"),
        ("postgresql://keeper:not-for-everybody@nowhere.invalid/latchkey", "nowhere.invalid:5432/latchkey"),
        ("mysql://keeper:not-for-everybody@127.0.0.1/latchkey", "postgres://"),
        ("not-for-everybody", "postgres://"),
        ("postgres://keeper:not-for-everybody@127.0.0.1:port/latchkey", "postgres://"),
    ] {
        for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["demo", "--listen", "127.0.0.1:0"], &["user", "list"]]
        {
            let mut by_option = bare_latchkey();
            by_option.args(args).args(["--database-url", url]).env("LATCHKEY_DATA_DIR", host.data_dir());
            let mut by_variable = bare_latchkey();
            by_variable.args(args).env("DATABASE_URL", url).env("LATCHKEY_DATA_DIR", host.data_dir());
            for command in [by_option, by_variable] {
                let said = finish(command, "").refused(1);
                assert!(said.contains(told), "{url}: {said}");
                assert!(!said.contains("not-for-everybody"), "{said}");
            }
        }
    }
    assert!(!host.data_dir().exists(), "nothing was made instead");
}

#[actix_web::test]
async fn a_database_that_does_not_exist_is_told_by_its_name_on_postgresql() {
    let host = Host::new().await;
    let Some(url) = host.database_url() else { return };
    let start = url.rsplit_once('/').expect("a database").0;
    let said = host.run(&["user", "list", "--database-url", &format!("{start}/no_such_database")]).refused(1);
    assert!(said.contains("no_such_database"), "{said}");
}
