//! The documentation: open to everyone, in the host's name, and complete.

use serde_json::Value;

use crate::page::seen;
use crate::people::world;
use crate::server::Server;

const PAGES: [&str; 4] = ["/docs", "/docs/api_key_access", "/docs/conventions", "/docs/reference"];

/// The part of a page about one operation.
fn section<'a>(page: &'a str, anchor: &str) -> &'a str {
    let begin = format!("<section class=\"operation\" id=\"{anchor}\"");
    let (_, after) = page.split_once(&begin).unwrap_or_else(|| panic!("no {anchor} on the page"));
    after.split("<section class=\"operation\"").next().unwrap_or(after)
}

/// The code with this id, as it is copied.
fn code(page: &str, id: &str) -> String {
    let begin = format!("<code id=\"{id}\">");
    let (_, after) = page.split_once(&begin).unwrap_or_else(|| panic!("no {id} on the page"));
    let text = after.split("</code>").next().unwrap_or(after);
    [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

/// The operations that a page of the search shows, by anchor.
fn shown(page: &str) -> Vec<String> {
    let items = page.split("<li data-words=").skip(1).map(|item| item.split("</li>").next().unwrap_or(item));
    let items = items.filter(|item| !item.split('>').next().unwrap_or(item).ends_with(" hidden"));
    items.map(|item| item.split(['#', '"']).nth(4).unwrap_or_default().to_owned()).collect()
}

/// All names of fields in a schema, however deep.
fn names(document: &Value, schema: &Value, found: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        let target = document.pointer(target.trim_start_matches('#')).expect("what a reference leads to");
        return names(document, target, found);
    }
    for (name, inside) in schema["properties"].as_object().into_iter().flatten() {
        found.push(name.clone());
        names(document, inside, found);
    }
    for part in ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema[*key].as_array()).flatten() {
        names(document, part, found);
    }
    if !schema["items"].is_null() {
        names(document, &schema["items"], found);
    }
}

#[actix_web::test]
async fn everybody_can_read_the_documentation_and_the_browser_may_try_it() {
    let (server, me) = world().await;
    for path in PAGES.iter().copied().chain(["/docs/", "/docs/reference/properties", "/docs/reference/room_types/"]) {
        let page = server.browser().get(path).await.is(200);
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("connect-src 'self'") && policy.contains("default-src 'none'"), "{policy}");
        assert!(!page.text().contains("Sign out"), "{path}");
        let mine = me.browser.get(path).await.is(200);
        assert!(mine.text().contains("Sign out"), "whoever is signed in stays so on {path}");
    }
    let head = server.browser().head("/docs").await.is(200);
    assert!(head.body.is_empty());
}

#[actix_web::test]
async fn the_documentation_speaks_in_the_name_of_its_host() {
    let server = Server::options()
        .public_url("https://pms.example:8443")
        .arg("--host-name=Harbour <& Sons>")
        .arg("--support=help@harbour.example")
        .arg("--key-prefix=harb")
        .arg("--max-keys=3")
        .arg("--grace-days=0")
        .start()
        .await;
    for path in PAGES.iter().copied().chain(["/docs/reference/groups"]) {
        let page = server.browser().get(path).await.is(200);
        let text = seen(page.text());
        assert!(text.contains("Harbour <& Sons>") && !text.contains("Latchkey"), "{path}: {text}");
        assert!(text.contains("https://pms.example:8443/api/v1"), "{path}: {text}");
        assert!(page.text().contains("mailto:help@harbour.example"), "{path}");
    }
    let page = server.browser().get("/docs/api_key_access").await.is(200);
    let text = seen(page.text());
    for part in ["Host: pms.example:8443", "begins with harb_", "3 active keys", "user-api-key: harb_"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("failed payment"), "there is no grace: {text}");
    let curl = "curl \"https://pms.example:8443/api/v1/properties\" \\\n  -H \"user-api-key: $KEY\"";
    assert_eq!(code(page.text(), "curl"), curl);
}

#[actix_web::test]
async fn the_page_about_keys_says_what_a_refused_key_is_told() {
    let (server, me) = world().await;
    let page = server.browser().get("/docs/api_key_access").await.is(200);
    let text = seen(page.text());
    server.run(&["subscription", "cancel", &me.user.email, "--now"]).ok();
    let paused = me.api.get("/api/v1/properties").await.is(403).json();
    server.subscribe(&me.user.email);
    me.browser.withdraw_key(&me.key).await;
    let withdrawn = me.api.get("/api/v1/properties").await.is(401).json();
    for answer in [paused, withdrawn] {
        let reason = answer["errors"]["details"][0].as_str().expect("a reason");
        assert!(text.contains(reason), "no {reason} in {text}");
    }
    for words in [
        "Create new API Key",
        "User Profile",
        "shown only this once",
        "Actions",
        "Withdraw",
        "active subscription",
        "cannot create properties, change groups or what is in them, or manage users",
    ] {
        assert!(text.contains(words), "no {words} in {text}");
    }
}

