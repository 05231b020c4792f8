//! What was entered into a form while its session ended: kept on the server, for the same browser, for an hour.

use crate::browser::{Browser, NEW_KEY};
use crate::page::typed;
use crate::people::world;
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

/// The way back that the sign-in page of a refused form knows.
async fn way_back(browser: &Browser, answer: &Response) -> String {
    let sign_in = answer.header("location").expect("where it leads");
    typed(&browser.get(sign_in).await.is(200), "return_to").expect("the way back")
}

async fn kept(server: &Server) -> u64 {
    server.count("kept_forms").await
}

#[actix_web::test]
async fn a_long_form_comes_back_whole_and_never_travels_in_an_address() {
    let (server, me) = world().await;
    let ids = (0..1000).map(|number| format!("01a226cd-a15d-74ae-b266-{number:012}")).collect::<Vec<_>>().join("\n");
    server.sql("delete from sessions").await;
    let fields = [("title", "Night audit"), ("access", "chosen"), ("further", &*ids)];
    let away = me.browser.post_form(NEW_KEY, &fields).await.is(303);
    let sign_in = away.header("location").expect("where it leads");
    assert!(sign_in.len() < 200 && !sign_in.contains("Night"), "{sign_in}");
    let back = way_back(&me.browser, &away).await;
    me.browser.sign_in(&me.user.email, &me.user.password).await.is(303);
    for _ in 0..2 {
        let form = me.browser.get(&back).await.is(200);
        assert_eq!(typed(&form, "title").as_deref(), Some("Night audit"));
        assert!(form.text().contains("01a226cd-a15d-74ae-b266-000000000999"), "all ids came back");
    }
}

#[actix_web::test]
async fn it_is_shown_to_the_browser_that_sent_it_alone_and_for_an_hour() {
    let (server, me) = world().await;
    let other = server.signed_in(&me.user).await;
    server.set_moment("sessions", "confirmed_at", -601).await;
    let fields = [("title", "Night audit"), ("name", "Elsewhere")];
    let asked = me.browser.post_form(NEW_KEY, &fields).await.is(303);
    let to = asked.header("location").expect("where it leads").to_owned();
    let back = typed(&me.browser.get(&to).await.is(200), "return_to").expect("the way back");
    let title = async |browser: &Browser, path: &str| typed(&browser.get(path).await.is(200), "title");
    assert_eq!(title(&me.browser, &back).await.as_deref(), Some("Night audit"));
    assert_eq!(title(&other, &back).await.as_deref(), Some(""));
    // On its own page alone.
    let elsewhere = back.replace(NEW_KEY, PROFILE);
    assert_eq!(typed(&me.browser.get(&elsewhere).await.is(200), "name").as_deref(), Some(""));
    for unknown in ["01a226cd-a15d-44ae-b266-128e13f6c172", "x", "%00", ""] {
        assert_eq!(title(&me.browser, &format!("{NEW_KEY}?kept={unknown}")).await.as_deref(), Some(""));
    }
    server.set_moment("kept_forms", "expires_at", -1).await;
    assert_eq!(title(&me.browser, &back).await.as_deref(), Some(""));
}

#[actix_web::test]
async fn strangers_cannot_fill_the_table() {
    let (server, me) = world().await;
    for number in 0..210 {
        server.browser().post_form(NEW_KEY, &[("title", &format!("Stranger {number}"))]).await.is(303);
    }
    assert_eq!(kept(&server).await, 200);
    server.sql("delete from sessions").await;
    for number in 0..25 {
        me.browser.post_form(NEW_KEY, &[("title", &format!("Own {number}"))]).await.is(303);
    }
    assert_eq!(kept(&server).await, 220, "20 of one browser");
    // Nothing is kept of a form without fields, nor of passwords alone.
    let passwords = [("old_password", "x"), ("new_password", "y"), ("code", "123456")];
    let away = server.browser().post_form("/user_profile/password", &passwords).await.is(303);
    assert_eq!(away.header("set-cookie"), None);
    assert_eq!(kept(&server).await, 220);
}
