//! Methods, paths, headers and top keys (docs/contract/README.md, sections 1, 2 and 10).

use serde_json::{Value, json};

use super::World;
use super::exceptions::Findings;
use super::table::{self, COLLECTIONS, lists};
use crate::access::{NO_IDS, success};
use crate::property::UNKNOWN_ID;

#[actix_web::test]
async fn what_is_created_is_found_where_the_answer_says() {
    let world = World::new().await;
    for collection in COLLECTIONS {
        let body = world.document.create(collection).with(world.fields(collection, json!({})));
        // A slash at the end is no other path.
        let made = world.me.api.post(&format!("{}/", collection.at()), &body).await.is(201);
        let location = made.header("location").expect("a location");
        let at = location.strip_prefix(&world.server.base_url).expect("a URL of the server");
        assert_eq!(at, format!("{}/{}", collection.at(), made.id()));
        assert_eq!(made.data()["attributes"]["id"], *made.id(), "{made}");
        let type_of = world.document.update(collection).key;
        assert_eq!(made.data()["type"], *type_of, "{made}");
        world.me.api.get(at).await.is(200).says(made.json());
        let slash = format!("{at}/");
        world.me.api.get(&slash).await.is(200).says(made.json());
        let upper = at.replace(&made.id(), &made.id().to_uppercase());
        world.me.api.get(&upper).await.is(200).says(made.json());
        let update = json!({ type_of: {} });
        world.me.api.put(&upper, &update).await.is(200).says(made.json());
        world.me.api.put(&slash, &update).await.is(200).says(made.json());
        world.me.api.delete(&format!("{upper}/")).await.is(200).says(success());
        let gone = if collection.path.ends_with("_users") { "resource_not_found" } else { "not_found" };
        world.me.api.get(at).await.error(gone);
        world.me.api.put(at, &update).await.error("resource_not_found");
        world.me.api.delete(at).await.error("resource_not_found");
    }
}

#[actix_web::test]
async fn an_id_that_names_nothing_is_a_404_before_fields_are_judged() {
    let world = World::new().await;
    let api = &world.me.api;
    for collection in COLLECTIONS {
        let key = world.document.update(collection).key;
        let is_of_users = collection.path.ends_with("_users");
        for id in NO_IDS.into_iter().chain([&*world.place.tax]) {
            if collection.path == "taxes" && id == world.place.tax {
                continue;
            }
            let at = format!("{}/{id}", collection.at());
            api.get(&at).await.error(if is_of_users { "resource_not_found" } else { "not_found" });
            for fields in [json!({}), json!({ "title": "", "role": "", "url": 5 }), json!({ "title": "A" })] {
                api.put(&at, &json!({ key: fields })).await.error("resource_not_found");
            }
            api.delete(&at).await.error("resource_not_found");
            api.delete(&format!("{at}?force=true")).await.error("resource_not_found");
        }
    }
}

#[actix_web::test]
async fn head_answers_like_get_and_what_was_read_is_not_sent_again() {
    let world = World::new().await;
    let mut findings = Findings::new("etag");
    let api = &world.me.api;
    for (path, _) in lists() {
        let list = table::at(path);
        let collection = COLLECTIONS.iter().find(|collection| collection.path == path);
        let mut paths = vec![list.clone(), format!("{list}/")];
        if world.document.has_options(path) {
            paths.push(format!("{list}/options"));
        }
        let made = match collection {
            Some(collection) => Some((collection, world.makes(collection, json!({})).await)),
            None => None,
        };
        paths.extend(made.iter().map(|(_, made)| made.at.clone()));
        let mut etags = Vec::new();
        for path_of in &paths {
            let get = api.get(path_of).await.is(200);
            let head = api.head(path_of).await.is(200);
            assert_eq!(head.text(), "");
            for header in ["content-type", "etag", "cache-control", "vary"] {
                assert_eq!(head.header(header), get.header(header), "{head}");
            }
            let Some(etag) = get.header("etag").map(str::to_owned) else {
                findings.wrong(path, format!("no ETag of {path_of}"));
                continue;
            };
            for known in [etag.clone(), format!("\"x\", {etag}"), "*".to_owned()] {
                let again = api.get(path_of).header("if-none-match", &known).await.is(304);
                assert_eq!((again.text(), again.header("etag")), ("", Some(&*etag)), "{again}");
            }
            api.get(path_of).header("if-none-match", "\"x\"").await.is(200).says(get.json());
            etags.push((path_of, etag));
        }
        let Some((collection, made)) = &made else { continue };
        let name = if world.document.update(collection).fields.contains_key("role") { "role" } else { "title" };
        let name = if collection.path == "photos" { "kind" } else { name };
        let schema = &world.document.update(collection).fields[name];
        let other = (0..3).filter_map(|number| world.samples(collection).value(name, schema, number));
        let other = other.into_iter().find(|value| made.data["attributes"][name] != *value).expect("another value");
        world.updates(collection, made, json!({ name: other })).await.is(200);
        for (path_of, etag) in etags {
            let is_short = path_of.ends_with("/options") && name != "title";
            if !is_short {
                let changed = api.get(path_of).header("if-none-match", &etag).await.is(200);
                assert_ne!(changed.header("etag"), Some(&*etag), "{changed}");
            }
        }
    }
    findings.none();
}

#[actix_web::test]
async fn a_wrong_method_is_a_405_that_names_the_right_ones() {
    let world = World::new().await;
    for (path, _) in lists() {
        let is_catalogue = table::CATALOGUES.iter().any(|(catalogue, _)| *catalogue == path);
        let list = table::at(path);
        let of_list = if is_catalogue { vec!["get", "head"] } else { vec!["get", "head", "post"] };
        let mut paths = vec![(list.clone(), of_list)];
        if world.document.has_options(path) {
            paths.push((format!("{list}/options"), vec!["get", "head"]));
        }
        if !is_catalogue {
            paths.push((format!("{list}/{UNKNOWN_ID}"), vec!["delete", "get", "head", "put"]));
        }
        for (path, right) in paths {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"] {
                if right.contains(&&*method.to_lowercase()) {
                    continue;
                }
                let call = world.me.api.call(method.parse().expect("a method"), &path).body("{");
                let answer = call.await.error("method_not_allowed");
                let mut allowed = answer.words("allow");
                allowed.retain(|word| word != "options");
                assert_eq!(allowed, right, "{answer}");
            }
        }
    }
}

#[actix_web::test]
async fn a_body_has_its_top_key() {
    let world = World::new().await;
    for collection in COLLECTIONS {
        let made = world.makes(collection, json!({})).await;
        let unknown = format!("{}/{UNKNOWN_ID}", collection.at());
        for (method, path, key) in [
            ("POST", &collection.at(), world.document.create(collection).key),
            ("PUT", &made.at, world.document.update(collection).key),
            ("PUT", &unknown, world.document.update(collection).key),
        ] {
            let wrong = [json!(null), json!(5), json!("x"), json!(true), json!([1])];
            let wrong = wrong.map(|value| json!({ key: value })).into_iter();
            let wrong = wrong.chain([json!({}), json!([]), json!({ "thing": {} }), json!({ "title": "x" })]);
            for body in wrong {
                let answer = world.me.api.call(method.parse().expect("a method"), path).json(&body).await;
                answer.error_with("bad_request", json!([format!("{key} is required")]));
            }
        }
        // PHP writes an empty object as an empty list.
        let key = world.document.update(collection).key;
        let nothing: Value = json!({ key: [] });
        world.me.api.put(&made.at, &nothing).await.is(200).says(json!({ "data": made.data }));
    }
}
