//! Proving once more who one is, before a change that gives or widens access.

use serde_json::json;

use crate::browser::NEW_KEY;
use crate::html;
use crate::page::{key_titles, problem, seen, typed};
use crate::people::{Person, world};
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::second_factor::{SET_UP, where_needed};
use crate::server::Server;

const PROFILE: &str = "/user_profile";
const OTHERS: &str = "/user_profile/sessions/sign_out_others";

/// More than ten minutes after the sign-in.
async fn later(server: &Server) {
    server.set_moment("sessions", "confirmed_at", -601).await;
}

/// Where a refused form leads, and from there on.
fn way_back(answer: &Response) -> String {
    let to = answer.header("location").expect("where it leads").to_owned();
    let way = to.strip_prefix("/confirm?return_to=").unwrap_or_else(|| panic!("not to the confirmation: {answer}"));
    url::form_urlencoded::parse(format!("way={way}").as_bytes()).next().expect("a way back").1.into_owned()
}

async fn confirm(me: &Person, return_to: &str) -> Response {
    let fields = [("password", &*me.user.password), ("return_to", return_to)];
    me.browser.post_form("/confirm", &fields).await
}

#[actix_web::test]
async fn each_guarded_form_asks_after_ten_minutes_and_withdrawals_never_do() {
    let (server, me) = world().await;
    let other = server.signed_in(&me.user).await;
    let key = me.browser.key_id(&me.key).await;
    let page = me.browser.get("/user_profile/sessions").await.is(200);
    let end =
        html::form_actions(page.text()).into_iter().find(|action| action.contains("sessions/0")).expect("a session");
    let rotate = format!("{PROFILE}/api_keys/{key}/rotate");
    later(&server).await;
    for path in [NEW_KEY, &rotate, &end, OTHERS] {
        let asked = me.browser.post_form(path, &[]).await.is(303);
        assert!(way_back(&asked).starts_with(path), "{asked}");
    }
    assert_eq!(key_titles(&me.browser.get(PROFILE).await), ["Front desk"]);
    other.get(PROFILE).await.is(200);
    me.api.get(PROPERTIES).await.is(200);
    // Ten minutes are not over.
    server.set_moment("sessions", "confirmed_at", -590).await;
    me.browser.post_form(OTHERS, &[]).await.is(303);
    assert!(seen(me.browser.get("/user_profile/sessions").await.text()).contains("Signed out"));
    // What withdraws or narrows does not ask.
    later(&server).await;
    me.browser.post_form(PROFILE, &[("name", "Rita"), ("time_zone", "UTC")]).await.is(303);
    me.browser.withdraw_key(&me.key).await;
    me.api.get(PROPERTIES).await.is(401);
    me.browser.post_form("/user_profile/withdraw_all_keys", &[]).await.is(303);
    assert!(seen(me.browser.get(PROFILE).await.text()).contains("All API keys withdrawn."));
    me.browser.post_form("/sign_out", &[]).await.is(303);
}

#[actix_web::test]
async fn after_a_confirmation_the_form_is_as_it_was_filled_in_and_makes_one_key() {
    let (server, me) = world().await;
    let form = me.browser.get(NEW_KEY).await.is(200);
    let token = typed(&form, "form_token").expect("a form token");
    let title = "Night & Day <audit> = 100 %";
    let fields = [("title", title), ("form_token", &*token), ("access", "all"), ("read_only", "on")];
    later(&server).await;
    let asked = me.browser.post_form(NEW_KEY, &fields).await.is(303);
    let (to, back) = (asked.header("location").expect("where it leads").to_owned(), way_back(&asked));
    assert!(!to.contains("Night") && !back.contains("Night") && !back.contains(&token), "{asked}");
    let page = me.browser.get(&to).await.is(200);
    assert!(page.text().contains("<title>Confirm it is you"), "{page}");
    assert_eq!(typed(&page, "return_to").as_deref(), Some(&*back));
    // A wrong password changes nothing and loses nothing.
    let wrong =
        me.browser.post_form("/confirm", &[("password", "not the password"), ("return_to", &*back)]).await.is(422);
    assert!(problem(&wrong, "password").is_some(), "{wrong}");
    assert_eq!(typed(&wrong, "return_to").as_deref(), Some(&*back));
    let done = confirm(&me, &back).await.is(303);
    assert_eq!(done.header("location"), Some(&*back));
    let form = me.browser.get(&back).await.is(200);
    assert_eq!(typed(&form, "title").as_deref(), Some(title), "{form}");
    assert_eq!(typed(&form, "form_token").as_deref(), Some(&*token), "the form token is still good");
    assert_eq!(html::choices(form.text(), "read_only").iter().filter(|(_, ticked)| *ticked).count(), 1, "{form}");
    let made = me.browser.register(me.browser.post_form(NEW_KEY, &fields).await).is(200);
    assert!(!html::keys(made.text()).is_empty(), "{made}");
    let again = me.browser.post_form(NEW_KEY, &fields).await.is(409);
    assert_eq!(html::keys(again.text()), Vec::<&str>::new(), "{again}");
    assert_eq!(key_titles(&me.browser.get(PROFILE).await).len(), 2);
}

