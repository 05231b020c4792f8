//! What proxies say of their clients, and requests that did not come by https.

use std::net::SocketAddr;

use crate::host::Host;
use crate::http::connections::{open_to_all, own_address};
use crate::page::{seen, until};
use crate::property::PROPERTIES;
use crate::raw;
use crate::response::Response;
use crate::server::Server;

fn asks(server: SocketAddr, path: &str, lines: &[&str]) -> Response {
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    raw::exchange(server, &raw::request(&format!("GET {path}"), &lines, b""))
}

#[actix_web::test]
async fn clients_of_a_listed_proxy_are_told_apart_however_it_writes_their_addresses() {
    let limited = || Server::options().env("LATCHKEY_REQUESTS_PER_ADDRESS", "3");
    let server = limited().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let status = |line: &str| asks(server.address(), "/docs", &[line]).status;
    for (number, [one, same, other]) in [
        ["X-Forwarded-For: 203.0.113.7:51007", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-For: 203.0.113.8:51007"],
        [
            "X-Forwarded-For: [2001:db8::1]:443",
            "X-Forwarded-For: \"2001:db8::2\"",
            "X-Forwarded-For: [2001:db8:1::1]:443",
        ],
        [
            "Forwarded: for=\"[2001:db8:2::1]:443\";proto=https",
            "Forwarded: for=192.0.2.1, FOR=\"[2001:db8:2::2]\"",
            "Forwarded: for=\"[2001:db8:3::1]\"",
        ],
    ]
    .into_iter()
    .enumerate()
    {
        assert!((0..3).all(|_| status(one) == 200), "{number}");
        assert_eq!((status(one), status(same), status(other)), (429, 429, 200), "{number}");
    }
    drop(server);
    // A stranger's header changes nothing, and the host learns that there may be a proxy.
    let server = limited().start().await;
    for number in 0..5 {
        let answer = asks(server.address(), "/docs", &[&format!("X-Forwarded-For: 203.0.113.{number}")]);
        assert_eq!(answer.status, if number < 3 { 200 } else { 429 });
    }
    let said = || server.log().matches("sends client addresses as proxies do").count();
    until("the log tells of the proxy", async || (said() == 1).then_some(())).await;
    assert!(
        server.log().contains("127.0.0.1 sends") && server.log().contains("LATCHKEY_TRUSTED_PROXIES"),
        "{}",
        server.log()
    );
}

#[track_caller]
fn is_refused(server: SocketAddr, lines: &[&str]) {
    let answer = asks(server, PROPERTIES, lines).is(403);
    let (code, why) = (answer.json()["errors"]["code"].clone(), answer.json()["errors"]["details"][0].to_string());
    assert_eq!(code, "forbidden", "{answer}");
    assert!(why.contains("https") && why.contains("LATCHKEY_BASE_URL"), "{answer}");
    for path in ["/sign_in", "/nothing", "/"] {
        let page = asks(server, path, lines).is(403);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{page}");
        assert!(seen(page.text()).contains("LATCHKEY_BASE_URL"), "{page}");
    }
    for path in ["/healthz", "/readyz"] {
        asks(server, path, lines).is(200);
    }
}

#[track_caller]
fn is_answered(server: SocketAddr, lines: &[&str]) {
    asks(server, PROPERTIES, lines).is(401);
    asks(server, "/sign_in", lines).is(200);
}

#[actix_web::test]
async fn with_an_https_base_url_plain_requests_are_refused_unless_a_listed_proxy_passes_them_on() {
    let host = Host::new().await;
    let url = "https://pms.example";
    let (server, own, strange) = open_to_all(&host, url, &[]);
    is_refused(strange, &[]);
    is_refused(strange, &["X-Forwarded-Proto: https"]);
    is_answered(own, &[]);
    is_answered(own, &["X-Forwarded-Proto: http"]);
    drop(server);
    let listed = format!("127.0.0.1,{}", own_address());
    let (server, own, strange) = open_to_all(&host, url, &["--trusted-proxies", &listed]);
    for proxy in [own, strange] {
        is_refused(proxy, &["X-Forwarded-Proto: http"]);
        is_refused(proxy, &["Forwarded: for=192.0.2.1;proto=http"]);
        is_answered(proxy, &["X-Forwarded-Proto: https"]);
        is_answered(proxy, &["Forwarded: for=192.0.2.1;proto=https"]);
        is_answered(proxy, &[]);
    }
    let unmarked = || server.log().matches("does not send X-Forwarded-Proto").count();
    until("the log tells of the unmarked one", async || (unmarked() == 1).then_some(())).await;
    drop(server);
    let (_server, _, strange) = open_to_all(&host, "http://localhost", &[]);
    is_answered(strange, &[]);
}

#[actix_web::test]
async fn answers_of_the_api_promise_https_where_there_is_https_and_are_no_pages() {
    for (url, setting, promise) in [
        ("http://localhost:7001", "0", None),
        ("https://pms.example", "0", Some("max-age=31536000")),
        ("https://pms.example", "1", Some("max-age=31536000; includeSubDomains")),
    ] {
        let server = Server::options().public_url(url).env("LATCHKEY_HSTS_SUBDOMAINS", setting).start().await;
        for path in [PROPERTIES, "/api/v1/openapi.json", "/sign_in", "/nothing"] {
            let answer = server.anonymous().get(path).await;
            assert_eq!(answer.header("strict-transport-security"), promise, "{answer}");
            let policy = answer.header("content-security-policy").expect("a policy");
            assert!(policy.starts_with("default-src 'none'"), "{answer}");
        }
    }
}
