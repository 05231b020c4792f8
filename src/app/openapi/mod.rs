//! The API's own document, made from the tables by which bodies are validated and lists are asked
//! (`resource/fields.rs`, `resource/list.rs`), so that it cannot say something else than the program does.

mod answers;
mod collections;
mod examples;
mod fixed_schemas;
mod operations;
mod parameters;
mod schemas;

use crate::{app::routes, resource::document::Document};

/// The document of a host: its name, where it helps, and its address.
pub fn document(host: &str, support: Option<&str>, address: &str) -> Document {
    let mut known = operations::all(address);
    let mut operations = Vec::new();
    for (path, methods) in routes::api().listed {
        operations.extend(methods.into_iter().filter_map(|method| known.remove(&(path.clone(), method))));
    }
    Document {
        host: host.to_owned(),
        support: support.map(str::to_owned),
        address: address.to_owned(),
        summary: "Properties, room types and rate plans, for property and revenue management systems.",
        about: ABOUT,
        key: (
            "user-api-key",
            "An API key, created on the User Profile page. It can do what its user can, or less if it is restricted.",
        ),
        tags: collections::TAGS.to_vec(),
        operations,
        parameters: parameters::shared(),
        schemas: schemas::all(),
        responses: answers::Failure::ALL.iter().map(|failure| failure.response().1).collect(),
    }
}

const ABOUT: &str = "Send an API key in the header `user-api-key` with every request. Request and response bodies are \
    JSON. Successful responses have `data`, paged lists also `meta`; errors have `errors` with a `code`, a `title` and \
    often `details`. IDs are UUIDs. Money is a decimal string in major units, such as `\"100.00\"`; requests \
    may also send an integer in minor units, such as `10000`. An update changes the fields that it names and keeps the \
    others. Unknown fields are ignored. Paths may have a trailing slash. GET responses have an `ETag`.";

#[cfg(test)]
mod page_tests;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::resource::fields::Need;

    /// A text has an example of its own (`.example`, or `examples.json`), since none can be made of its kind.
    #[test]
    fn what_a_new_resource_must_have_is_in_the_example_that_creates_it() {
        for collection in super::collections::all() {
            let create = collection.examples.get(collection.name, "create");
            let sent = create.as_object().and_then(|create| create.values().next()).cloned().unwrap_or_default();
            for field in &collection.fields {
                if matches!(field.need, Need::Required | Need::RequiredOnCreate) {
                    assert!(!sent[field.name].is_null(), "{}.{}: {create}", collection.name, field.name);
                }
            }
            let option = collection.option.map(|_| collection.examples.get(collection.name, "option"));
            assert!(option.is_none_or(|option| option["attributes"].is_object()), "{}: /options", collection.name);
        }
    }

    /// A route without its operation would be missing from the document, and the other way round.
    #[test]
    fn every_route_has_an_operation_and_every_operation_a_route() {
        let mut routes = BTreeSet::new();
        for (path, methods) in crate::app::routes::api().listed {
            routes.extend(methods.into_iter().filter(|method| *method != "HEAD").map(|method| (path.clone(), method)));
        }
        let operations = super::operations::all("http://localhost");
        assert_eq!(routes, operations.into_keys().collect());
    }
}
