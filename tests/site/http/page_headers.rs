//! What every page's answer has around it, and what is said where there is no page.

use crate::browser::NEW_KEY;
use crate::page::seen;
use crate::people::world;
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

#[track_caller]
fn has_the_headers_of_a_page(answer: &Response, https: bool) {
    for (name, value) in
        [("cache-control", "no-store"), ("referrer-policy", "same-origin"), ("x-content-type-options", "nosniff")]
    {
        assert_eq!(answer.header(name), Some(value), "{name} of {answer}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("no policy in {answer}"));
    for part in ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "no {part} in {policy}");
    }
    for part in ["unsafe", "*", "data:", "http:", "https:"] {
        assert!(!policy.contains(part), "{part} in {policy}");
    }
    let hsts = answer.header("strict-transport-security");
    match https {
        true => {
            let age = hsts.and_then(|hsts| hsts.strip_prefix("max-age=")?.parse::<u64>().ok());
            assert!(age.is_some_and(|age| age >= 31_536_000), "{hsts:?} in {answer}");
        }
        false => assert_eq!(hsts, None, "plain http must not promise https: {answer}"),
    }
    assert!(answer.header("x-request-id").is_some(), "{answer}");
}

/// Nothing that a strict policy would stop: no inline script or style, no handler, nothing from elsewhere.
#[track_caller]
fn needs_no_exception(page: &Response) {
    let text = page.text();
    for part in ["<style", " style=", " onclick=", " onload=", "javascript:", "src=\"http", "//cdn"] {
        assert!(!text.contains(part), "{part} in {page}");
    }
    for script in text.split("<script").skip(1) {
        assert!(script.trim_start().starts_with("src=\"/static/"), "an inline script in {page}");
    }
    assert!(text.starts_with("<!doctype html>"), "{page}");
    assert!(text.contains("<html lang=\"en\">"), "{page}");
}

async fn pages_of(server: &Server) -> Vec<Response> {
    let me = server.person("desk@farol.example").await;
    let id = me.browser.key_id(&me.key).await;
    server.add_user("new@farol.example");
    let link = server.run(&["user", "link", "new@farol.example"]).ok();
    let link = format!("/welcome/{}", crate::command::first_line(&link).split("/welcome/").nth(1).expect("a link"));
    let stranger = server.browser();
    let mut pages = vec![
        stranger.get("/sign_in").await.is(200),
        stranger.sign_in("nobody@farol.example", "not the password 7").await.is(422),
        stranger.get(&link).await.is(200),
        stranger.post_form(&link, &[]).await.is(422),
        stranger.get("/docs").await.is(200),
        stranger.get("/docs/api_key_access").await.is(200),
        stranger.get("/docs/conventions").await.is(200),
        stranger.get("/docs/reference?q=room").await.is(200),
        stranger.get("/docs/reference/properties").await.is(200),
        stranger.get("/docs/reference/nothing").await.is(404),
        stranger.get("/leaked_key").await.is(200),
        stranger.post_form("/leaked_key", &[("text", "nothing")]).await.is(200),
        stranger.post_form("/leaked_key", &[("text", &"a".repeat(70_000))]).await.is(413),
        stranger.get("/nothing").await.is(404),
        stranger.post_form("/sign_in", &[]).header("sec-fetch-site", "cross-site").await.is(403),
        me.browser.get(PROFILE).await.is(200),
        me.browser.post_form(PROFILE, &[]).await.is(422),
        me.browser.get(NEW_KEY).await.is(200),
        me.browser.post_form(NEW_KEY, &[]).await.is(422),
        me.browser.get(&format!("/user_profile/api_keys/{id}/withdraw")).await.is(200),
        me.browser.get(&format!("/user_profile/api_keys/{id}")).await.is(200),
        me.browser.get("/user_profile/withdraw_all_keys").await.is(200),
        me.browser.get("/properties").await.is(200),
        me.browser.get("/your_access").await.is(200),
        me.browser.get("/user_profile/activity").await.is(200),
        me.browser.get("/user_profile/activity?from=soon").await.is(422),
        me.browser.post_form("/user_profile/password", &[]).await.is(422),
        me.browser.call("DELETE".parse().expect("a method"), PROFILE).await.is(405),
    ];
    let created = me.browser.send_new_key("Night audit", "a-token-of-this-test").await.is(200);
    let again = me.browser.send_new_key("Night audit", "a-token-of-this-test").await.is(409);
    pages.extend([created, again]);
    pages
}

#[actix_web::test]
async fn every_page_has_the_headers_that_keep_it_safe() {
    for (server, https) in
        [(Server::start().await, false), (Server::options().public_url("https://pms.example").start().await, true)]
    {
        for page in pages_of(&server).await {
            has_the_headers_of_a_page(&page, https);
            needs_no_exception(&page);
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{page}");
        }
        for redirect in [server.browser().get(PROFILE).await.is(303), server.browser().get("/").await.is(303)] {
            has_the_headers_of_a_page(&redirect, https);
        }
    }
}

