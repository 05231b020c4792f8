//! The harness itself: an assertion that cannot fail would be worse than none.

use serde_json::json;

use crate::html;
use crate::people::world;
use crate::secrets::Secrets;
use crate::server::Server;

#[test]
#[should_panic(expected = "was written to the log")]
fn a_secret_in_the_log_is_found() {
    let secrets = Secrets::default();
    secrets.register("password", "harbour-lantern-1");
    secrets.assert_absent("the log", b"sign-in with harbour-lantern-1 failed");
}

#[test]
#[should_panic(expected = "session id")]
fn a_session_id_is_found_without_its_signature() {
    let secrets = Secrets::default();
    let signature = "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbg%3D%3D";
    secrets.register_cookie(&format!("{signature}0123456789abcdef"));
    secrets.assert_absent("a table", b"..0123456789abcdef..");
}

#[actix_web::test]
#[should_panic(expected = "was written to")]
async fn a_secret_in_the_database_is_found_when_a_test_ends() {
    let server = Server::start().await;
    server.add_user("not-so-secret@farol.example");
    server.secrets.register("email", "not-so-secret@farol.example");
}

#[actix_web::test]
#[should_panic(expected = "1 users with a wrong property_totals.total")]
async fn a_wrong_total_is_found_when_a_test_ends() {
    let (server, _) = world().await;
    assert_eq!(server.sql("update property_totals set total = total + 1").await, 1);
}

#[actix_web::test]
#[should_panic(expected = "1 property_users with an old sort_title")]
async fn a_wrong_copy_is_found_when_a_test_ends() {
    let (server, me) = world().await;
    me.has(json!({})).await;
    assert_eq!(server.sql("update property_users set sort_title = ''").await, 1);
}

#[test]
fn a_key_is_found_in_a_page_and_only_a_whole_one() {
    let key = format!("lk_{}", "aB3".repeat(16) + "9");
    let page = format!("<input value=\"{key}\"> lk_short {key}x <code>{key}</code>");
    assert_eq!(html::keys(&page), [&key, &key]);
}

#[test]
fn inputs_actions_and_rows_are_found_in_a_page() {
    let page = r#"<form method="post" action="/a?b=1&amp;c=2"><input type="hidden"
        name="form_token" value="x&quot;y"></form>
        <tr><td>one</td></tr><tr class="off"><form action='/two'></form></tr>"#;
    assert_eq!(html::input_value(page, "form_token").as_deref(), Some("x\"y"));
    assert_eq!(html::input_value(page, "title"), None);
    assert_eq!(html::form_actions(page), ["/a?b=1&c=2", "/two"]);
    let rows: Vec<_> = html::rows(page).flat_map(html::form_actions).collect();
    assert_eq!(rows, ["/two"]);
}
