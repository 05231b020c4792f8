//! What becomes of a small document.

use std::borrow::Cow;

use serde_json::json;

use crate::{
    host::docs::reference::*,
    resource::document::{
        Body, Document, Examples, Operation, Parameter, Place, Response, Tag,
        schema::{Keyword, Meaning, Schema, Type},
    },
};

fn parameter(name: &'static str, place: Place, schema: Schema) -> Parameter {
    Parameter { shared: None, name: name.into(), place, schema, about: "".into() }
}

fn operation(method: &'static str, path: &str, id: &str, schema: Schema) -> Operation {
    let examples = Examples::One(json!({ "data": {} }));
    Operation {
        path: path.to_owned(),
        method,
        id: id.to_owned(),
        tag: "Room types",
        summary: id.replace('_', " "),
        about: None,
        is_open: false,
        parameters: Vec::new(),
        body: None,
        responses: vec![(200, Response { shared: None, about: "".into(), headers: Vec::new(), schema, examples })],
    }
}

fn sample() -> Reference {
    let order = |field: &'static str, name: &'static str| {
        parameter(name, Place::Order(field), Schema::one_of(&["asc", "desc"]))
    };
    let list = Operation {
        parameters: vec![order("id", "order[id]"), order("title", "order[title]")],
        ..operation("GET", "/room_types", "list_room_types", Schema::list(Schema::named("Node")))
    };
    let inside = Schema::new(Type::Object)
        .with(Keyword::Required(vec!["title"]))
        .with(Keyword::Properties(vec![("title".into(), Schema::format(Meaning::Email).or_null())]));
    let body = Schema::new(Type::Object).with(Keyword::Properties(vec![("room_type".into(), Schema::list(inside))]));
    let create = Operation {
        body: Some(Body { schema: body, example: json!({ "room_type": "Captain's room" }) }),
        ..operation("POST", "/room_types", "create_room_type", Schema::text())
    };
    let delete = Operation {
        parameters: vec![parameter("id", Place::Path { example: "1" }, Schema::id("room type"))],
        ..operation("DELETE", "/room_types/{id}", "delete_room_type", Schema::text())
    };
    let open = Operation { is_open: true, ..operation("GET", "/open", "open", Schema::text()) };
    let node = Schema::object([("next", Schema::named("Node"))]);
    Reference::new(&Document {
        host: "Sample".to_owned(),
        support: None,
        address: "https://pms.example".to_owned(),
        summary: "",
        about: "",
        key: ("user-api-key", ""),
        tags: vec![Tag { name: "Room types", about: "One.\n\nTwo." }],
        operations: vec![list, create, delete, open],
        parameters: Vec::new(),
        schemas: vec![(Cow::Borrowed("Node"), node)],
        responses: Vec::new(),
    })
}

#[test]
fn fields_stand_in_their_order_with_the_way_to_them() {
    let reference = sample();
    let tag = reference.tag("room_types").expect("the tag");
    assert_eq!(tag.about.len(), 2);
    let body = tag.operations[1].body.as_ref().expect("a body");
    let told = body.table.fields.iter().map(|row| (format!("{}{}", row.way, row.name), row.kind.to_string()));
    let told: Vec<_> = told.collect();
    assert_eq!(told[0], ("room_type".to_owned(), "list, each entry object".to_owned()));
    assert_eq!(told[1], ("room_type[].title".to_owned(), "email address, or null".to_owned()));
    assert!(body.table.fields[1].is_required() && !body.table.fields[0].is_required());
}

#[test]
fn orders_are_one_row_to_choose_from() {
    let reference = sample();
    let rows = &reference.tags[0].operations[0].query_parameters;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].name, "order[…]");
    assert_eq!(rows[0].choices, ["order[id]=asc", "order[id]=desc", "order[title]=asc", "order[title]=desc"]);
}

#[test]
fn a_schema_that_leads_to_itself_ends() {
    let reference = sample();
    let Shape::Own(table) = &reference.tags[0].operations[0].answers[0].shape else { panic!("a shared body") };
    let told: Vec<_> = table.fields.iter().map(|row| (&*row.name, row.kind.to_string())).collect();
    assert_eq!(told, [("next", "such an object again".to_owned())]);
}

#[test]
fn curl_lines_survive_a_shell() {
    let reference = sample();
    let curls: Vec<_> = reference.tags[0].operations.iter().map(|operation| operation.curl.as_str()).collect();
    assert_eq!(curls[0], "curl \"https://pms.example/api/v1/room_types\" \\\n  -H \"user-api-key: $KEY\"");
    assert!(curls[1].contains("-H 'Content-Type: application/json'"), "{}", curls[1]);
    assert!(curls[1].contains(r"Captain'\''s room"), "{}", curls[1]);
    assert!(curls[2].starts_with("curl -X DELETE \"https://pms.example/api/v1/room_types/$ID\""), "{}", curls[2]);
    assert_eq!(curls[3], "curl \"https://pms.example/api/v1/open\"");
}

#[test]
fn a_search_looks_at_titles_paths_and_fields() {
    let reference = sample();
    let found = |wanted: &str| {
        let all = reference.tags[0].operations.iter().filter(|operation| operation.is_found(wanted));
        all.map(|operation| &*operation.anchor).collect::<Vec<_>>()
    };
    assert_eq!(found("DELETE room"), ["delete_room_type"]);
    assert_eq!(found("  Create "), ["create_room_type"]);
    assert_eq!(found("title"), ["create_room_type"]);
    assert!(found("no such thing").is_empty());
    assert_eq!(found("").len(), 4);
}
