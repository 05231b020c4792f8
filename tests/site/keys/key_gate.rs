//! The subscription gate before API keys, and how many there may be.

use crate::browser::{Browser, NEW_KEY};
use crate::html;
use crate::page::{key_rows, key_titles, problem, seen, typed};
use crate::people::world;
use crate::property::{PROPERTIES, UNKNOWN_ID};
use crate::server::Server;

const PROFILE: &str = "/user_profile";
const ALL: &str = "/user_profile/withdraw_all_keys";

async fn profile_text(browser: &Browser) -> String {
    seen(browser.get(PROFILE).await.is(200).text())
}

fn cancel(server: &Server, email: &str) {
    server.run(&["subscription", "cancel", email, "--now"]).ok();
}

#[actix_web::test]
async fn without_a_subscription_there_is_no_section_and_a_line_says_why() {
    let server = Server::options().arg("--support").arg("help@latchkey.example").start().await;
    let user = server.add_user("desk@farol.example");
    let browser = server.signed_in(&user).await;
    let page = browser.get(PROFILE).await.is(200);
    let text = seen(page.text());
    assert!(text.contains("API keys require an active subscription."), "{page}");
    assert!(text.contains("contact help@latchkey.example"), "{page}");
    assert!(!text.contains("API Keys") && !text.contains("Create new API Key"), "{page}");
    assert!(!page.text().contains("/api_keys") && !page.text().contains(ALL), "{page}");
}

#[actix_web::test]
async fn a_subscription_shows_at_the_next_look_without_a_new_sign_in() {
    let server = Server::start().await;
    let user = server.add_user("desk@farol.example");
    let browser = server.signed_in(&user).await;
    assert!(!profile_text(&browser).await.contains("API Keys"));
    server.subscribe(&user.email);
    assert!(profile_text(&browser).await.contains("API Keys"));
    let key = browser.create_key("Front desk").await;
    server.with_key(&key).get(PROPERTIES).await.is(200);
    cancel(&server, &user.email);
    let text = profile_text(&browser).await;
    assert!(!text.contains("API Keys") && text.contains("Yours ended on"), "{text}");
}

