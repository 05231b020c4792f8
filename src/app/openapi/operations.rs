//! Every operation, by path and method.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Value, json};

use crate::{
    app::openapi::{
        answers::{self, Failure},
        collections::{self, Collection},
        examples, parameters,
        schemas::camel,
    },
    hotel::facilities,
    resource::{
        collection::Pages,
        document::{
            BASE, Body, Operation, Parameter, Response,
            schema::{Keyword, Schema, Type},
        },
    },
};

/// All operations by path and method, as `routes` lists them.
pub type Operations = BTreeMap<(String, &'static str), Operation>;

/// All operations. `address` is the host's, for examples.
pub fn all(address: &str) -> Operations {
    let mut all = Vec::new();
    for collection in &collections::all() {
        of_collection(collection, address, &mut all);
    }
    all.extend(associations());
    all.extend(catalogues());
    all.extend([caller(), document()]);
    all.into_iter().map(|operation| ((operation.path.clone(), operation.method), operation)).collect()
}

/// An operation with the errors that any may answer, and these.
fn operation(
    method: &'static str,
    path: impl Into<String>,
    (id, tag, summary): (impl Into<String>, &'static str, impl Into<String>),
    errors: &[Failure],
) -> Operation {
    let any = [Failure::Unauthorized, Failure::Forbidden, Failure::TooMany, Failure::Unavailable];
    Operation {
        path: path.into(),
        method,
        id: id.into(),
        tag,
        summary: summary.into(),
        about: None,
        is_open: false,
        parameters: Vec::new(),
        body: None,
        responses: any.iter().chain(errors).map(|failure| failure.response()).collect(),
    }
}

impl Operation {
    fn about(self, text: impl Into<Cow<'static, str>>) -> Self {
        Operation { about: Some(text.into()), ..self }
    }

    fn parameters(self, parameters: Vec<Parameter>) -> Self {
        Operation { parameters, ..self }
    }

    fn body(self, schema: String, example: Value) -> Self {
        Operation { body: Some(Body { schema: Schema::named(schema), example }), ..self }
    }

    fn answers(mut self, status: u16, answer: Response) -> Self {
        self.responses.push((status, answer));
        self
    }
}

fn success() -> Response {
    answers::json("Success.".to_owned(), Schema::named("Success"), json!({ "meta": { "message": "Success" } }))
}

fn of_collection(of: &Collection, address: &str, all: &mut Vec<Operation>) {
    all.push(list(of));
    all.extend(options(of));
    all.extend([create(of, address), read(of), update(of), delete(of)]);
}

impl Collection {
    /// `a room type`
    fn one(&self) -> String {
        let an = if self.noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{an} {}", self.noun)
    }

    fn with_id(&self) -> String {
        format!("{}/{{id}}", self.path)
    }

    /// A response with one resource, and its example.
    fn response(&self) -> (Schema, Value) {
        let schema = Schema::object([("data", Schema::named(camel(self.name)))]);
        (schema, json!({ "data": self.examples.get(self.name, "resource") }))
    }

    fn id(&self) -> Parameter {
        parameters::in_path("id", self.noun.clone(), format!("The {}'s ID.", self.noun))
    }
}

/// What a write with a body may answer.
const WRITTEN: [Failure; 4] = [Failure::BadRequest, Failure::TooLarge, Failure::Encoded, Failure::Invalid];

fn list(of: &Collection) -> Operation {
    let several = &of.nouns;
    let data = Schema::list(Schema::named(camel(of.name)));
    let mut list = Schema::object([("data", data), ("meta", Schema::named("Meta"))]);
    let mut listed = json!({ "data": [of.examples.get(of.name, "resource")], "meta": first_page() });
    let whole =
        format!("The {several} that the key has access to: all of them, or one page, with `meta`, if requested.");
    let about = match of.pages {
        Pages::Always => format!("The {several} that the key has access to, page by page."),
        Pages::WhenAsked => {
            list = list.with(Keyword::Required(vec!["data"]));
            listed = json!({ "data": listed["data"] });
            whole
        }
        Pages::WhenAskedElseEmpty => {
            list.set_property("meta", Schema::any_of(vec![Schema::named("Meta"), Schema::object([])]));
            listed["meta"] = json!({});
            whole
        }
    };
    let id = format!("list_{}", of.path.trim_start_matches('/'));
    operation("GET", &of.path, (id, of.tag, format!("List {several}")), &[Failure::BadRequest])
        .about(about)
        .parameters(parameters::of_list(&of.listing, Some(of.pages)))
        .answers(200, answers::json(format!("A list of {several}."), list, listed))
}

fn first_page() -> Value {
    json!({ "page": 1, "limit": 10, "total": 1 })
}

fn options(of: &Collection) -> Option<Operation> {
    of.option.as_ref()?;
    let list = Schema::list(Schema::named(format!("{}Option", camel(of.name))));
    let example = json!({ "data": [of.examples.get(of.name, "option")] });
    let summary = format!("List {} (compact)", of.nouns);
    let called = (format!("{}_options", of.name), of.tag, summary);
    let operation = operation("GET", format!("{}/options", of.path), called, &[Failure::BadRequest])
        .about("Not paged.")
        .parameters(parameters::of_list(&of.listing, None))
        .answers(200, answers::json("The whole list.".to_owned(), Schema::object([("data", list)]), example));
    Some(operation)
}

fn create(of: &Collection, address: &str) -> Operation {
    let (verb, summary) = match of.invited {
        true => ("invite", format!("Invite {}", of.one())),
        false => ("create", format!("Create {}", of.one())),
    };
    let (schema, example) = of.response();
    let location = format!("{address}{BASE}{}/{}", of.path, example["data"]["id"].as_str().unwrap_or_default());
    operation("POST", &of.path, (format!("{verb}_{}", of.name), of.tag, summary), &WRITTEN)
        .body(format!("{}Create", camel(of.name)), of.examples.get(of.name, "create"))
        .answers(201, answers::created(&of.noun, location, schema, example))
}

fn read(of: &Collection) -> Operation {
    // Property users and group users answer `resource_not_found` also when they are read.
    let missing = if of.invited { Failure::Gone } else { Failure::Missing };
    let (schema, example) = of.response();
    operation("GET", of.with_id(), (format!("read_{}", of.name), of.tag, format!("Read {}", of.one())), &[missing])
        .parameters(vec![of.id()])
        .answers(200, answers::json(format!("The {}.", of.noun), schema, example))
}

fn update(of: &Collection) -> Operation {
    let (schema, example) = of.response();
    let errors = [&WRITTEN[..], &[Failure::Gone]].concat();
    let called = (format!("update_{}", of.name), of.tag, format!("Update {}", of.one()));
    operation("PUT", of.with_id(), called, &errors)
        .about("Omitted fields keep their value; null resets an optional field to its default.")
        .parameters(vec![of.id()])
        .body(format!("{}Update", camel(of.name)), of.examples.get(of.name, "update"))
        .answers(200, answers::json(format!("The updated {}.", of.noun), schema, example))
}

fn delete(of: &Collection) -> Operation {
    let force = of.force.then(parameters::force);
    let verb = if of.invited { "Withdraw" } else { "Delete" };
    let id = format!("{}_{}", verb.to_ascii_lowercase(), of.name);
    let called = (id, of.tag, format!("{verb} {}", of.one()));
    operation("DELETE", of.with_id(), called, &[Failure::BadRequest, Failure::Gone])
        .about(of.deleted)
        .parameters([of.id()].into_iter().chain(force).collect())
        .answers(200, success())
}

fn associations() -> [Operation; 2] {
    let path = "/groups/{group_id}/properties/{property_id}";
    let ids = || {
        vec![
            parameters::in_path("group_id", "group", "The group's ID.".to_owned()),
            parameters::in_path("property_id", "property", "The property's ID.".to_owned()),
        ]
    };
    let called = ("add_property_to_group", "Groups", "Add a property to a group");
    let add = operation("POST", path, called, &[Failure::Gone, Failure::Invalid])
        .about("Gives the group's users access to the property. Only for owners of both. No body needed.")
        .parameters(ids())
        .answers(200, success());
    let called = ("remove_property_from_group", "Groups", "Remove a property from a group");
    let remove = operation("DELETE", path, called, &[Failure::BadRequest, Failure::Gone])
        .about("A property must stay in at least one group. Only for owners of the property.")
        .parameters(ids())
        .answers(200, success());
    [add, remove]
}

fn catalogues() -> impl Iterator<Item = Operation> {
    let list = || Schema::list(Schema::named("Facility"));
    [("property_facilities", "properties"), ("room_facilities", "room types")].into_iter().flat_map(
        move |(name, of)| {
            let example = examples::of("facility", "resource");
            let schema = Schema::object([("data", list()), ("meta", Schema::named("Meta"))]);
            let paged = json!({ "data": [example], "meta": first_page() });
            let called = (format!("list_{name}"), "Facilities", format!("List facilities of {of}"));
            let paged = operation("GET", format!("/{name}"), called, &[Failure::BadRequest])
                .parameters(parameters::of_list(&facilities::api::LISTING, Some(Pages::Always)))
                .answers(200, answers::json("One page of facilities.".to_owned(), schema, paged));
            let schema = Schema::object([("data", list())]);
            let called = (format!("{name}_options"), "Facilities", format!("List facilities of {of} (unpaged)"));
            let whole = operation("GET", format!("/{name}/options"), called, &[Failure::BadRequest])
                .about("Not paged.")
                .parameters(parameters::of_list(&facilities::api::LISTING, None))
                .answers(200, answers::json("The whole list.".to_owned(), schema, json!({ "data": [example] })));
            [paged, whole]
        },
    )
}

fn caller() -> Operation {
    let one = Schema::object([("data", Schema::named("Caller"))]);
    let example = json!({ "data": examples::of("caller", "resource") });
    operation("GET", "/me", ("read_caller", "Caller", "Read the caller"), &[])
        .about("The first call to make: whose key this is, what it may do, and when it expires.")
        .answers(200, answers::json("The user, and the key that was sent.".to_owned(), one, example))
}

fn document() -> Operation {
    let schema = Schema::new(Type::Object).with(Keyword::Required(vec!["openapi", "paths"]));
    let answer = answers::json("The document.".to_owned(), schema, json!({ "openapi": "3.1.0", "paths": {} }));
    let called = ("read_document", "Document", "Read the OpenAPI document");
    let responses = vec![(200, answer), Failure::TooMany.response(), Failure::Unavailable.response()];
    let operation = operation("GET", "/openapi.json", called, &[]).about("Needs no key.");
    Operation { is_open: true, responses, ..operation }
}