#[actix_web::test]
async fn only_the_page_inside_the_key_s_dialog_may_be_framed_and_by_us_alone() {
    let (_server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    let page = me.browser.get(&format!("/user_profile/api_keys/{id}/first_use")).await.is(200);
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("frame-ancestors 'self'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    needs_no_exception(&page);
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[actix_web::test]
async fn what_is_no_page_says_so_in_a_page() {
    let (_server, me) = world().await;
    let nobody = _server.browser();
    for browser in [&me.browser, &nobody] {
        for path in [
            "/nothing",
            "/sign_in/x",
            "/user_profile/x",
            "/user_profile/api_keys/x/y/z",
            "/welcome",
            "/favicon.ico",
            "/.env",
            "/%00",
            "/%FF",
            "/..%2f..%2fetc%2fpasswd",
            "/apiary",
        ] {
            let answer = browser.get(path).await;
            if answer.status == 303 {
                continue;
            }
            let answer = answer.is(404);
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{answer}");
            let text = seen(answer.text());
            assert!(text.contains("Page not found") && text.contains("Go to the start page"), "{answer}");
            let id = answer.header("x-request-id").expect("a request id");
            assert!(text.contains(id), "{answer}");
        }
    }
}

#[actix_web::test]
async fn an_address_that_is_too_long_is_refused_and_none_of_ours_is() {
    let (server, me) = world().await;
    for browser in [&server.browser(), &me.browser] {
        for path in [
            format!("/user_profile?x={}", "%FF".repeat(3_000)),
            format!("/{}", "x".repeat(8_192)),
            format!("/sign_in?return_to=/{}", "x".repeat(8_192)),
        ] {
            let answer = browser.get(&path).await.is(414);
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{answer}");
            assert!(seen(answer.text()).contains("Address too long"), "{answer}");
        }
    }
    let long = "п".repeat(1_600);
    for away in [
        server.browser().get(&format!("/user_profile?x={}", "%FF".repeat(2_000))).await.is(303),
        server.browser().get(&format!("/properties?q={}", "+".repeat(8_000))).await.is(303),
        server.browser().post_form(PROFILE, &[("name", &*long), ("time_zone", "UTC")]).await.is(303),
    ] {
        let leads_to = away.header("location").expect("where it leads");
        assert!(leads_to.len() <= 8_192 && leads_to.starts_with("/sign_in?return_to="), "{away}");
        server.browser().get(leads_to).await.is(200);
    }
}

#[actix_web::test]
async fn a_method_that_a_page_does_not_know_is_a_405_that_names_those_it_knows() {
    let (server, me) = world().await;
    let id = me.browser.key_id(&me.key).await;
    let withdraw = format!("/user_profile/api_keys/{id}/withdraw");
    for (path, allow) in [
        (PROFILE, vec!["get", "head", "post"]),
        ("/sign_in", vec!["get", "head", "post"]),
        (&*withdraw, vec!["get", "head", "post"]),
        ("/", vec!["get", "head"]),
        ("/user_profile/api_keys", vec!["get", "head"]),
    ] {
        for method in ["PUT", "DELETE", "PATCH", "BREW"] {
            let answer = me.browser.call(method.parse().expect("a method"), path).await.is(405);
            assert_eq!(answer.words("allow"), allow, "{answer}");
            assert!(seen(answer.text()).contains("Method not allowed"), "{answer}");
        }
    }
    me.browser.post_form("/", &[]).await.is(405);
    server.browser().call("OPTIONS".parse().expect("a method"), "/sign_in").await.is(405);
    me.api.get("/api/v1/properties").await.is(200);
}

#[actix_web::test]
async fn a_page_answers_head_with_its_headers_alone() {
    let (_server, me) = world().await;
    for path in [PROFILE, NEW_KEY, "/sign_in", "/nothing"] {
        let (get, head) = (me.browser.get(path).await, me.browser.head(path).await);
        assert_eq!(get.status, head.status, "{head}");
        assert!(head.body.is_empty(), "{head}");
        assert_eq!(get.header("content-type"), head.header("content-type"), "{head}");
    }
}

#[actix_web::test]
async fn a_path_with_a_slash_at_its_end_is_the_same_page() {
    let (server, me) = world().await;
    me.browser.get("/user_profile/").await.is(200);
    me.browser.get("/user_profile/api_keys/new/").await.is(200);
    server.browser().get("/sign_in/").await.is(200);
}

#[actix_web::test]
async fn styles_and_scripts_are_kept_for_ever_and_named_by_their_content() {
    let server = Server::start().await;
    let page = server.browser().get("/sign_in").await.is(200);
    let files: Vec<&str> = page.text().split('"').filter(|part| part.starts_with("/static/")).collect();
    assert!(files.len() >= 3, "{page}");
    for path in files {
        let file = server.browser().get(path).await.is(200);
        assert!(file.header("cache-control").is_some_and(|cache| cache.contains("immutable")), "{}", file.call);
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{}", file.call);
        let kind = file.header("content-type").expect("a content type");
        let wanted = match path.rsplit('.').next() {
            Some("css") => "text/css",
            Some("js") => "text/javascript",
            _ => "image/",
        };
        assert!(kind.starts_with(wanted), "{path}: {kind}");
        let name = path.rsplit('/').next().expect("a name");
        server.browser().get(&format!("/static/00000000/{name}")).await.is(404);
    }
    server.browser().get("/static/x/..%2f..%2fCargo.toml").await.is(404);
}

#[actix_web::test]
async fn a_repeated_argument_counts_by_its_last() {
    let (_server, me) = world().await;
    let page = me.browser.get("/user_profile?order=title&order=-title").await.is(200);
    assert!(page.text().contains("aria-sort=\"descending\""), "{}", page.text());
}

#[actix_web::test]
async fn addresses_open_to_all_answer_errors_as_pages_too() {
    let server = Server::start().await;
    for (path, status) in [("/static/0/app.css", 404), ("/static/x/y", 404)] {
        let page = server.anonymous().get(path).await.is(status);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(page.header("content-security-policy").is_some(), "{path}");
    }
    let refused = server.anonymous().post_form("/healthz", &[]).header("Sec-Fetch-Site", "none").await.is(405);
    assert_eq!(refused.words("allow"), ["get", "head"]);
}