#[actix_web::test]
async fn without_a_subscription_the_addresses_of_keys_do_not_exist() {
    let (server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    cancel(&server, &me.user.email);
    for id in [&id, UNKNOWN_ID] {
        for what in ["withdraw", "first_use", "edit", "rotate"] {
            me.browser.get(&format!("/user_profile/api_keys/{id}/{what}")).await.is(404);
        }
        for what in ["withdraw", "edit", "rotate"] {
            let path = format!("/user_profile/api_keys/{id}/{what}");
            me.browser.post_form(&path, &[("form_token", "replaces")]).await.is(404);
        }
    }
    me.browser.get(NEW_KEY).await.is(404);
    let late = me.browser.send_new_key("Too late", &token).await.is(404);
    assert_eq!(html::keys(late.text()), Vec::<&str>::new());
    server.subscribe(&me.user.email);
    let list = me.browser.get(PROFILE).await.is(200);
    assert_eq!(key_titles(&list), ["Front desk"]);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn keys_pause_with_the_subscription_and_work_again_unless_withdrawn() {
    let (server, me) = world().await;
    let other = me.browser.create_key("Night audit").await;
    let withdrawn = me.browser.create_key("Old").await;
    me.browser.withdraw_key(&withdrawn).await;
    cancel(&server, &me.user.email);
    let text = profile_text(&me.browser).await;
    assert!(text.contains("Your 2 active keys are suspended") && text.contains("Withdraw all keys"), "{text}");
    for key in [&me.key, &other] {
        server.with_key(key).get(PROPERTIES).await.is(403);
    }
    server.with_key(&withdrawn).get(PROPERTIES).await.is(401);
    server.subscribe(&me.user.email);
    for key in [&me.key, &other] {
        server.with_key(key).get(PROPERTIES).await.is(200);
    }
    server.with_key(&withdrawn).get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn paused_keys_can_all_be_withdrawn_and_do_not_come_back() {
    let (server, me) = world().await;
    let neighbour = server.person("owner@aurora.example").await;
    let other = me.browser.create_key("Night audit").await;
    cancel(&server, &me.user.email);
    let question = me.browser.get(ALL).await.is(200);
    let text = seen(question.text());
    assert!(text.contains("Your 2 active keys will be withdrawn") && text.contains("cannot be undone"), "{question}");
    server.with_key(&other).get(PROPERTIES).await.is(403);
    let done = me.browser.post_form(ALL, &[]).await.is(303);
    let next = done.header("location").expect("where it leads").to_owned();
    assert!(seen(me.browser.get(&next).await.is(200).text()).contains("All API keys withdrawn"));
    for key in [&me.key, &other] {
        server.with_key(key).get(PROPERTIES).await.is(401);
    }
    assert!(!profile_text(&me.browser).await.contains("paused"));
    me.browser.get(ALL).await.is(303);
    server.subscribe(&me.user.email);
    for key in [&me.key, &other] {
        server.with_key(key).get(PROPERTIES).await.is(401);
    }
    let rows = key_rows(&me.browser.get(PROFILE).await);
    assert!(rows.len() == 2 && rows.iter().all(|row| row.contains("withdrawn")), "{rows:?}");
    neighbour.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn one_paused_key_is_spoken_of_as_one() {
    let (server, me) = world().await;
    cancel(&server, &me.user.email);
    let text = profile_text(&me.browser).await;
    assert!(text.contains("Your 1 active key is suspended") && text.contains("Withdraw the key"), "{text}");
    let question = me.browser.get(ALL).await.is(200);
    assert!(seen(question.text()).contains("Your 1 active key will be withdrawn"), "{question}");
}

#[actix_web::test]
async fn a_subscription_that_has_run_out_closes_the_gate_by_itself() {
    let (server, me) = world().await;
    let email = &*me.user.email;
    server.run(&["subscription", "activate", email, "--until", "2026-03-01"]).ok();
    me.api.get(PROPERTIES).await.is(403);
    let text = profile_text(&me.browser).await;
    assert!(text.contains("Yours ended on 2 Mar 2026, 00:00"), "{text}");
    server.run(&["subscription", "activate", email, "--until", "2999-12-31"]).ok();
    me.api.get(PROPERTIES).await.is(200);
    server.run(&["subscription", "cancel", email]).ok();
    me.api.get(PROPERTIES).await.is(200);
    assert!(profile_text(&me.browser).await.contains("API Keys"));
}

#[actix_web::test]
async fn a_hundred_keys_may_be_active_and_no_more() {
    let (server, me) = world().await;
    let mut last = String::new();
    for number in 2..=100 {
        last = me.browser.create_key(&format!("Key {number}")).await;
    }
    let list = me.browser.get(PROFILE).await.is(200);
    assert_eq!(key_rows(&list).len(), 25);
    assert!(seen(list.text()).contains("Page 1 of 4"), "{list}");
    assert!(seen(list.text()).contains("the limit of 100 active keys"), "{list}");
    assert!(list.text().contains("disabled aria-describedby=\"full\""), "{list}");

    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let refused = me.browser.send_new_key("One more", &token).await.is(422);
    assert_eq!(html::keys(refused.text()), Vec::<&str>::new());
    assert_eq!(typed(&refused, "title").as_deref(), Some("One more"));
    assert!(problem(&refused, "title").is_some_and(|reason| reason.contains("100")), "{refused}");

    let id = me.browser.key_id(&last).await;
    let path = format!("/user_profile/api_keys/{id}/rotate");
    let fields = [("form_token", "rotates-the-hundredth"), ("overlap", "now")];
    let rotated = me.browser.post_form(&path, &fields).await.is(200);
    let new = html::keys(rotated.text())[0].to_owned();
    server.secrets.register("API key", &new);
    server.with_key(&last).get(PROPERTIES).await.is(401);

    me.browser.withdraw_key(&new).await;
    me.browser.create_key("One more").await;
    let text = profile_text(&me.browser).await;
    assert!(text.contains("All 102 Active 100 Withdrawn 2"), "{text}");
}

/// Sends forms at the same moment, over connections that are open already, and counts the keys they have made.
async fn made_by_racing(server: &Server, browser: &Browser, forms: &[(String, Vec<(&str, String)>)]) -> usize {
    let warm = forms.iter().map(|_| actix_web::rt::spawn(browser.get("/sign_in").into_future()));
    for call in warm.collect::<Vec<_>>() {
        call.await.expect("an answer");
    }
    let calls = forms.iter().map(|(path, fields)| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
        actix_web::rt::spawn(browser.post_form(path, &fields).into_future())
    });
    let mut made = 0;
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.expect("an answer");
        let keys = html::keys(answer.text());
        match answer.status {
            200 => {
                server.secrets.register("API key", keys[0]);
                server.with_key(keys[0]).get(PROPERTIES).await.is(200);
                made += 1;
            }
            409 | 422 => assert_eq!(keys, Vec::<&str>::new()),
            _ => panic!("{answer}"),
        }
    }
    made
}

#[actix_web::test]
async fn requests_that_race_for_the_last_key_make_exactly_as_many_as_may_be() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "3").start().await;
    let me = server.person("desk@farol.example").await;
    for round in 0..5 {
        me.browser.post_form(ALL, &[]).await.is(303);
        let forms: Vec<_> = (0..12)
            .map(|number| {
                let token = format!("race-{round}-for-the-last-key-{number}");
                (NEW_KEY.to_owned(), vec![("title", "Racer".to_owned()), ("form_token", token)])
            })
            .collect();
        assert_eq!(made_by_racing(&server, &me.browser, &forms).await, 3);
    }
}

#[actix_web::test]
async fn rotations_that_race_do_not_pass_the_limit() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "1").start().await;
    let me = server.person("desk@farol.example").await;
    let mut key = me.key.clone();
    for round in 0..3 {
        let id = me.browser.key_id(&key).await;
        let forms: Vec<_> = (0..8)
            .map(|number| {
                let token = format!("race-{round}-for-one-rotation-{number}");
                (
                    format!("/user_profile/api_keys/{id}/rotate"),
                    vec![("form_token", token), ("overlap", "now".to_owned())],
                )
            })
            .collect();
        assert_eq!(made_by_racing(&server, &me.browser, &forms).await, 1);
        server.with_key(&key).get(PROPERTIES).await.is(401);
        me.browser.post_form(ALL, &[]).await.is(303);
        key = me.browser.create_key("Front desk").await;
    }
}
