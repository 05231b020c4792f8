//! The list of keys: search, filter, order and pages, and the way back to it from every dialog.

use crate::browser::{Browser, NEW_KEY};
use crate::html;
use crate::page::{key_rows, key_titles, seen};
use crate::people::{Person, world};
use crate::response::Response;
use crate::server::Server;

const PROFILE: &str = "/user_profile";

async fn list(browser: &Browser, query: &str) -> Response {
    browser.get(&format!("{PROFILE}{query}")).await.is(200)
}

async fn titles(browser: &Browser, query: &str) -> Vec<String> {
    let titles = key_titles(&list(browser, query).await);
    // The head of the table, whose links have what was searched for.
    titles.into_iter().filter(|title| title != "Actions").collect()
}

/// A user with keys of these titles, the newest last, and no other.
async fn with_keys(titles: &[&str]) -> (Server, Person, Vec<String>) {
    let (server, me) = world().await;
    server.sql("delete from api_keys").await;
    let mut keys = vec![];
    for title in titles {
        keys.push(me.browser.create_key(title).await);
    }
    (server, me, keys)
}

/// Every address of the page that leads to a page of this site, with its entities resolved.
fn links(page: &Response) -> Vec<String> {
    let parts = page.text().split("href=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap_or(part).replace("&#38;", "&")).collect()
}

#[actix_web::test]
async fn keys_are_searched_by_title_and_by_their_last_characters() {
    let (_server, me, keys) = with_keys(&["Réception", "Night audit", "100 % <b>Night</b>_desk"]).await;
    let tail = |key: &str| key[key.len() - 6..].to_owned();
    let (first, second) = (tail(&keys[0]), tail(&keys[1]));
    for (text, found) in [
        ("reception", vec!["Réception"]),
        ("RÉCEP", vec!["Réception"]),
        ("night", vec!["100 % <b>Night</b>_desk", "Night audit"]),
        ("audit%20night", vec!["Night audit"]),
        ("%20audit%20", vec!["Night audit"]),
        ("%25", vec!["100 % <b>Night</b>_desk"]),
        ("_", vec!["100 % <b>Night</b>_desk"]),
        (&*first, vec!["Réception"]),
        (&*format!("***{second}"), vec!["Night audit"]),
        (&*second.to_lowercase(), vec!["Night audit"]),
        (&*format!("night%20{}", &second[2..]), vec!["Night audit"]),
        ("%20", vec!["100 % <b>Night</b>_desk", "Night audit", "Réception"]),
    ] {
        assert_eq!(titles(&me.browser, &format!("?q={text}")).await, found, "{text}");
    }
    let page = list(&me.browser, "?q=night").await;
    assert!(seen(page.text()).contains("2 keys with night in title or last characters"), "{page}");
}

#[actix_web::test]
async fn a_search_that_finds_nothing_says_so_and_offers_all_keys() {
    let (_server, me, _) = with_keys(&["Night audit", "Front desk"]).await;
    for query in
        ["?q=%3Cb%3Enothing", "?q=audit&status=withdrawn", "?status=expired", "?q=%00nothing", "?q=audit%20nothing"]
    {
        let page = list(&me.browser, query).await;
        assert_eq!(key_rows(&page), Vec::<String>::new(), "{query}");
        assert!(page.text().contains(r#"href="/user_profile#api_keys">Show all keys</a>"#), "{page}");
        assert!(page.text().contains("name=\"q\""), "{query}: the search is still there");
    }
    let page = list(&me.browser, "?q=%3Cb%3Enothing").await;
    let text = seen(page.text());
    assert!(text.contains("None of your keys has <b>nothing in its title or its last characters."), "{text}");
    assert_eq!(crate::page::typed(&page, "q").as_deref(), Some("<b>nothing"));
    let text = seen(list(&me.browser, "?status=expired").await.text());
    assert!(text.contains("You have no expired API keys."), "{text}");
    let long = "x".repeat(4000);
    assert_eq!(titles(&me.browser, &format!("?q={long}")).await, Vec::<String>::new());
}

#[actix_web::test]
async fn keys_that_work_come_first_and_each_status_can_be_listed_alone() {
    let (server, me, keys) = with_keys(&["One", "Two", "Three", "Four"]).await;
    me.browser.withdraw_key(&keys[3]).await;
    server.set_moment_where("api_keys", "expires_at", -60, "title = 'Three'").await;
    let page = list(&me.browser, "").await;
    assert_eq!(key_titles(&page), ["Two", "One", "Three", "Four"]);
    for (row, word) in key_rows(&page).iter().zip([" active ", " active ", " expired ", " withdrawn "]) {
        assert!(row.contains(word), "not {word}: {row}");
    }
    assert!(seen(page.text()).contains("All 4 Active 2 Expired 1 Withdrawn 1"), "{page}");
    assert_eq!(titles(&me.browser, "?status=active").await, ["Two", "One"]);
    assert_eq!(titles(&me.browser, "?status=expired").await, ["Three"]);
    assert_eq!(titles(&me.browser, "?status=withdrawn").await, ["Four"]);
    assert_eq!(titles(&me.browser, "?status=withdrawn&q=three").await, Vec::<String>::new());
    let page = list(&me.browser, "?status=active").await;
    assert!(page.text().contains(r#"aria-current="true">Active"#), "{page}");
    assert!(links(&page).contains(&"/user_profile?status=withdrawn#api_keys".to_owned()), "{:?}", links(&page));
}

#[actix_web::test]
async fn the_list_is_sorted_by_each_of_its_columns_both_ways() {
    let (server, me, keys) = with_keys(&["b", "Á", "c"]).await;
    server.set_moment_where("api_keys", "last_used_at", -60, "title = 'b'").await;
    server.set_moment_where("api_keys", "last_used_at", -30, "title = 'c'").await;
    me.browser.withdraw_key(&keys[0]).await;
    for (order, found) in [
        ("title", "Ábc"),
        ("-title", "cbÁ"),
        ("created", "bÁc"),
        ("-created", "cÁb"),
        ("last_used", "bcÁ"),
        ("-last_used", "cbÁ"),
        ("status", "cÁb"),
        ("-status", "bcÁ"),
        ("nonsense", "cÁb"),
        ("", "cÁb"),
    ] {
        let page = list(&me.browser, &format!("?order={order}")).await;
        assert_eq!(key_titles(&page).concat(), found, "{order}");
        let sorted =
            ["ascending", "descending"].map(|way| page.text().matches(&format!("aria-sort=\"{way}\"")).count());
        let expected = match order {
            "nonsense" | "" => [0, 0],
            _ if order.starts_with('-') => [0, 1],
            _ => [1, 0],
        };
        assert_eq!(sorted, expected, "{order}");
    }
}

#[actix_web::test]
async fn there_are_25_keys_to_a_page_and_every_link_and_dialog_keeps_the_view() {
    let server = Server::options().env("LATCHKEY_MAX_KEYS", "200").start().await;
    let me = server.person("desk@farol.example").await;
    let mut keys = vec![];
    for number in 0..60 {
        keys.push(me.browser.create_key(&format!("Desk {number:02}")).await);
    }
    let page = list(&me.browser, "?q=desk&order=title&page=2").await;
    assert_eq!(key_titles(&page).first().map(String::as_str), Some("Desk 25"));
    assert_eq!(key_titles(&page).len(), 25);
    assert!(seen(page.text()).contains("Page 2 of 3"), "{page}");
    assert_eq!(titles(&me.browser, "?q=desk&order=title&page=99999999999999999999").await.len(), 11);
    for (query, count) in [("", 25), ("?page=0", 25), ("?page=-1", 25), ("?page=x", 25), ("?page=3", 11)] {
        assert_eq!(titles(&me.browser, query).await.len(), count, "{query}");
    }
    let links = links(&page);
    for kept in ["q=desk&order=title#api_keys", "q=desk&order=title&page=3#api_keys", "q=desk&order=-title#api_keys"] {
        assert!(links.contains(&format!("/user_profile?{kept}")), "no {kept} in {links:?}");
    }

    let id = me.browser.key_id(&keys[59]).await;
    let view = "?q=desk&order=title&page=2";
    let hidden = [r#"name="q" value="desk""#, r#"name="order" value="title""#, r#"name="page" value="2""#];
    for (path, part) in [
        (format!("/user_profile/api_keys/{id}"), format!("key_{id}")),
        (format!("/user_profile/api_keys/{id}/withdraw"), format!("key_{id}")),
        (NEW_KEY.to_owned(), "new_api_key".to_owned()),
        ("/user_profile/withdraw_all_keys".to_owned(), "withdraw_all".to_owned()),
    ] {
        let page = me.browser.get(&format!("{path}{view}")).await.is(200);
        assert_eq!(key_titles(&page).first().map(String::as_str), Some("Desk 25"), "{path}");
        let back = format!(r#"data-back="/user_profile{view}#{part}""#);
        assert!(page.text().replace("&#38;", "&").contains(&back), "no {back} in {page}");
        let dialog = page.text().split("<dialog").nth(1).and_then(|rest| rest.split("</dialog>").next());
        let dialog = dialog.expect("a dialog").to_owned();
        assert!(hidden.iter().all(|field| dialog.contains(field)), "{dialog}");
    }
    let form = me.browser.get(&format!("{NEW_KEY}{view}")).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    let fields = [("title", " "), ("form_token", &*token)];
    let again = me.browser.post_form(&format!("{NEW_KEY}{view}"), &fields).await.is(422);
    assert_eq!(key_titles(&again).first().map(String::as_str), Some("Desk 25"));
    let fields = [("title", "New"), ("form_token", &*token)];
    let made = me.browser.register(me.browser.post_form(&format!("{NEW_KEY}{view}"), &fields).await).is(200);
    assert_eq!(key_titles(&made).first().map(String::as_str), Some("Desk 25"));
    let away = me.browser.post_form(&format!("/user_profile/api_keys/{id}/withdraw{view}"), &[]).await.is(303);
    assert_eq!(away.header("location"), Some(&*format!("{PROFILE}{view}#api_keys")));
    let page = me.browser.get(&format!("{PROFILE}{view}")).await.is(200);
    let (section, notice) = (page.text().find("id=\"api_keys\""), page.text().find("API key withdrawn"));
    assert!(section.is_some() && section < notice, "the notice is in the section: {page}");
}

#[actix_web::test]
async fn a_new_key_comes_back_to_the_list_through_the_sign_in() {
    let (server, me, _) = with_keys(&["Night audit", "Front desk"]).await;
    let view = "?q=night&order=title";
    let form = me.browser.get(&format!("{NEW_KEY}{view}")).await.is(200);
    let token = html::input_value(form.text(), "form_token").expect("a form token");
    server.run(&["user", "sessions", &me.user.email, "--end"]).ok();
    let fields = [("title", "Third"), ("form_token", &*token)];
    let away = me.browser.post_form(&format!("{NEW_KEY}{view}"), &fields).await.is(303);
    let page = me.browser.get(away.header("location").expect("the sign-in")).await.is(200);
    let return_to = crate::page::typed(&page, "return_to").expect("where it goes on");
    let credentials = [("email", &*me.user.email), ("password", &*me.user.password), ("return_to", &*return_to)];
    let back = me.browser.post_form("/sign_in", &credentials).await.is(303);
    let form = me.browser.get(back.header("location").expect("the form")).await.is(200);
    assert_eq!(crate::page::typed(&form, "title").as_deref(), Some("Third"));
    assert_eq!(key_titles(&form), ["Night audit"]);
    assert!(form.text().contains(r##"data-back="/user_profile?q=night&#38;order=title#new_api_key""##), "{form}");
}

#[actix_web::test]
async fn times_are_told_by_how_long_ago_they_were_with_the_exact_time_beside() {
    let (server, me, _) = with_keys(&["Night audit"]).await;
    me.browser.post_form(PROFILE, &[("name", "Ana"), ("time_zone", "Europe/Lisbon")]).await.is(303);
    server.set_moment("api_keys", "created_at", -3 * 3600 - 30).await;
    server.set_moment("api_keys", "last_used_at", -2 * 86_400 - 30).await;
    let page = list(&me.browser, "").await;
    let row = key_rows(&page).concat();
    assert!(row.contains("3 hours ago") && row.contains("2 days ago"), "{row}");
    let exact = page.text().split("<time datetime=\"").filter(|time| time.contains("Europe/Lisbon\">")).count();
    assert_eq!(exact, 2, "{page}");
}
