//! Invitations, by the host and by users.

use serde_json::json;

use crate::mails::{MailServer, outbox};
use crate::page::{seen, until};
use crate::property::PROPERTIES;

const NEW: &str = "seven boats at noon";
const SUBJECT: &str = "You are invited to Latchkey";

#[actix_web::test]
async fn the_host_invites_by_mail_and_prints_a_link_too() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    server.secrets.register("password", NEW);
    let said = server.run(&["user", "invite", "rita@farol.example"]).ok();
    assert!(
        said.contains("/welcome/") && said.contains("good until") && said.contains("invitation is on its way"),
        "{said}"
    );
    let printed = said.lines().next().expect("a link").strip_prefix(&server.base_url).expect("a path").to_owned();
    server.secrets.register("link", printed.rsplit('/').next().expect("a token"));
    let invitation = mail.mail("rita@farol.example", SUBJECT).await;
    assert!(invitation.text().starts_with("You have been invited to Latchkey."), "{}", invitation.text());
    let path = mail.link(&server, "rita@farol.example", SUBJECT).await;
    assert!(path.starts_with("/welcome/") && path != printed);
    let browser = server.browser();
    for _ in 0..5 {
        browser.get(&path).await.is(200);
    }
    browser.post_form(&path, &[("name", "Rita"), ("password", NEW)]).await.is(303);
    // All links that set the first password are used up with one of them.
    browser.get(&printed).await.is(404);
    browser.sign_in("rita@farol.example", NEW).await.is(303);
    // Whoever has just chosen a password is not told of it.
    assert_eq!(mail.accepted().len(), 1);
}

#[actix_web::test]
async fn whom_a_user_gives_access_by_the_api_gets_one_invitation() {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let me = server.person("desk@farol.example").await;
    let mut properties = Vec::new();
    for title in ["Hotel Farol", "Hotel Aurora"] {
        let property = json!({ "property": { "title": title, "currency": "EUR" } });
        properties.push(me.api.post(PROPERTIES, &property).await.is(201).id());
    }
    let invite = async |property: &str| {
        let member =
            json!({ "invite": { "property_id": property, "user_email": "rita@farol.example", "role": "user" } });
        me.api.post("/api/v1/property_users", &member).await.is(201)
    };
    invite(&properties[0]).await;
    let invitation = mail.mail("rita@farol.example", SUBJECT).await;
    assert!(invitation.text().starts_with("desk@farol.example has invited you"), "{}", invitation.text());
    let path = mail.link(&server, "rita@farol.example", SUBJECT).await;
    // Invited to another property before coming, somebody gets one more.
    invite(&properties[1]).await;
    outbox(&server, "invitation", "sent_at", 2).await;
    server.secrets.register(
        "link",
        mail.accepted().last().expect("a mail").path(&server.base_url).rsplit('/').next().expect("a token"),
    );
    let password = server.new_password();
    server.browser().post_form(&path, &[("name", "Rita"), ("password", &password)]).await.is(303);
    let browser = server.browser();
    browser.sign_in("rita@farol.example", &password).await.is(303);
    let page = browser.get("/properties").await.is(200);
    assert!(seen(page.text()).contains("Hotel Farol") && seen(page.text()).contains("Hotel Aurora"), "{page}");
    // Somebody who can sign in needs no invitation.
    let other = server.add_user("other@farol.example");
    let member = json!({ "invite": { "property_id": properties[0], "user_email": other.email, "role": "user" } });
    me.api.post("/api/v1/property_users", &member).await.is(201);
    assert_eq!(server.texts("select to_address from outbox where to_address = 'other@farol.example'").await, [""; 0]);
}

#[actix_web::test]
async fn an_invitation_that_waits_is_not_sent_after_its_user_has_come() {
    let mut mail = MailServer::start();
    mail.end();
    let server = mail.serve().await;
    server.secrets.register("password", NEW);
    let said = server.run(&["user", "invite", "rita@farol.example"]).ok();
    let path = said.lines().next().expect("a link").strip_prefix(&server.base_url).expect("a path").to_owned();
    server.secrets.register("link", path.rsplit('/').next().expect("a token"));
    outbox(&server, "invitation", "last_error", 1).await;
    server.browser().post_form(&path, &[("name", "Rita"), ("password", NEW)]).await.is(303);
    mail.begin();
    server.set_moment("outbox", "next_try_at", -1).await;
    outbox(&server, "invitation", "given_up_at", 1).await;
    assert!(mail.accepted().is_empty());
    until("the list says why", async || {
        server.run(&["mail", "list"]).ok().contains("has signed in already").then_some(())
    })
    .await;
}
