//! `latchkey demo`: a first look that touches nothing of anybody's.

use std::process::Command;

use crate::command::finish;
use crate::host::Host;
use crate::html;
use crate::page::{key_titles, typed};
use crate::program::bare_latchkey;
use crate::server::Server;

/// What a demo prints, in its order.
struct Printed {
    email: String,
    password: String,
    curl: String,
    key: String,
}

fn printed(host: &Host, server: &Server) -> Printed {
    let (email, password, curl) = (server.line(), server.line(), server.line());
    let password = password.strip_prefix("Password: ").expect("a password").to_owned();
    let key = html::keys(&curl).first().expect("a key").to_string();
    host.secrets.register("password", &password);
    host.secrets.register("API key", &key);
    let email = email.strip_prefix("Email: ").expect("an email").to_owned();
    Printed { email, password, curl, key }
}

async fn can_be_looked_at(server: &Server, demo: &Printed) {
    assert_eq!(demo.curl, format!("curl -H 'user-api-key: {}' {}/api/v1/properties/", demo.key, server.base_url));
    let said = finish(
        {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{} --silent --show-error --fail --noproxy '*'", demo.curl)]);
            shell
        },
        "",
    );
    let list: serde_json::Value = serde_json::from_str(&said.ok()).expect("JSON");
    assert!(list["data"].as_array().is_some_and(|data| data.len() >= 3), "{list}");
    let browser = server.browser();
    browser.sign_in(&demo.email, &demo.password).await.is(303);
    let page = browser.get("/user_profile").await.is(200);
    assert!(key_titles(&page).contains(&"Demo".to_owned()), "{page}");
    assert_eq!(typed(&page, "name").as_deref(), Some("Demo"));
}

#[actix_web::test]
async fn a_demo_prints_what_one_needs_to_look_around() {
    let host = Host::new().await;
    // Without a named place it makes one, and takes it away again.
    let mut command = bare_latchkey();
    let (work, temporary) = (host.data_dir().join("work"), host.data_dir().join("tmp"));
    for folder in [&work, &temporary] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    command.args(["demo", "--listen", "127.0.0.1:0"]).current_dir(&work).env("TMPDIR", &temporary);
    let mut server = host.start(command).serving();
    let demo = printed(&host, &server);
    can_be_looked_at(&server, &demo).await;
    assert!(std::fs::read_dir(&work).expect("a folder").next().is_none(), "it made something where it was started");
    assert!(std::fs::read_dir(&temporary).expect("a folder").next().is_some());
    assert!(server.terminate().success());
    assert!(std::fs::read_dir(&temporary).expect("a folder").next().is_none(), "it left something behind");
}

#[actix_web::test]
async fn a_demo_on_a_named_place_works_again_and_again() {
    let host = Host::new().await;
    let mut old: Option<Printed> = None;
    for _ in 0..3 {
        let server = host.start(host.latchkey(&["demo", "--listen", "127.0.0.1:0"])).serving();
        let demo = printed(&host, &server);
        can_be_looked_at(&server, &demo).await;
        if let Some(old) = old {
            server.with_key(&old.key).get("/api/v1/properties").await.is(401);
            server.browser().sign_in(&old.email, &old.password).await.is(422);
        }
        old = Some(demo);
    }
    assert_eq!(host.run(&["user", "list"]).ok().lines().count(), 1);
}

#[actix_web::test]
async fn a_demo_leaves_alone_what_no_demo_made() {
    let host = Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    for _ in 0..2 {
        let said = host.run(&["demo", "--listen", "127.0.0.1:0"]).refused(1);
        assert!(said.contains("data that no demo created"), "{said}");
    }
    assert_eq!(host.run(&["user", "list"]).ok(), "desk@farol.example\tactive\t\n");
    let server = host.serve(&[]);
    let browser = server.signed_in(&user).await;
    assert_eq!(key_titles(&browser.get("/user_profile").await), Vec::<String>::new());
}

#[actix_web::test]
async fn a_demo_leaves_alone_an_account_with_its_own_address() {
    let host = Host::new().await;
    let user = host.add_subscriber("demo@latchkey.example");
    host.run(&["demo", "--listen", "127.0.0.1:0"]).refused(1);
    host.serve(&[]).signed_in(&user).await;
}
