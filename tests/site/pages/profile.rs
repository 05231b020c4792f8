//! The User Profile page: name, time zone, password.

use crate::browser::{Browser, NEW_KEY};
use crate::html;
use crate::page::{key_titles, problem, seen, typed};
use crate::people::world;
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";
const PASSWORD: &str = "/user_profile/password";

async fn save(browser: &Browser, name: &str, time_zone: &str) -> Response {
    browser.post_form(PROFILE, &[("name", name), ("time_zone", time_zone)]).await
}

async fn change_password(browser: &Browser, old: &str, new: &str) -> Response {
    browser.post_form(PASSWORD, &[("old_password", old), ("new_password", new)]).await
}

/// The choice that stands in the list of time zones.
fn chosen_zone(page: &Response) -> &str {
    let (_, after) = page.text().split_once("<option selected>").unwrap_or_else(|| panic!("none chosen in {page}"));
    after.split('<').next().unwrap_or_default()
}

#[actix_web::test]
async fn a_name_and_a_time_zone_are_saved_and_shown() {
    let (_server, me) = world().await;
    let page = me.browser.get(PROFILE).await.is(200);
    assert_eq!((typed(&page, "name").as_deref(), chosen_zone(&page)), (Some(""), "UTC"));
    assert!(page.text().contains(&me.user.email), "{page}");
    let long = "ü".repeat(255);
    for (name, zone) in
        [("Rita Álvares", "Europe/Lisbon"), ("رِيتا", "Asia/Kathmandu"), (&*long, "America/St_Johns"), ("", "UTC")]
    {
        let saved = save(&me.browser, name, zone).await.is(303);
        let page = me.browser.get(saved.header("location").expect("where it leads")).await.is(200);
        assert!(seen(page.text()).contains("Profile saved."), "{page}");
        // It is said once, and by no address.
        for address in [PROFILE, "/user_profile?notice=saved"] {
            let again = me.browser.get(address).await.is(200);
            assert!(!seen(again.text()).contains("Profile saved."), "{again}");
            assert_eq!(again.header("set-cookie"), None, "a look changes nothing: {again}");
        }
        assert_eq!((typed(&page, "name").as_deref(), chosen_zone(&page)), (Some(name), zone));
        // The header calls a person by name, or else by address.
        let called = if name.is_empty() { &*me.user.email } else { name };
        assert!(page.text().contains(&format!("<span dir=\"auto\">{called}</span>")), "{page}");
    }
    save(&me.browser, "  Rita\u{3000}", "UTC").await.is(303);
    assert_eq!(typed(&me.browser.get(PROFILE).await, "name").as_deref(), Some("Rita"));
}

#[actix_web::test]
async fn what_will_not_do_stays_in_the_form_with_the_reason_beside_it() {
    let (_server, me) = world().await;
    save(&me.browser, "Rita", "Europe/Lisbon").await.is(303);
    for (name, reason) in [
        ("x".repeat(256), "at most 255 characters for the name (you entered 256)"),
        ("🏨".repeat(256), "at most 255 characters for the name (you entered 256)"),
        ("Ri\u{0}ta".to_owned(), "control characters"),
        ("Ri\nta".to_owned(), "control characters"),
        ("Ri\u{1b}[31mta".to_owned(), "control characters"),
        ("Ri\u{202e}ta".to_owned(), "change the text direction"),
        ("\u{200b}\u{2060}".to_owned(), "no visible characters"),
    ] {
        let page = save(&me.browser, &name, "Asia/Tokyo").await.is(422);
        assert_eq!(typed(&page, "name"), Some(name.clone()), "{page}");
        assert_eq!(chosen_zone(&page), "Asia/Tokyo");
        assert!(problem(&page, "name").is_some_and(|told| told.contains(reason)), "{name:?}: {page}");
        assert_eq!(problem(&page, "time_zone"), None);
    }
    for zone in ["", "Europe/Atlantis", "UTC+1", "europe/lisbon ", "../../etc/passwd", "\u{0}", "<b>"] {
        let page = save(&me.browser, "Ana", zone).await.is(422);
        assert_eq!(typed(&page, "name").as_deref(), Some("Ana"));
        assert!(problem(&page, "time_zone").is_some(), "{zone:?}: {page}");
        assert_eq!(problem(&page, "name"), None);
        assert!(!page.text().contains("<b>"), "{page}");
    }
    let both = me.browser.post_form(PROFILE, &[("name", "a\nb")]).await.is(422);
    assert!(problem(&both, "name").is_some() && problem(&both, "time_zone").is_some(), "{both}");
    let page = me.browser.get(PROFILE).await.is(200);
    assert_eq!((typed(&page, "name").as_deref(), chosen_zone(&page)), (Some("Rita"), "Europe/Lisbon"));
}

