//! The browser itself: a test without JavaScript, or in the dark, must be just that.

use thirtyfour::prelude::*;

use crate::{
    axe::violations,
    chrome::{Browser, Scheme},
    probe,
};

#[actix_web::test]
async fn with_javascript_off_a_page_runs_no_script() {
    let browser = Browser::open(1280, Scheme::Light, false).await;
    browser.visit(probe::url()).await;
    assert_eq!(browser.title().await.unwrap(), probe::WITHOUT_SCRIPT);
    assert_eq!(browser.find_all(By::Css("noscript p")).await.unwrap().len(), 1);

    let browser = Browser::open(1280, Scheme::Light, true).await;
    browser.visit(probe::url()).await;
    assert_eq!(browser.title().await.unwrap(), probe::WITH_SCRIPT);
}

#[actix_web::test]
async fn width_and_colours_are_what_the_test_asks_for() {
    let mut browser = Browser::open(360, Scheme::Dark, true).await;
    for (width, scheme, dark) in [(360, Scheme::Dark, true), (1280, Scheme::Light, false), (360, Scheme::Dark, true)] {
        browser.look(width, scheme).await;
        browser.visit(probe::url()).await;
        let is_dark = browser.run("return matchMedia('(prefers-color-scheme: dark)').matches").await;
        assert_eq!((browser.run("return innerWidth").await, is_dark), (width.into(), dark.into()));
        browser.assert_no_sideways_scroll().await;
    }
}

#[actix_web::test]
#[should_panic(expected = "px wide in a window of 360 px")]
async fn a_page_that_is_too_wide_is_found() {
    let browser = Browser::open(360, Scheme::Light, true).await;
    browser.visit(probe::url()).await;
    browser.run("document.body.style = 'margin: 0; width: 400px'").await;
    browser.assert_no_sideways_scroll().await;
}

#[actix_web::test]
#[should_panic(expected = "complains in the console")]
async fn an_error_in_the_console_is_found() {
    let browser = Browser::open(360, Scheme::Light, true).await;
    browser.visit(probe::url()).await;
    browser.assert_quiet_console().await;
    browser.run("console.error('lost')").await;
    browser.assert_quiet_console().await;
}

#[actix_web::test]
async fn an_image_without_words_is_not_accessible_with_javascript_or_without() {
    for javascript in [true, false] {
        let browser = Browser::open(1280, Scheme::Light, javascript).await;
        browser.visit(probe::url()).await;
        assert_eq!(violations(&browser).await, "");
        browser.run("document.querySelector('main').append(new Image())").await;
        let found = violations(&browser).await;
        assert!(found.starts_with("image-alt (critical): "), "{found}");
    }
}

#[actix_web::test]
async fn the_clipboard_can_be_read() {
    let browser = Browser::open(1280, Scheme::Light, true).await;
    browser.visit(probe::url()).await;
    browser.grant_clipboard(probe::url()).await;
    browser.run("return navigator.clipboard.writeText('a key')").await;
    assert_eq!(browser.clipboard().await, "a key");
}
