//! One table of fields per resource: bodies are validated by it (`validate.rs`), its messages come from it, and so do
//! its columns, filters and orders, its JSON, and the schema of the API's document (`app/openapi/`).

use serde_json::Value;
use uuid::Uuid;

use crate::resource::document::schema::Schema;

/// The largest whole number that the API takes (docs/contract/README.md, section 15, 6).
pub const LARGEST: i64 = i32::MAX as i64;

/// One field of a resource.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub need: Need,
    /// What it means, in a sentence for the API's document.
    pub about: &'static str,
    /// Whether its description ends with its default.
    pub says_default: bool,
    /// False for a field that is not among the attributes of an answer.
    pub shown: bool,
    /// Whether answers may show null; `None`: where it may be left out.
    pub nullable: Option<bool>,
}

/// The fields of an object.
pub type Fields = fn() -> Vec<&'static Field>;

/// Whether a field may be left out or null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Must be there when the resource is created; never null or blank.
    Required,
    /// As `Required` when the resource is created, ignored in an update.
    RequiredOnCreate,
    /// May be left out, but not null or blank.
    NotNull,
    /// May be left out; null means its default (docs/contract/README.md, section 15, 8).
    Optional,
    /// As `Optional` when the resource is created, ignored in an update.
    OnCreate,
    /// In answers alone; ignored in a body.
    ReadOnly,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// 1 to 255 characters of one line, kept without white space around them.
    Title,
    /// Text as sent, of at most so many characters.
    Text { max: usize },
    /// An email address.
    Email,
    /// At most 32 digits, spaces, brackets and other signs.
    Phone,
    /// An absolute http or https URL.
    Url,
    /// An ISO 4217 code in any case.
    Currency,
    /// An ISO 3166-1 alpha-2 code in any case.
    Country,
    /// An IANA time zone name.
    TimeZone,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Degrees north as a decimal string or a number, kept as sent.
    Latitude,
    /// Degrees east, likewise.
    Longitude,
    /// A whole number of at least this.
    Integer { min: i64, max: i64 },
    /// A whole number above 0.
    Positive,
    /// `true` or `false`.
    Boolean,
    /// An amount above 0: a string of a decimal in major units or an integer in minor ones.
    Price,
    /// The same, or 0.
    Fee,
    /// A UUID of what is named here, such as `room type`.
    Id(&'static str),
    /// A list of ids that a catalogue knows.
    Ids(fn(Uuid) -> bool),
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A time of day, `HH:MM`.
    Time,
    /// An object with fields of its own, merged field by field.
    Object(Fields),
    /// A list of objects, replaced as a whole. What is wrong is told with the place in the list.
    List(Fields),
    /// A list of objects to make (without `id`), change (with it) or remove (`is_removed`).
    Batch(Fields),
    /// JSON with rules of its own.
    Json(&'static Shape),
}

impl Kind {
    /// True for amounts, and for objects with amounts.
    pub fn depends_on_currency(&self) -> bool {
        match self {
            Kind::Price | Kind::Fee => true,
            Kind::Object(fields) => fields().iter().any(|field| field.kind.depends_on_currency()),
            _ => false,
        }
    }
}

/// Bytes of JSON at most that is kept as it is.
pub const MOST_JSON: usize = 16_384;

/// JSON that one feature knows.
pub struct Shape {
    /// True for a value that may be kept.
    pub fits: fn(&Value) -> bool,
    /// Bytes of it at most, where its own rules do not bound it.
    pub most_bytes: Option<usize>,
    /// What it looks like.
    pub schema: fn() -> Schema,
}

impl Field {
    const fn new(name: &'static str, kind: Kind, need: Need, about: &'static str) -> Field {
        Field { name, kind, need, about, says_default: false, shown: true, nullable: None }
    }

    /// Not among the attributes of an answer.
    pub const fn hidden(self) -> Field {
        Field { shown: false, ..self }
    }

    /// Whether answers may show null.
    pub const fn nullable(self, nullable: bool) -> Field {
        Field { nullable: Some(nullable), ..self }
    }
}

/// A field that a new resource must have.
pub const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::Required, about)
}

/// A field that may be left out.
pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::Optional, about)
}

/// A field of answers.
pub const fn read_only(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::ReadOnly, about)
}
