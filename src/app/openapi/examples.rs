//! The examples of the document, in `examples.json`: for each type a body that creates one with every field, one that
//! updates it, the resource as it is answered, and its short form. A test sends and compares them.

use std::sync::LazyLock;

use serde_json::Value;

static ALL: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// An example of a type: `create`, `update`, `resource` or `option`.
pub fn of(name: &str, what: &str) -> Value {
    ALL[name][what].clone()
}
