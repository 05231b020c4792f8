//! The API Keys section: making keys, seeing them, withdrawing them.

use crate::browser::{Browser, NEW_KEY};
use crate::html;
use crate::page::{key_rows, key_titles, problem, seen, typed};
use crate::people::world;
use crate::property::PROPERTIES;
use crate::response::Response;

const PROFILE: &str = "/user_profile";

/// A token of a form that nobody has sent yet.
async fn form_token(browser: &Browser) -> String {
    let form = browser.get(NEW_KEY).await.is(200);
    html::input_value(form.text(), "form_token").expect("a form token")
}

/// The one key that the answer shows.
fn shown(answer: &Response) -> String {
    let keys = html::keys(answer.text());
    let first = *keys.first().unwrap_or_else(|| panic!("no key in {answer}"));
    assert!(keys.iter().all(|key| *key == first), "two keys in {answer}");
    first.to_owned()
}

fn shows_no_key(answer: &Response) {
    assert_eq!(html::keys(answer.text()), Vec::<&str>::new(), "{answer}");
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        assert!(html::keys(&value).is_empty(), "a key in {name} of {answer}");
    }
}

#[actix_web::test]
async fn the_profile_has_a_section_with_a_button_that_opens_the_form() {
    let (_server, me) = world().await;
    let page = me.browser.get(PROFILE).await.is(200);
    let text = seen(page.text());
    assert!(text.contains("API Keys") && text.contains("Create new API Key"), "{page}");
    assert!(html::form_actions(page.text()).contains(&NEW_KEY.to_owned()), "{page}");
    let form = me.browser.get(NEW_KEY).await.is(200);
    let text = seen(form.text());
    assert!(text.contains("Title") && text.contains("Create"), "{form}");
    assert_eq!(typed(&form, "title").as_deref(), Some(""));
    assert!(form.text().contains(r#"method="post" action="/user_profile/api_keys/new""#), "{form}");
    assert!(!form.text().contains("maxlength"), "it counts UTF-16 units");
}

#[actix_web::test]
async fn a_key_is_shown_by_the_answer_that_made_it_and_by_no_other() {
    let (server, me) = world().await;
    let token = form_token(&me.browser).await;
    let answer = me.browser.send_new_key("Night audit", &token).await.is(200);
    let key = shown(&answer);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("set-cookie"), None);
    let text = seen(answer.text());
    assert!(text.contains("Night audit") && text.contains("keep it in a safe place"), "{answer}");
    assert!(text.contains("Close"), "{answer}");
    let api = format!("{}/api/v1", server.base_url);
    let curl = format!("curl -H \"user-api-key: {key}\" {api}/properties/");
    for part in [&*curl, "For your PMS", &*format!("API address {api}"), "header with the key user-api-key"] {
        assert!(text.contains(part), "no {part} in {answer}");
    }
    server.with_key(&key).get(&format!("{PROPERTIES}/")).await.is(200);
    let id = me.browser.key_id(&key).await;
    for path in [
        PROFILE,
        NEW_KEY,
        "/",
        "/user_profile?order=title",
        "/user_profile/api_keys",
        &format!("/user_profile/api_keys/{id}/withdraw"),
        &format!("/user_profile/api_keys/{id}/first_use"),
        &format!("/user_profile/api_keys/{id}/edit"),
        &format!("/user_profile/api_keys/{id}/rotate"),
        &format!("/user_profile/api_keys/{id}"),
    ] {
        shows_no_key(&me.browser.get(path).await);
    }
}

#[actix_web::test]
async fn a_key_is_listed_by_its_title_its_last_six_characters_and_its_state() {
    let (_server, me) = world().await;
    let list = me.browser.get(PROFILE).await.is(200);
    let rows = key_rows(&list);
    assert_eq!(rows.len(), 1, "{list}");
    let tail = &me.key[me.key.len() - 6..];
    for part in ["Front desk", &format!("***{tail}"), "active", "never", "Actions", "Withdraw"] {
        assert!(rows[0].contains(part), "no {part} in {rows:?}");
    }
    assert!(!list.text().contains(&me.key[..me.key.len() - 6]), "{list}");
    assert!(list.text().contains("<time datetime=\"20"), "{list}");
}

#[actix_web::test]
async fn a_withdrawn_key_stays_in_the_list_as_withdrawn_and_offers_nothing() {
    let (_server, me) = world().await;
    let kept = me.browser.create_key("Kept").await;
    me.browser.withdraw_key(&me.key).await;
    let list = me.browser.get(PROFILE).await.is(200);
    let tail = format!("***{}", &me.key[me.key.len() - 6..]);
    let row = html::rows(list.text()).find(|row| row.contains(&tail)).expect("the withdrawn key");
    let text = seen(row);
    assert!(text.contains("Front desk") && text.contains("withdrawn") && text.contains("by you"), "{text}");
    assert!(!text.contains("active") && !text.contains("Actions") && !text.contains("Withdraw"), "{text}");
    assert_eq!(html::form_actions(row), Vec::<String>::new());
    me.browser.key_id(&kept).await;
    assert_eq!(key_rows(&list).len(), 2);
}

#[actix_web::test]
async fn a_withdrawal_names_the_key_asks_first_and_is_final() {
    let (_server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    let path = format!("/user_profile/api_keys/{id}/withdraw");
    let question = me.browser.get(&path).await.is(200);
    let text = seen(question.text());
    let dialog = text.split("Details").next().unwrap_or_default();
    for part in ["Withdraw API Key", "Front desk", &format!("***{}", &me.key[46..]), "cannot be undone", "Cancel"] {
        assert!(dialog.contains(part), "no {part} in {question}");
    }
    assert!(question.text().contains(&format!("method=\"post\" action=\"{path}\"")), "{question}");
    me.browser.head(&path).await.is(200);
    me.api.get(PROPERTIES).await.is(200);

    let done = me.browser.post_form(&path, &[]).await.is(303);
    let next = done.header("location").expect("where it leads").to_owned();
    assert!(next.starts_with(PROFILE), "{next}");
    let after = me.browser.get(next.split('#').next().unwrap_or_default()).await.is(200);
    assert!(seen(after.text()).contains("API key withdrawn"), "{after}");
    me.api.get(PROPERTIES).await.is(401);

    let before = key_rows(&me.browser.get(PROFILE).await);
    me.browser.get(&path).await.is(303);
    assert!(me.browser.post_form(&path, &[]).await.status < 400);
    assert_eq!(key_rows(&me.browser.get(PROFILE).await), before);
    me.api.get(PROPERTIES).await.is(401);
}

#[actix_web::test]
async fn a_form_sent_again_makes_no_second_key_and_shows_none() {
    let (server, me) = world().await;
    let token = form_token(&me.browser).await;
    let key = shown(&me.browser.send_new_key("Night audit", &token).await.is(200));
    for title in ["Night audit", "Another title"] {
        let again = me.browser.send_new_key(title, &token).await.is(409);
        shows_no_key(&again);
        let text = seen(again.text());
        assert!(text.contains("already created") && text.contains("cannot be shown again"), "{again}");
        assert!(text.contains(&format!("***{}", &key[46..])), "{again}");
        assert!(text.contains("Rotate it"), "{again}");
        assert_eq!(key_rows(&me.browser.get(PROFILE).await).len(), 2);
    }
    server.with_key(&key).get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_form_sent_many_times_at_once_makes_one_key() {
    let (_server, me) = world().await;
    let token = form_token(&me.browser).await;
    let fields = [("title", "Double click"), ("form_token", &*token)];
    let calls = [(); 8].map(|()| actix_web::rt::spawn(me.browser.post_form(NEW_KEY, &fields).into_future()));
    let mut made = Vec::new();
    for call in calls {
        let answer = call.await.expect("an answer");
        match answer.status {
            200 => made.push(shown(&answer)),
            409 => shows_no_key(&answer),
            _ => panic!("{answer}"),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(key_rows(&me.browser.get(PROFILE).await).len(), 2);
}

#[actix_web::test]
async fn a_rotation_of_a_lost_key_withdraws_it_and_shows_a_new_one() {
    let (server, me) = world().await;
    let token = form_token(&me.browser).await;
    let lost = shown(&me.browser.send_new_key("Night audit", &token).await.is(200));
    let offer = me.browser.send_new_key("Night audit", &token).await.is(409);
    let id = me.browser.key_id(&lost).await;
    let rotate = format!("/user_profile/api_keys/{id}/rotate");
    assert!(html::form_actions(offer.text()).contains(&rotate), "{offer}");
    let form = me.browser.get(&format!("{rotate}?overlap=now")).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a token of its own");
    assert!(form.text().contains("<option value=\"now\" selected>"), "{form}");
    let fields = [("form_token", &*token), ("overlap", "now")];
    let answer = me.browser.post_form(&rotate, &fields).await.is(200);
    let new = shown(&answer);
    server.secrets.register("API key", &new);
    assert_ne!(new, lost);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    server.with_key(&lost).get(PROPERTIES).await.is(401);
    server.with_key(&new).get(PROPERTIES).await.is(200);
    me.api.get(PROPERTIES).await.is(200);

    let again = me.browser.post_form(&rotate, &fields).await.is(409);
    shows_no_key(&again);
    server.with_key(&new).get(PROPERTIES).await.is(200);
    let list = me.browser.get(PROFILE).await.is(200);
    assert_eq!(key_titles(&list), ["Night audit", "Front desk", "Night audit"], "the withdrawn one comes last");
}

#[actix_web::test]
async fn a_form_whose_key_was_withdrawn_offers_no_rotation() {
    let (_server, me) = world().await;
    let token = form_token(&me.browser).await;
    let key = shown(&me.browser.send_new_key("Night audit", &token).await.is(200));
    me.browser.withdraw_key(&key).await;
    let again = me.browser.send_new_key("Night audit", &token).await.is(409);
    shows_no_key(&again);
    assert!(seen(again.text()).contains("has been withdrawn"), "{again}");
    assert!(!seen(again.text()).contains("Rotate it"), "{again}");
}

#[actix_web::test]
async fn titles_of_any_script_are_kept_as_typed_and_never_read_as_markup() {
    let (server, me) = world().await;
    let titles = [
        "x".to_owned(),
        "y".repeat(255),
        "🏨".repeat(255),
        "👩‍🍳 кухня".to_owned(),
        "מלון המגדלור".to_owned(),
        "فندق المنارة".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        "\"><img src=x onerror=alert(1)> ' {{ 7*7 }} & &lt;b&gt;".to_owned(),
        "'; drop table api_keys; --".to_owned(),
        "Front desk".to_owned(),
    ];
    for title in &titles {
        let key = me.browser.create_key(title).await;
        server.with_key(&key).get(PROPERTIES).await.is(200);
    }
    let list = me.browser.get(PROFILE).await.is(200);
    let mut expected: Vec<String> = titles.iter().rev().cloned().collect();
    expected.push("Front desk".to_owned());
    assert_eq!(key_titles(&list), expected);
    for markup in ["<script>alert", "<img src=x"] {
        assert!(!list.text().contains(markup), "{markup} is markup in {list}");
    }
}

#[actix_web::test]
async fn white_space_around_a_title_is_not_kept() {
    let (_server, me) = world().await;
    me.browser.create_key("  Night audit\u{3000} ").await;
    assert_eq!(key_titles(&me.browser.get(PROFILE).await), ["Night audit", "Front desk"]);
}

#[actix_web::test]
async fn a_title_that_will_not_do_comes_back_with_the_reason_and_makes_no_key() {
    let (_server, me) = world().await;
    let token = form_token(&me.browser).await;
    let long = ["z".repeat(256), "🏨".repeat(256), format!("{} ", "z".repeat(300))];
    let mut bad =
        vec!["", "   ", "\u{3000}", "a\u{0}b", "\u{0}", "a\nb", "a\tb", "a\u{1b}[31mb", "a\u{7f}", "a\u{85}b"];
    bad.extend(["\u{200b}\u{2060}", " \u{3164}\u{feff}", "\u{202e}", "a\u{202e}b", "\u{2066}a\u{2069}"]);
    bad.extend(long.iter().map(String::as_str));
    for title in bad {
        let answer = me.browser.send_new_key(title, &token).await.is(422);
        shows_no_key(&answer);
        assert_eq!(typed(&answer, "title").as_deref(), Some(title), "{answer}");
        let reason = problem(&answer, "title").unwrap_or_else(|| panic!("no reason in {answer}"));
        let named = match title.trim() {
            "" | "\u{200b}\u{2060}" | "\u{3164}\u{feff}" | "\u{202e}" => "Enter a title",
            turned if turned.contains(['\u{202e}', '\u{2066}']) => "change the text direction",
            long if long.chars().count() > 255 => "at most 255 characters",
            _ => "control characters",
        };
        assert!(reason.contains(named), "{title:?}: {reason}");
        assert!(answer.text().contains("aria-invalid=\"true\""), "{answer}");
    }
    let missing = me.browser.post_form(NEW_KEY, &[]).await.is(422);
    assert!(problem(&missing, "title").is_some(), "{missing}");
    assert_eq!(key_rows(&me.browser.get(PROFILE).await).len(), 1);
    let right = me.browser.send_new_key("Night audit", &token).await.is(200);
    shown(&right);
}

#[actix_web::test]
async fn keys_are_ordered_by_title_both_ways_and_else_newest_first() {
    let (_server, me) = world().await;
    for title in ["Zoo", "äpfel", "Apple", "apple 2", "Éclair", "eclair", "🏨", "банан"] {
        me.browser.create_key(title).await;
    }
    let order = async |query: &str| key_titles(&me.browser.get(&format!("{PROFILE}{query}")).await.is(200));
    let up = ["äpfel", "Apple", "apple 2", "Éclair", "eclair", "Front desk", "Zoo", "банан", "🏨"];
    assert_eq!(order("?order=title").await, up);
    // Of equal titles the older one comes first, both ways.
    let down = ["🏨", "банан", "Zoo", "Front desk", "Éclair", "eclair", "apple 2", "Apple", "äpfel"];
    assert_eq!(order("?order=-title").await, down);
    for other in ["", "?order=", "?order=nonsense"] {
        let titles = order(other).await;
        assert_eq!(titles.first().map(String::as_str), Some("банан"), "{titles:?}");
        assert_eq!(titles.last().map(String::as_str), Some("Front desk"), "{titles:?}");
    }
    let page = me.browser.get("/user_profile?order=title").await;
    assert!(page.text().contains("aria-sort=\"ascending\""), "{page}");
    assert!(page.text().contains("?order=-title"), "{page}");
}