#[actix_web::test]
async fn what_people_type_is_never_read_as_markup() {
    let (server, me) = world().await;
    let markup = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>'&lt;";
    save(&me.browser, markup, "UTC").await.is(303);
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("name", markup)
        .append_pair("time_zone", markup)
        .append_pair("order", markup)
        .append_pair("notice", markup)
        .append_pair("title", markup)
        .append_pair("return_to", &format!("/{markup}"))
        .finish();
    let host = Server::options().arg("--host-name").arg(markup).arg("--support").arg(markup).start().await;
    for page in [
        me.browser.get(PROFILE).await,
        me.browser.get(&format!("{PROFILE}?{query}")).await,
        me.browser.get(&format!("{NEW_KEY}?{query}")).await,
        server.browser().get(&format!("/sign_in?{query}")).await,
        server.browser().sign_in(markup, "not the password 7").await,
        save(&me.browser, &markup.repeat(9), markup).await,
        me.browser.get(&format!("/{markup}")).await,
        host.browser().get("/sign_in").await,
        host.browser().get("/nothing").await,
    ] {
        for part in ["<script>alert", "<img src=x"] {
            assert!(!page.text().contains(part), "{part} in {page}");
        }
    }
    assert_eq!(typed(&me.browser.get(PROFILE).await, "name").as_deref(), Some(markup));
}

#[actix_web::test]
async fn times_are_shown_in_the_user_s_time_zone() {
    let (server, me) = world().await;
    let email = &*me.user.email;
    server.run(&["subscription", "activate", email, "--until", "2026-03-28T22:30:00Z"]).ok();
    for (zone, text) in [
        ("UTC", "28 Mar 2026, 22:30"),
        ("Asia/Kathmandu", "29 Mar 2026, 04:15"),
        ("America/Los_Angeles", "28 Mar 2026, 15:30"),
        ("Pacific/Kiritimati", "29 Mar 2026, 12:30"),
    ] {
        save(&me.browser, "", zone).await.is(303);
        let page = me.browser.get(PROFILE).await.is(200);
        assert!(seen(page.text()).contains(&format!("Yours ended on {text}")), "{zone}: {page}");
    }
    server.subscribe(email);
    let times = async |zone: &str| {
        save(&me.browser, "", zone).await.is(303);
        let page = me.browser.get(PROFILE).await.is(200);
        let (_, time) = page.text().split_once("<time datetime=\"").expect("a time");
        let (machine, after) = time.split_once("\" title=\"").expect("a machine-readable time");
        (machine.to_owned(), after.split('"').next().unwrap_or_default().to_owned())
    };
    let (machine, utc) = times("UTC").await;
    let (same_machine, elsewhere) = times("Pacific/Kiritimati").await;
    assert_eq!(machine, same_machine);
    assert!(machine.ends_with('Z') && utc != elsewhere, "{machine} {utc} {elsewhere}");
}

