//! `GET /me`: whose key, or session, it is.

use serde_json::json;

use crate::people::world;
use crate::raw;

const ME: &str = "/api/v1/me";

#[actix_web::test]
async fn a_key_tells_whose_it_is_what_it_may_do_and_when_it_ends() {
    let (server, me) = world().await;
    let answer = me.api.get(ME).await.is(200);
    let id = answer.data()["id"].clone();
    let mut key = json!({
        "title": "Front desk", "tail": &me.key[me.key.len() - 6..], "all_properties": true, "read_only": false,
        "manage_users": true, "expires_at": null, "subscription_ends_at": null,
    });
    let body = |key| {
        let attributes = json!({ "email": me.user.email, "name": null, "key": key });
        json!({ "data": { "type": "caller", "id": id, "attributes": attributes } })
    };
    let tag = answer.header("etag").expect("an ETag").to_owned();
    answer.says(body(key.clone()));
    assert!(me.api.head(&format!("{ME}/")).await.is(200).header("etag").is_some());
    me.api.get(ME).header("if-none-match", &tag).await.is(304);

    server.run(&["subscription", "activate", &me.user.email, "--until", "2999-12-31T12:00:00Z"]).ok();
    key["subscription_ends_at"] = json!("2999-12-31T12:00:00.000000");
    me.api.get(ME).header("if-none-match", &tag).await.is(200).says(body(key));

    let by_session = me.browser.get(ME).await.is(200);
    by_session.says(body(json!(null)));
    server.anonymous().get(ME).await.error("unauthorized");
    me.api.post(ME, &json!({})).await.error("method_not_allowed");
}

#[actix_web::test]
async fn a_key_in_a_wrong_form_is_told_what_is_wrong_with_the_form_and_no_more() {
    const QUOTES: &str = "remove the quotes around the API key";
    const BEARER: &str = "send the API key without \"Bearer\"";
    let (server, me) = world().await;
    let key = &me.key;
    let unknown = format!("{}{}", &key[..key.len() - 1], if key.ends_with('a') { 'b' } else { 'a' });
    for (sent, told) in [
        (format!("\"{key}\""), Some(QUOTES)),
        (format!("'{key}' "), Some(QUOTES)),
        (format!("\"{unknown}\""), Some(QUOTES)),
        (format!("Bearer {key}"), Some(BEARER)),
        (format!("bearer \"{unknown}\""), Some(BEARER)),
        (unknown, None),
        ("Bearer".to_owned(), None),
        ("x".to_owned(), None),
        (String::new(), None),
    ] {
        let line = format!("user-api-key: {sent}");
        let answer = server.raw(&raw::request(&format!("GET {ME}"), &[line.as_bytes()], b""));
        match told {
            Some(told) => answer.error_with("unauthorized", json!([told])),
            None => answer.error("unauthorized"),
        };
    }
}
