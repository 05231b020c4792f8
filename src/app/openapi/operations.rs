//! Every operation, by path and method.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    app::openapi::{
        answers,
        collections::{self, Collection, object},
        examples, parameters,
        schemas::{camel, reference},
    },
    base::error::Result,
    hotel::facilities,
    resource::collection::Pages,
};

/// Path and method, as `routes` lists them.
pub type Key = (String, &'static str);

/// All operations. `address` is the host's, for examples.
pub fn all(address: &str) -> Result<BTreeMap<Key, Value>> {
    let mut all = BTreeMap::new();
    for collection in &collections::all()? {
        of_collection(collection, address, &mut all);
    }
    associations(&mut all);
    catalogues(&mut all);
    all.insert(("/me".to_owned(), "GET"), caller());
    all.insert(("/openapi.json".to_owned(), "GET"), document());
    Ok(all)
}

/// An operation with the errors that any may answer, and these.
struct Operation {
    value: Value,
}

impl Operation {
    fn new(id: impl Into<String>, tag: &str, summary: String, errors: &[(&str, &str)]) -> Self {
        let mut responses = Map::new();
        let any = [("401", "Unauthorized"), ("403", "Forbidden"), ("429", "TooMany"), ("503", "Unavailable")];
        for (status, name) in any.iter().chain(errors) {
            responses.insert((*status).to_owned(), answers::error(name));
        }
        let id: String = id.into();
        Operation { value: json!({ "operationId": id, "tags": [tag], "summary": summary, "responses": responses }) }
    }

    fn about(mut self, text: &str) -> Self {
        self.value["description"] = text.into();
        self
    }

    fn parameters(mut self, parameters: Vec<Value>) -> Self {
        if !parameters.is_empty() {
            self.value["parameters"] = parameters.into();
        }
        self
    }

    fn body(mut self, schema: &str, example: Value) -> Self {
        let content = json!({ "application/json": { "schema": reference(schema), "example": example } });
        self.value["requestBody"] = json!({ "required": true, "content": content });
        self
    }

    fn answers(mut self, status: &str, answer: Value) -> Self {
        self.value["responses"][status] = answer;
        self
    }
}

fn success() -> Value {
    answers::json("Success.", reference("Success"), json!({ "meta": { "message": "Success" } }))
}

fn of_collection(of: &Collection, address: &str, all: &mut BTreeMap<Key, Value>) {
    all.insert((of.path.clone(), "GET"), list(of));
    if of.option.is_some() {
        all.insert((format!("{}/options", of.path), "GET"), options(of));
    }
    all.insert((of.path.clone(), "POST"), create(of, address));
    let with_id = format!("{}/{{id}}", of.path);
    all.insert((with_id.clone(), "GET"), read(of));
    all.insert((with_id.clone(), "PUT"), update(of));
    all.insert((with_id, "DELETE"), delete(of));
}

impl Collection {
    /// `a room type`
    fn one(&self) -> String {
        let an = if self.noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{an} {}", self.noun)
    }

    /// A response with one resource, and its example.
    fn response(&self) -> (Value, Value) {
        let schema = object(json!({ "data": reference(&camel(self.name)) }));
        (schema, json!({ "data": self.examples.get(self.name, "resource") }))
    }

    fn id(&self) -> Value {
        parameters::in_path("id", &format!("The {}'s ID.", self.noun))
    }
}

/// What a write with a body may answer.
const WRITTEN: [(&str, &str); 4] = [("400", "BadRequest"), ("413", "TooLarge"), ("415", "Encoded"), ("422", "Invalid")];

fn list(of: &Collection) -> Value {
    let several = &of.nouns;
    let schema = json!({ "type": "array", "items": reference(&camel(of.name)) });
    let mut list = object(json!({ "data": schema, "meta": reference("Meta") }));
    let meta = json!({ "page": 1, "limit": 10, "total": 1 });
    let mut listed = json!({ "data": [of.examples.get(of.name, "resource")], "meta": meta });
    let whole =
        format!("The {several} that the key has access to: all of them, or one page, with `meta`, if requested.");
    let about = match of.pages {
        Pages::Always => format!("The {several} that the key has access to, page by page."),
        Pages::WhenAsked => {
            list["required"] = json!(["data"]);
            listed = json!({ "data": listed["data"] });
            whole
        }
        Pages::WhenAskedElseEmpty => {
            list["properties"]["meta"] = json!({ "anyOf": [reference("Meta"), object(json!({}))] });
            listed["meta"] = json!({});
            whole
        }
    };
    let id = format!("list_{}", of.path.trim_start_matches('/'));
    Operation::new(id, of.tag, format!("List {several}"), &[("400", "BadRequest")])
        .about(&about)
        .parameters(parameters::of_list(&of.listing, Some(of.pages)))
        .answers("200", answers::json(&format!("A list of {several}."), list, listed))
        .value
}

fn options(of: &Collection) -> Value {
    let list = json!({ "type": "array", "items": reference(&format!("{}Option", camel(of.name))) });
    let example = json!({ "data": [of.examples.get(of.name, "option")] });
    let summary = format!("List {} (compact)", of.nouns);
    Operation::new(format!("{}_options", of.name), of.tag, summary, &[("400", "BadRequest")])
        .about("Not paged.")
        .parameters(parameters::of_list(&of.listing, None))
        .answers("200", answers::json("The whole list.", object(json!({ "data": list })), example))
        .value
}

fn create(of: &Collection, address: &str) -> Value {
    let (verb, summary) = match of.invite {
        Some(_) => ("invite", format!("Invite {}", of.one())),
        None => ("create", format!("Create {}", of.one())),
    };
    let (schema, example) = of.response();
    let location = format!("{address}/api/v1{}/{}", of.path, example["data"]["id"].as_str().unwrap_or_default());
    let mut operation = Operation::new(format!("{verb}_{}", of.name), of.tag, summary, &WRITTEN)
        .body(&format!("{}Create", camel(of.name)), of.examples.get(of.name, "create"))
        .answers("201", answers::created(&of.noun, schema, example));
    operation.value["responses"]["201"]["headers"]["location"]["example"] = json!(location);
    operation.value
}

fn read(of: &Collection) -> Value {
    // Property users and group users answer `resource_not_found` also when they are read.
    let missing = if of.invite.is_some() { "Gone" } else { "Missing" };
    let (schema, example) = of.response();
    Operation::new(format!("read_{}", of.name), of.tag, format!("Read {}", of.one()), &[("404", missing)])
        .parameters(vec![of.id()])
        .answers("200", answers::json(&format!("The {}.", of.noun), schema, example))
        .value
}

fn update(of: &Collection) -> Value {
    let (schema, example) = of.response();
    let errors = [&WRITTEN[..], &[("404", "Gone")]].concat();
    Operation::new(format!("update_{}", of.name), of.tag, format!("Update {}", of.one()), &errors)
        .about("Omitted fields keep their value; null resets an optional field to its default.")
        .parameters(vec![of.id()])
        .body(&format!("{}Update", camel(of.name)), of.examples.get(of.name, "update"))
        .answers("200", answers::json(&format!("The updated {}.", of.noun), schema, example))
        .value
}

fn delete(of: &Collection) -> Value {
    let mut all = vec![of.id()];
    if of.force {
        all.push(parameters::reference("force"));
    }
    let (verb, about) = of.delete;
    let id = format!("{}_{}", verb.to_ascii_lowercase(), of.name);
    let errors = [("400", "BadRequest"), ("404", "Gone")];
    Operation::new(id, of.tag, format!("{verb} {}", of.one()), &errors)
        .about(about)
        .parameters(all)
        .answers("200", success())
        .value
}

fn associations(all: &mut BTreeMap<Key, Value>) {
    let path = "/groups/{group_id}/properties/{property_id}";
    let ids = || {
        vec![
            parameters::in_path("group_id", "The group's ID."),
            parameters::in_path("property_id", "The property's ID."),
        ]
    };
    let errors = [("404", "Gone"), ("422", "Invalid")];
    let add = Operation::new("add_property_to_group", "Groups", "Add a property to a group".to_owned(), &errors)
        .about("Gives the group's users access to the property. Only for owners of both. No body needed.")
        .parameters(ids())
        .answers("200", success());
    all.insert((path.to_owned(), "POST"), add.value);
    let errors = [("400", "BadRequest"), ("404", "Gone")];
    let summary = "Remove a property from a group".to_owned();
    let remove = Operation::new("remove_property_from_group", "Groups", summary, &errors)
        .about("A property must stay in at least one group. Only for owners of the property.")
        .parameters(ids())
        .answers("200", success());
    all.insert((path.to_owned(), "DELETE"), remove.value);
}

fn catalogues(all: &mut BTreeMap<Key, Value>) {
    let list = || json!({ "type": "array", "items": reference("Facility") });
    let example = examples::of("facility", "resource");
    for (path, of) in [("/property_facilities", "properties"), ("/room_facilities", "room types")] {
        let name = path.trim_start_matches('/');
        let paged = object(json!({ "data": list(), "meta": reference("Meta") }));
        let meta = json!({ "page": 1, "limit": 10, "total": 1 });
        let errors = [("400", "BadRequest")];
        let operation =
            Operation::new(format!("list_{name}"), "Facilities", format!("List facilities of {of}"), &errors)
                .parameters(parameters::of_list(&facilities::api::LISTING, Some(Pages::Always)))
                .answers(
                    "200",
                    answers::json("One page of facilities.", paged, json!({ "data": [example], "meta": meta })),
                );
        all.insert((path.to_owned(), "GET"), operation.value);
        let whole = object(json!({ "data": list() }));
        let summary = format!("List facilities of {of} (unpaged)");
        let operation = Operation::new(format!("{name}_options"), "Facilities", summary, &errors)
            .about("Not paged.")
            .parameters(parameters::of_list(&facilities::api::LISTING, None))
            .answers("200", answers::json("The whole list.", whole, json!({ "data": [example] })));
        all.insert((format!("{path}/options"), "GET"), operation.value);
    }
}

fn caller() -> Value {
    let one = object(json!({ "data": reference("Caller") }));
    let example = json!({ "data": examples::of("caller", "resource") });
    Operation::new("read_caller", "Caller", "Read the caller".to_owned(), &[])
        .about("The first call to make: whose key this is, what it may do, and when it expires.")
        .answers("200", answers::json("The user, and the key that was sent.", one, example))
        .value
}

fn document() -> Value {
    let schema = json!({ "type": "object", "required": ["openapi", "paths"] });
    let answer = answers::json("The document.", schema, json!({ "openapi": "3.1.0", "paths": {} }));
    json!({
        "operationId": "read_document", "tags": ["Document"], "summary": "Read the OpenAPI document",
        "description": "Needs no key.", "security": [],
        "responses": { "200": answer, "429": answers::error("TooMany"), "503": answers::error("Unavailable") }
    })
}
