//! The page on which people sign in.

use crate::{
    axe::assert_accessible,
    chrome::{Browser, Scheme},
    server::Server,
};

#[actix_web::test]
async fn the_sign_in_page_is_accessible_and_fits_on_a_phone() {
    let server = Server::start().await;
    let mut browser = Browser::open(1280, Scheme::Light, true).await;
    for (width, scheme) in Browser::LOOKS {
        browser.look(width, scheme).await;
        browser.visit(format!("{}/sign_in", server.base_url)).await;
        assert_accessible(&browser).await;
        browser.assert_no_sideways_scroll().await;
        browser.assert_quiet_console().await;
        browser.screenshot("sign-in").await;
    }
}

#[actix_web::test]
async fn a_person_signs_in_with_javascript_and_without() {
    let server = Server::start().await;
    let user = server.add_user("desk@farol.example");
    for javascript in [true, false] {
        let browser = Browser::open(360, Scheme::Light, javascript).await;
        browser.sign_in(&server, &user).await;
        assert_eq!(browser.current_url().await.unwrap().path(), "/user_profile");
    }
}