#[actix_web::test]
async fn a_new_password_needs_the_old_one_and_ends_all_other_sessions() {
    let (server, me) = world().await;
    let other = server.signed_in(&me.user).await;
    let before = me.browser.cookies().expect("a session");
    let new = "seven boats at noon";
    server.secrets.register("password", new);
    let wrong = change_password(&me.browser, "not the password 7", new).await.is(422);
    assert_eq!(problem(&wrong, "old_password").as_deref(), Some("This is not your current password."));
    assert_eq!(problem(&wrong, "new_password"), None);
    other.get(PROFILE).await.is(200);

    let done = change_password(&me.browser, &me.user.password, new).await.is(303);
    let page = me.browser.get(done.header("location").expect("where it leads")).await.is(200);
    assert!(seen(page.text()).contains("Password changed"), "{page}");
    other.get(PROFILE).await.is(303);
    assert_ne!(me.browser.cookies().as_ref(), Some(&before), "a new session, after a change of rights");
    server.anonymous().get(PROFILE).header("cookie", &before).await.is(303);
    server.browser().sign_in(&me.user.email, &me.user.password).await.is(422);
    server.browser().sign_in(&me.user.email, new).await.is(303);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn weak_passwords_are_refused_with_the_reason_and_never_echoed() {
    let (server, me) = world().await;
    let other = server.signed_in(&me.user).await;
    let old = &*me.user.password;
    let long = (1000..1060).map(|number| format!("{number} ")).collect::<String>();
    for (weak, reason) in [
        ("", "at least 15 characters"),
        ("fourteen chars", "Use at least 15 characters (you entered 14)."),
        ("пароль маяка 7", "Use at least 15 characters (you entered 14)."),
        (&long[..257], "Use at most 256 characters (you entered 257)."),
        ("aaaaaaaaaaaaaaaaaaaa", "too common"),
        ("abcabcabcabcabcabc", "too common"),
        ("QwertyUiopAsdfghjkl", "too common"),
        ("123456789012345", "too common"),
        ("Latchkey-2026-11-23", "the site's name"),
        ("desk@farol.example 1", "or your email"),
    ] {
        let answer = change_password(&me.browser, old, weak).await.is(422);
        let told = problem(&answer, "new_password").unwrap_or_else(|| panic!("no reason for {weak}: {answer}"));
        assert!(told.contains(reason), "{weak}: {told}");
        assert_eq!(problem(&answer, "old_password"), None);
        assert!(weak.len() < 15 || weak.contains('@') || !answer.text().contains(weak), "{weak} in {answer}");
        assert!(!answer.text().contains(old), "{answer}");
        for field in ["old_password", "new_password"] {
            assert_eq!(typed(&answer, field), None, "{answer}");
        }
    }
    let both = change_password(&me.browser, "wrong", "short").await.is(422);
    assert!(problem(&both, "old_password").is_some() && problem(&both, "new_password").is_some(), "{both}");
    me.browser.post_form(PASSWORD, &[]).await.is(422);
    other.get(PROFILE).await.is(200);
    server.signed_in(&me.user).await;
    let longest = &long[..256];
    change_password(&me.browser, old, longest).await.is(303);
    server.browser().sign_in(&me.user.email, longest).await.is(303);
}

#[actix_web::test]
async fn the_host_s_own_name_is_no_password() {
    let server = Server::options().env("LATCHKEY_HOST_NAME", "Stay Sync").start().await;
    let me = server.person("desk@farol.example").await;
    let answer = change_password(&me.browser, &me.user.password, "STAY SYNC 1234567").await.is(422);
    assert!(problem(&answer, "new_password").is_some(), "{answer}");
    assert!(seen(answer.text()).contains("Stay Sync"), "{answer}");
}

#[actix_web::test]
async fn a_form_that_meets_an_ended_session_keeps_what_was_typed_but_no_secret() {
    let (server, me) = world().await;
    let (title, name) = ("Night & Day <audit> = 100 %", "Rita + Ana; Bücher/🏨");
    let secret = "a-lantern-in-the-fog-1";
    server.secrets.register("password", secret);
    for (path, fields, kept) in [
        (NEW_KEY, vec![("title", title), ("form_token", secret)], Some(("title", title))),
        (PROFILE, vec![("name", name), ("time_zone", "Asia/Tokyo")], Some(("name", name))),
        (PASSWORD, vec![("old_password", secret), ("new_password", secret)], None),
        ("/user_profile/withdraw_all_keys", vec![], None),
    ] {
        let browser = server.browser();
        let away = browser.post_form(path, &fields).await.is(303);
        let sign_in = away.header("location").expect("where it leads").to_owned();
        assert!(sign_in.starts_with("/sign_in?") && !sign_in.contains(secret), "{away}");
        let form = browser.get(&sign_in).await.is(200);
        let return_to = typed(&form, "return_to").expect("the way back");
        let sent = [("email", &*me.user.email), ("password", &*me.user.password), ("return_to", &*return_to)];
        let mut back = browser.post_form("/sign_in", &sent).await.is(303);
        while let Some(next) = back.header("location") {
            assert!(next.starts_with('/') && !next.contains(secret), "{back}");
            back = browser.get(next.split('#').next().unwrap_or_default()).await;
        }
        let page = back.is(200);
        if let Some((field, value)) = kept {
            assert_eq!(typed(&page, field).as_deref(), Some(value), "{page}");
        }
        if path == PROFILE {
            assert_eq!(chosen_zone(&page), "Asia/Tokyo");
            assert!(seen(page.text()).contains("not saved yet"), "{page}");
        }
        // Nothing was done behind the person's back.
        assert_eq!(html::keys(page.text()), Vec::<&str>::new());
        let now = browser.get(PROFILE).await.is(200);
        assert_eq!((typed(&now, "name").as_deref(), chosen_zone(&now)), (Some(""), "UTC"));
        assert_eq!(key_titles(&now), ["Front desk"]);
        me.api.get(PROPERTIES).await.is(200);
    }
}

#[actix_web::test]
async fn a_form_too_long_for_an_address_still_leads_through_the_sign_in() {
    let server = Server::start().await;
    for length in [5_000, 20_000, 60_000] {
        let away = server.browser().post_form(NEW_KEY, &[("title", &"é".repeat(length / 6))]).await.is(303);
        let sign_in = away.header("location").expect("where it leads");
        assert!(sign_in.len() < 20_000, "{}", sign_in.len());
        server.browser().get(sign_in).await.is(200);
    }
    let away = server.browser().post_form(NEW_KEY, &[("title", &"x".repeat(70_000))]).await;
    assert!(matches!(away.status, 303 | 413), "{away}");
}

#[actix_web::test]
async fn a_form_over_64_kib_is_refused_with_a_page() {
    let (_server, me) = world().await;
    let padded = |length: usize| {
        let body = format!("name=Rita&time_zone=UTC&padding={}", "x".repeat(length));
        let call = me.browser.post_form(PROFILE, &[]);
        call.body(body)
    };
    for length in [64 * 1024, 70_000, 3_000_000] {
        let answer = padded(length).await.is(413);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{answer}");
        assert!(seen(answer.text()).contains("Too large"), "{answer}");
    }
    assert_eq!(typed(&me.browser.get(PROFILE).await, "name").as_deref(), Some(""));
    padded(64 * 1024 - 100).await.is(303);
    assert_eq!(typed(&me.browser.get(PROFILE).await, "name").as_deref(), Some("Rita"));
}

#[actix_web::test]
async fn a_form_that_is_not_one_is_refused_without_harm() {
    let (_server, me) = world().await;
    for body in ["", "&&&", "=", "name", "%", "name=%FF%FE", "{\"name\":\"Rita\"}", "name=Rita&name=", "\u{0}\u{1}"] {
        for path in [PROFILE, PASSWORD, NEW_KEY] {
            let answer = me.browser.post_form(path, &[]).body(body).await;
            assert!(matches!(answer.status, 400 | 422), "{body:?}: {answer}");
        }
    }
    let page = me.browser.get(PROFILE).await.is(200);
    assert_eq!(typed(&page, "name").as_deref(), Some(""));
    assert_eq!(key_titles(&page), ["Front desk"]);
}
