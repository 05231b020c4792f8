//! Creating one's own account.

use crate::mails::{MailServer, outbox};
use crate::page::{problem, seen, until};
use crate::server::Server;

const NEW: &str = "seven boats at noon";
const SUBJECT: &str = "Your account at Latchkey";

async fn open(mail: &MailServer) -> Server {
    mail.options().env("LATCHKEY_SIGN_UP", "open").start().await
}

#[actix_web::test]
async fn it_is_closed_unless_the_host_opens_it() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let browser = server.browser();
    browser.get("/sign_up").await.is(404);
    browser.post_form("/sign_up", &[("email", "rita@farol.example")]).await.is(404);
    assert!(!browser.get("/sign_in").await.is(200).text().contains("Sign up"));
    assert_eq!(server.count("outbox").await, 0);
}

#[actix_web::test]
async fn an_account_comes_into_being_when_its_address_is_confirmed() {
    let mail = MailServer::start();
    let server = open(&mail).await;
    server.secrets.register("password", NEW);
    let browser = server.browser();
    assert!(browser.get("/sign_in").await.is(200).text().contains("href=\"/sign_up\""));
    let wrong = browser.post_form("/sign_up", &[("email", "rita")]).await.is(422);
    assert!(problem(&wrong, "email").is_some() && wrong.text().contains("value=\"rita\""), "{wrong}");
    let asked = browser.post_form("/sign_up", &[("email", "rita@farol.example")]).await.is(200);
    assert!(seen(asked.text()).contains("A mail is on its way"), "{asked}");
    let path = mail.link(&server, "rita@farol.example", SUBJECT).await;
    assert_eq!(server.count("users").await, 0);
    for _ in 0..5 {
        browser.get(&path).await.is(200);
        browser.head(&path).await.is(200);
    }
    assert_eq!(server.count("users").await, 0);
    let short = browser.post_form(&path, &[("name", "Rita"), ("password", "short")]).await.is(422);
    assert!(problem(&short, "password").is_some() && short.text().contains("value=\"Rita\""), "{short}");
    browser.post_form(&path, &[("name", "Rita"), ("password", NEW)]).await.is(303);
    browser.post_form(&path, &[("name", "Rita"), ("password", NEW)]).await.is(404);
    browser.sign_in("rita@farol.example", NEW).await.is(303);
    let page = browser.get("/user_profile").await.is(200);
    assert!(page.text().contains("API keys require an active subscription"), "{page}");
    let entries = seen(browser.get("/user_profile/activity").await.is(200).text());
    assert!(entries.contains("Signed up"), "{entries}");
    // A property needs a group, which every account has.
    assert_eq!(server.count("groups").await, 1);
}

#[actix_web::test]
async fn an_address_with_an_account_gets_the_same_response_and_another_mail() {
    let mail = MailServer::start();
    let server = open(&mail).await;
    let user = server.add_user("rita@farol.example");
    let invited = server.run(&["user", "invite", "invited@farol.example"]).ok();
    server.secrets.register("link", invited.lines().next().expect("a link").rsplit('/').next().expect("a token"));
    outbox(&server, "invitation", "sent_at", 1).await;
    let client = server.browser();
    let known = client.post_form("/sign_up", &[("email", &user.email)]).await.is(200);
    let unknown = client.post_form("/sign_up", &[("email", "nobody@farol.example")]).await.is(200);
    assert_eq!(unknown.text().replace("nobody@farol.example", &user.email), known.text());
    let told = mail.mail(&user.email, "You have an account at Latchkey").await;
    assert!(told.text().contains("/sign_in") && told.text().contains("/reset_password"), "{}", told.text());
    mail.link(&server, "nobody@farol.example", SUBJECT).await;
    assert_eq!(
        server.texts("select kind from outbox where user_id is not null order by kind").await,
        ["already_registered", "invitation"]
    );
    // Whoever was invited gets the invitation once more.
    client.post_form("/sign_up", &[("email", "invited@farol.example")]).await.is(200);
    outbox(&server, "invitation", "sent_at", 2).await;
    let last = mail.mails("invited@farol.example", 2).await[1].path(&server.base_url);
    assert!(last.starts_with("/welcome/"), "{last}");
    server.secrets.register("link", last.rsplit('/').next().expect("a token"));
    // A client asks for three in an hour.
    let closed = client.post_form("/sign_up", &[("email", "somebody@farol.example")]).await.is(429);
    assert!(closed.header("retry-after").is_some(), "{closed}");
}

#[actix_web::test]
async fn of_two_links_for_one_address_one_makes_the_account() {
    let mail = MailServer::start();
    let server = open(&mail).await;
    let client = server.browser();
    for _ in 0..2 {
        client.post_form("/sign_up", &[("email", "rita@farol.example")]).await.is(200);
    }
    let mails = mail.mails("rita@farol.example", 2).await;
    let paths: Vec<String> = mails.iter().map(|mail| mail.path(&server.base_url)).collect();
    for path in &paths {
        server.secrets.register("link", path.rsplit('/').next().expect("a token"));
    }
    let passwords = [server.new_password(), server.new_password()];
    let calls = paths.iter().zip(&passwords).map(|(path, password)| client.post_form(path, &[("password", password)]));
    let mut statuses: Vec<u16> = crate::client::at_once(calls).await.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    assert_eq!(server.count("users").await, 1);
    until("no link is left", async || (server.count("user_links").await == 0).then_some(())).await;
}
