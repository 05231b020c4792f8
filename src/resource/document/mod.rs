//! The API's document as plain structs. `json.rs` writes it as OpenAPI, `host/docs/` as pages.

mod json;
pub mod schema;

use std::borrow::Cow;

use serde_json::Value;

use crate::resource::document::schema::Schema;

/// What the API is, for one host.
#[derive(Debug)]
pub struct Document {
    /// The host's name.
    pub host: String,
    /// Where the host helps: a URL or an email address.
    pub support: Option<String>,
    /// The host's address, without a slash at its end.
    pub address: String,
    pub summary: &'static str,
    pub about: &'static str,
    /// The header of the API key, and what it is.
    pub key: (&'static str, &'static str),
    pub tags: Vec<Tag>,
    /// By path; those of one path follow each other.
    pub operations: Vec<Operation>,
    /// Parameters that operations share.
    pub parameters: Vec<Parameter>,
    /// Schemas by name.
    pub schemas: Vec<(Cow<'static, str>, Schema)>,
    /// Responses that operations share.
    pub responses: Vec<Response>,
}

/// The path before the paths of all operations.
pub const BASE: &str = "/api/v1";

impl Document {
    /// The schema of a name.
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.iter().find_map(|(known, schema)| (known == name).then_some(schema))
    }
}

/// A group of operations.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    pub name: &'static str,
    pub about: &'static str,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Below [`BASE`].
    pub path: String,
    /// In upper case.
    pub method: &'static str,
    /// Its name in programs: `create_room_type`.
    pub id: String,
    /// The name of its [`Tag`].
    pub tag: &'static str,
    pub summary: String,
    pub about: Option<Cow<'static, str>>,
    /// True where no key is needed.
    pub is_open: bool,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub responses: Vec<(u16, Response)>,
}

/// A value in the path or in the query.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name among the shared ones.
    pub shared: Option<&'static str>,
    pub name: Cow<'static, str>,
    pub place: Place,
    pub schema: Schema,
    pub about: Cow<'static, str>,
}

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path, where it must be.
    Path {
        /// A value that fits.
        example: &'static str,
    },
    /// In the query, where it may be.
    Query,
    /// In the query too; it orders a list by this field.
    Order(&'static str),
}

/// The body of a request, which must be there.
#[derive(Clone, Debug)]
pub struct Body {
    pub schema: Schema,
    pub example: Value,
}

/// A possible response to a request.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its name among the shared ones.
    pub shared: Option<&'static str>,
    pub about: Cow<'static, str>,
    pub headers: Vec<Header>,
    pub schema: Schema,
    pub examples: Examples,
}

/// A header of a response.
#[derive(Clone, Debug)]
pub struct Header {
    pub name: &'static str,
    pub about: &'static str,
    pub schema: Schema,
    pub example: Option<String>,
}

/// Bodies of a response.
#[derive(Clone, Debug)]
pub enum Examples {
    One(Value),
    /// Each with the reason for which it is answered.
    Reasons(Vec<(&'static str, Value)>),
}

impl Examples {
    /// The first.
    pub fn first(&self) -> Option<&Value> {
        match self {
            Examples::One(value) => Some(value),
            Examples::Reasons(reasons) => reasons.first().map(|(_, value)| value),
        }
    }
}