#[actix_web::test]
async fn a_confirmation_changes_the_session_s_id_and_the_old_one_is_dead() {
    let (server, me) = world().await;
    later(&server).await;
    let old = me.browser.cookies().expect("a session");
    confirm(&me, PROFILE).await.is(303);
    assert_ne!(me.browser.cookies().as_ref(), Some(&old));
    me.browser.get(PROFILE).await.is(200);
    let stolen = server.anonymous();
    stolen.get(PROFILE).header("cookie", &old).await.is(303);
    stolen.get(PROPERTIES).header("cookie", &old).await.error("unauthorized");
    assert_eq!(server.count("sessions").await, 1, "it is the same session");
    me.browser.post_form(OTHERS, &[]).await.is(303);
    // Signed out meanwhile.
    server.sql("delete from sessions").await;
    let answer = confirm(&me, PROFILE).await.is(303);
    assert!(answer.header("location").is_some_and(|to| to.starts_with("/sign_in")), "{answer}");
    let recorded = "select kind from activity where kind in ('sign_in', 'confirmed') order by id";
    assert_eq!(server.texts(recorded).await, ["sign_in", "confirmed"]);
}

#[actix_web::test]
async fn the_way_back_of_a_confirmation_is_of_this_site_alone() {
    let (_server, me) = world().await;
    for evil in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/ x"] {
        let back = confirm(&me, evil).await.is(303);
        assert_eq!(back.header("location"), Some(PROFILE), "{evil}");
    }
}

#[actix_web::test]
async fn a_confirmation_of_a_clock_that_was_ahead_counts_for_nothing() {
    let (server, me) = world().await;
    server.set_moment("sessions", "confirmed_at", 86_400).await;
    let asked = me.browser.post_form(NEW_KEY, &[("title", "Night audit")]).await.is(303);
    way_back(&asked);
}

#[actix_web::test]
async fn who_calls_the_api_with_a_session_gives_no_access_after_ten_minutes() {
    let (server, me) = world().await;
    let guest = server.person("guest@farol.example").await;
    let property = json!({ "property": { "title": "Farol", "currency": "EUR" } });
    let property = me.api.post(PROPERTIES, &property).await.is(201).id();
    let group = me.api.post("/api/v1/groups", &json!({ "group": { "title": "Both" } })).await.is(201).id();
    let invite =
        |role: &str| json!({ "invite": { "property_id": property, "user_email": guest.user.email, "role": role } });
    let into_group = format!("/api/v1/groups/{group}/properties/{property}");
    let role = |role: &str| json!({ "property_user": { "role": role } });
    later(&server).await;
    let asks = |answer: Response| {
        let refused = answer.error_explained("forbidden");
        assert!(refused.text().contains("confirm it is you at /confirm first"), "{refused}");
    };
    asks(me.browser.post("/api/v1/property_users", &invite("user")).await);
    asks(me.browser.post(&into_group, &json!({})).await);
    // A key is not asked; it has its own rights.
    let link = me.api.post("/api/v1/property_users", &invite("user")).await.is(201).id();
    let link = format!("/api/v1/property_users/{link}");
    asks(me.browser.put(&link, &role("owner")).await);
    confirm(&me, PROFILE).await.is(303);
    me.browser.put(&link, &role("owner")).await.is(200);
    later(&server).await;
    // What narrows is never asked for.
    me.browser.put(&link, &role("user")).await.is(200);
    me.browser.delete(&link).await.is(200);
    me.browser.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn setting_up_a_second_factor_asks_before_the_secret_is_shown() {
    let server = where_needed(Server::options()).start().await;
    let me = server.person("desk@farol.example").await;
    later(&server).await;
    for answer in [me.browser.get(SET_UP).await.is(303), me.browser.post_form(SET_UP, &[("code", "1")]).await.is(303)] {
        assert!(way_back(&answer).starts_with(SET_UP), "{answer}");
    }
    assert_eq!(server.count("totp").await, 0);
    confirm(&me, SET_UP).await.is(303);
    me.browser.get(SET_UP).await.is(200);
}
