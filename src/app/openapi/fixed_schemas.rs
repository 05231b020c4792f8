//! Schemas that come from no table.

use crate::resource::document::schema::{Keyword, Schema, Type};

/// Whose key, or session, it is.
pub fn caller() -> Schema {
    let flag = || Schema::new(Type::Boolean);
    let end = || Schema::text().or_null().about("UTC; null if there is no end.");
    let key = Schema::object([
        ("title", Schema::text()),
        ("tail", Schema::text().about("The key's last six characters.")),
        ("all_properties", flag()),
        ("read_only", flag()),
        ("manage_users", flag()),
        ("expires_at", end()),
        ("subscription_ends_at", end()),
    ]);
    let attributes = Schema::object([
        ("email", Schema::text()),
        ("name", Schema::text().or_null()),
        ("key", key.or_null().about("The key that was sent; null for a session.")),
    ]);
    Schema::object([("type", Schema::constant("caller")), ("id", Schema::id("user")), ("attributes", attributes)])
}

/// The page of a list.
pub fn meta() -> Schema {
    Schema::object([("page", Schema::at_least(1)), ("limit", Schema::integer(1, 100)), ("total", Schema::at_least(0))])
}

/// What is answered where there is no resource to show.
pub fn success() -> Schema {
    Schema::object([("meta", Schema::object([("message", Schema::constant("Success"))]))])
}

/// The details of a 422.
pub fn problems() -> Schema {
    let messages = Schema::new(Type::Array).with(Keyword::MinItems(1)).with(Keyword::Items(Box::new(Schema::text())));
    let values = Schema::any_of(vec![messages, Schema::named("Problems")]);
    Schema::new(Type::Object)
        .about("Field → what is wrong with it; nested objects are nested here too.")
        .with(Keyword::MinProperties(1))
        .with(Keyword::Values(Box::new(values)))
}

/// The body of an error.
pub fn error() -> Schema {
    let details = Schema::default().about("What exactly is wrong, if more can be said.").with(Keyword::AnyOf(vec![
        Schema::text(),
        Schema::list(Schema::text()),
        Schema::named("Problems"),
    ]));
    let fields = [
        ("code".into(), Schema::text().about("Machine-readable.")),
        ("title".into(), Schema::text().about("Human-readable.")),
        ("details".into(), details),
    ];
    let error = Schema::new(Type::Object)
        .with(Keyword::Required(vec!["code", "title"]))
        .with(Keyword::OtherFields(false))
        .with(Keyword::Properties(fields.into()));
    Schema::object([("errors", error)])
}
