//! Two-factor authentication that the host requires.

use crate::property::PROPERTIES;
use crate::second_factor::{SET_UP, where_needed};
use crate::server::Server;

#[actix_web::test]
async fn every_page_leads_to_setting_it_up_until_that_is_done() {
    let host = crate::host::Host::new().await;
    let user = host.add_subscriber("desk@farol.example");
    let server = where_needed(Server::options()).start_on(&host).serving();
    let me = server.equipped(user).await;
    drop(server);
    let required = where_needed(Server::options()).env("LATCHKEY_REQUIRE_SECOND_FACTOR", "everybody");
    let server = required.start_on(&host).serving();
    let browser = server.signed_in(&me.user).await;
    for path in ["/user_profile", "/properties", "/user_profile/api_keys/new", "/user_profile/sessions", "/your_access"]
    {
        let away = browser.get(path).await.is(303);
        assert_eq!(away.header("location"), Some(SET_UP), "{away}");
    }
    let away = browser.post_form("/user_profile/api_keys/new", &[("title", "Night")]).await.is(303);
    assert_eq!(away.header("location"), Some(SET_UP), "{away}");
    let refused = browser.get(PROPERTIES).await.error_explained("forbidden");
    assert!(refused.text().contains("set up the second factor first"), "{refused}");
    // Keys are what they were.
    server.with_key(&me.key).get(PROPERTIES).await.is(200);
    browser.get("/docs").await.is(200);
    let page = browser.get(SET_UP).await.is(200);
    assert!(page.text().contains("requires two-factor authentication"), "{page}");
    server.enrol(&browser).await;
    browser.get("/user_profile").await.is(200);
    browser.get(PROPERTIES).await.is(200);
    browser.post_form("/sign_out", &[]).await.is(303);
}

#[actix_web::test]
async fn without_secret_keys_it_cannot_be_set_up_or_required_on_postgresql() {
    let host = crate::host::Host::new().await;
    if host.database_url().is_none() {
        return;
    }
    let user = host.add_user("desk@farol.example");
    let server = host.serve(&[]);
    let browser = server.signed_in(&user).await;
    let page = browser.get("/user_profile/second_factor").await.is(200);
    assert!(page.text().contains("cannot be set up here"), "{page}");
    browser.get(SET_UP).await.is(303);
    drop(server);
    let required = Server::options().env("LATCHKEY_REQUIRE_SECOND_FACTOR", "everybody");
    let said = required.start_on(&host).refused();
    assert!(said.contains("LATCHKEY_SECRET_KEYS"), "{said}");
}