#[actix_web::test]
async fn every_operation_stands_in_the_reference_with_its_curl_line_and_all_its_fields() {
    let server = Server::start().await;
    let document = server.anonymous().get("/api/v1/openapi.json").await.is(200).json();
    let list = server.browser().get("/docs/reference").await.is(200);
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            operations += 1;
            let anchor = operation["operationId"].as_str().expect("an id");
            let tag = operation["tags"][0].as_str().expect("a tag").to_lowercase().replace(' ', "_");
            assert!(list.text().contains(&format!("/docs/reference/{tag}#{anchor}\"")), "{anchor} is not listed");
            let page = server.browser().get(&format!("/docs/reference/{tag}")).await.is(200);
            let section = section(page.text(), anchor);

            let curl = code(page.text(), &format!("{anchor}_curl"));
            let address = format!("{}/api/v1{path}", server.base_url);
            let begin = address.split('{').next().expect("a beginning");
            assert!(curl.starts_with("curl ") && curl.contains(begin), "{anchor}: {curl}");
            assert!(method == "get" || curl.contains(&format!(" -X {} ", method.to_uppercase())), "{anchor}: {curl}");
            assert_eq!(curl.contains("user-api-key: $KEY"), anchor != "read_document", "{anchor}: {curl}");
            assert!(!curl.contains(['{', '}']) || curl.contains(" -d '"), "{anchor}: {curl}");

            let mut wanted = vec![];
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let target = parameter["$ref"].as_str().and_then(|target| document.pointer(&target[1..]));
                let parameter = target.unwrap_or(parameter);
                let name = parameter["name"].as_str().expect("a name");
                // All orders are in one row.
                let order = name.strip_prefix("order[").and_then(|field| field.strip_suffix(']'));
                wanted.push(order.unwrap_or(name).to_owned());
            }
            let body = &operation["requestBody"]["content"]["application/json"];
            names(&document, &body["schema"], &mut wanted);
            if !body.is_null() {
                let (_, sent) = curl.split_once(" -d '").unwrap_or_else(|| panic!("no body in {curl}"));
                let sent = sent.trim_end_matches('\'').replace(r"'\''", "'");
                let sent: Value = serde_json::from_str(&sent).unwrap_or_else(|error| panic!("{error}: {curl}"));
                assert_eq!(sent, body["example"], "{anchor}");
            }
            for name in wanted {
                let there = [format!(">{name}</code>"), format!("</span>{name}</code>")];
                assert!(there.iter().any(|one| section.contains(one)), "{anchor} does not tell of {name}");
            }
            for status in operation["responses"].as_object().expect("answers").keys() {
                assert!(section.contains(&format!("\">{status} ")), "{anchor} does not tell of {status}");
            }
        }
    }
    assert!(operations >= 40, "only {operations}");
    assert_eq!(shown(list.text()).len(), operations);
}

#[actix_web::test]
async fn the_search_works_without_javascript() {
    let server = Server::start().await;
    let search = async |query: &str| {
        let page = server.browser().get(&format!("/docs/reference?q={query}")).await.is(200);
        (shown(page.text()), seen(page.text()))
    };
    let (found, text) = search("DELETE+room").await;
    assert_eq!(found, ["delete_room_type"]);
    assert!(text.contains("1 operation "), "{text}");
    let (found, _) = search("%2Froom_types%2Foptions").await;
    assert_eq!(found, ["room_type_options"]);
    let (found, _) = search("occ_infants+create").await;
    assert_eq!(found, ["create_room_type"]);
    let (found, text) = search("no+such+thing").await;
    assert!(found.is_empty() && text.contains("No operation matches all these words."), "{text}");
    assert_eq!(search("").await.0, search("++").await.0);
    for odd in ["%00", "%FF", "%3Cscript%3E", "a&q=b", &"x".repeat(3000)] {
        let page = server.browser().get(&format!("/docs/reference?q={odd}")).await.is(200);
        assert!(!page.text().contains("<script>"), "{odd}");
    }
}

#[actix_web::test]
async fn a_part_of_the_api_that_is_not_there_is_a_page_not_found() {
    let server = Server::start().await;
    for path in ["/docs/reference/nothing", "/docs/reference/Room%20types", "/docs/reference/%00", "/docs/nothing"] {
        let page = server.browser().get(path).await.is(404);
        assert!(seen(page.text()).contains("Page not found"), "{page}");
    }
    server.browser().post_form("/docs", &[]).await.is(405);
}
