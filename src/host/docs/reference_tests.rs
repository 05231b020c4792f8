//! What becomes of a small document with one of everything.

use crate::host::docs::reference::*;

fn sample() -> Reference {
    let document = serde_json::from_str(include_str!("sample.json")).expect("JSON");
    Reference::read(&document, "https://pms.example")
}

fn operation<'a>(reference: &'a Reference, anchor: &str) -> &'a Operation {
    let all = reference.tags.iter().flat_map(|tag| &tag.operations);
    all.into_iter().find(|operation| operation.anchor == anchor).expect("the operation")
}

#[test]
fn operations_stand_under_their_tags_in_a_natural_order() {
    let reference = sample();
    let tags: Vec<_> = reference.tags.iter().map(|tag| (&*tag.slug, &*tag.title)).collect();
    assert_eq!(tags, [("room_types", "Room types"), ("other", "Other")], "empty ones are left out");
    let room_types = reference.tag("room_types").expect("the tag");
    assert_eq!(room_types.about.len(), 2);
    let anchors: Vec<_> = room_types.operations.iter().map(|operation| &*operation.anchor).collect();
    assert_eq!(anchors, ["list_room_types", "create_room_type", "get_room_type", "delete_room_type"]);
    assert_eq!(operation(&reference, "get_api_v1_open").summary, "Open to all");
}

#[test]
fn fields_of_a_body_are_told_in_words_in_their_order() {
    let reference = sample();
    let body = operation(&reference, "create_room_type").body.as_ref().expect("a body");
    let rows: Vec<_> = body.fields.iter().map(|field| (format!("{}{}", field.way, field.name), field)).collect();
    let told: Vec<_> = rows
        .iter()
        .map(|(name, field)| {
            (&**name, field.kind.to_string().replace("<code>", "").replace("</code>", ""), field.required)
        })
        .collect();
    let expected = [
        ("room_type", "object", true),
        ("room_type.property_id", "UUID", true),
        ("room_type.title", "string of 1 to 255 characters", true),
        ("room_type.count_of_rooms", "integer above 0, at most 2,147,483,647", false),
        ("room_type.occ_adults", "integer from 1 to 100", true),
        ("room_type.room_kind", "room or dorm", false),
        ("room_type.capacity", "integer, 1 or more, or null", false),
        ("room_type.price", "string, matching ^[0-9]+$ or integer, 0 or more", false),
        (
            "room_type.fee",
            "decimal string in major units, such as &#34;100.00&#34;, or integer in minor units, such as 10000; not negative, or null",
            false,
        ),
        ("room_type.latitude", "decimal string with at most 7 decimals or number from -90 to 90", false),
        ("room_type.content", "object", false),
        ("room_type.content.description", "string, or null", false),
        ("room_type.content.photos", "list of objects, at most 100 entries", false),
        ("room_type.content.photos[].url", "URL", true),
    ];
    assert_eq!(told, expected.map(|(name, kind, required)| (name, kind.to_owned(), required)));
    let kind = rows[5].1;
    assert_eq!(kind.default.as_deref(), Some("\"room\""));
    assert_eq!(kind.choices, ["room", "dorm"]);
    assert_eq!(rows[13].1.depth, 3);
}

#[test]
fn parameters_of_the_path_and_by_reference_are_found() {
    let reference = sample();
    let list = operation(&reference, "list_room_types");
    let names: Vec<_> = list.query_parameters.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["pagination[page]", "filter[property_id]", "order[…]"]);
    assert_eq!(list.query_parameters[0].default.as_deref(), Some("1"));
    let delete = operation(&reference, "delete_room_type");
    assert_eq!(delete.path_parameters[0].name, "id");
    assert!(delete.path_parameters[0].required);
    assert_eq!(delete.query_parameters[0].choices, ["true", "false"]);
}

#[test]
fn answers_have_an_example_given_or_made_and_their_fields() {
    let reference = sample();
    let create = operation(&reference, "create_room_type");
    let told: Vec<_> = create.answers.iter().map(|answer| (&*answer.status, answer.name)).collect();
    assert_eq!(told, [("201", "Created"), ("401", "Unauthorized"), ("422", "Unprocessable Entity")]);
    let made = create.answers[0].example.as_deref().expect("an example");
    let made: Value = serde_json::from_str(made).expect("JSON");
    assert_eq!(made["data"]["type"], "room_type");
    assert_eq!(made["data"]["attributes"]["room_kind"], "room");
    assert!(made["data"]["attributes"]["id"].is_string(), "an answer has what is read-only: {made}");
    assert!(create.answers[0].fields.iter().any(|field| field.name == "id"));
    assert!(create.answers[1].example.as_deref().is_some_and(|example| example.contains("unauthorized")));
    assert!(operation(&reference, "get_room_type").answers[1].example.is_none());
}

#[test]
fn curl_lines_survive_a_shell() {
    let reference = sample();
    let curl = |anchor| operation(&reference, anchor).curl.as_str();
    assert_eq!(
        curl("list_room_types"),
        "curl \"https://pms.example/api/v1/room_types\" \\\n  -H \"user-api-key: $KEY\""
    );
    assert!(curl("delete_room_type").starts_with("curl -X DELETE \"https://pms.example/api/v1/room_types/$ID\""));
    assert_eq!(curl("get_api_v1_open"), "curl -g \"https://pms.example/api/v1/open?filter[date]=$FILTER_DATE\"");
    let create = curl("create_room_type");
    assert!(create.contains("-H 'Content-Type: application/json'"), "{create}");
    assert!(create.contains(r"Captain'\''s room"), "{create}");
}

#[test]
fn a_search_looks_at_titles_paths_and_fields() {
    let reference = sample();
    let found = |wanted: &str| {
        let all = reference.tags.iter().flat_map(|tag| &tag.operations);
        all.filter(|operation| operation.is_found(wanted)).map(|operation| &*operation.anchor).collect::<Vec<_>>()
    };
    assert_eq!(found("DELETE room"), ["delete_room_type"]);
    assert_eq!(found("  Create "), ["create_room_type"]);
    assert_eq!(found("photos"), ["list_room_types", "create_room_type"]);
    assert_eq!(found("filter[property_id]"), ["list_room_types"]);
    assert!(found("no such thing").is_empty());
    assert_eq!(found("").len(), 5);
}

#[test]
fn what_is_no_document_or_leads_in_circles_harms_nothing() {
    for odd in [Value::Null, "x".into(), serde_json::json!({ "paths": [], "tags": { "a": 1 } })] {
        assert!(Reference::read(&odd, "").tags.is_empty(), "{odd}");
    }
    let circle = serde_json::json!({
        "paths": { "/x": { "get": { "responses": { "200": { "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/A" } } } } } } } },
        "components": { "schemas": {
            "A": { "type": "object", "properties": { "again": { "$ref": "#/components/schemas/A" } } } } },
    });
    assert_eq!(Reference::read(&circle, "").tags[0].operations[0].answers[0].fields.len(), 8);
    let itself = serde_json::json!({ "paths": { "/x": { "get": { "parameters": [{ "$ref": "#/paths/~1x/get/parameters/0" }] } } } });
    assert_eq!(Reference::read(&itself, "").tags.len(), 1);
}
