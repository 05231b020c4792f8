//! One table of fields per resource: bodies are judged by it (`judge.rs`), and its messages come from it.

/// One field of a request body.
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub need: Need,
}

/// Whether a field may be left out or null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Must be there when the resource is created; never null or blank.
    Required,
    /// May be left out, but not null or blank.
    NotNull,
    /// May be left out; null means its default (contract/README.md, section 15, 8).
    Optional,
    /// As `Optional` when the resource is created, ignored in an update.
    OnCreate,
}

/// What a field holds.
pub enum Kind {
    /// 1 to 255 characters of one line, kept without white space around them.
    Title,
    /// Text as sent, of at most so many characters.
    Text { max: usize },
    /// Text as sent, of any length.
    LongText,
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
    /// A decimal as a string or number, kept as sent.
    Decimal { min: i32, max: i32, places: usize },
    /// A whole number.
    Integer { min: i64, max: i64 },
    /// `true` or `false`.
    Boolean,
    /// An amount above 0: a string of a decimal in major units or an integer in minor ones.
    Price,
    /// A UUID.
    Id,
    /// A list whose catalogue has no entries yet, so that only an empty one is right.
    NoEntries,
    /// An object with fields of its own, merged field by field.
    Object(&'static [Field]),
}

/// A field that may be left out; shortens the tables.
pub const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: Need::Optional }
}
