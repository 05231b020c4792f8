//! JSON Schema, as the API's document uses it.

use std::{borrow::Cow, mem};

use serde_json::Value;

/// What a value may be: keywords, each at most once, in the order in which JSON has them. Without any, it is any JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    pub keywords: Vec<Keyword>,
}

/// The fields of an object, in order.
pub type Properties = Vec<(Cow<'static, str>, Schema)>;

/// One thing that is said of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Keyword {
    /// All that the schema of this name says.
    Reference(Cow<'static, str>),
    Type {
        of: Type,
        or_null: bool,
    },
    /// What a text means, said in JSON as `format`.
    Format(Meaning),
    /// What a text or a number means, for readers: JSON has no name for it, or checks it by the pattern alone.
    Means(Meaning),
    Pattern(Cow<'static, str>),
    MinLength(usize),
    MaxLength(usize),
    Minimum(i64),
    Maximum(i64),
    /// One of these words; null too, where the type says so.
    Enum(Vec<&'static str>),
    Const(Value),
    Items(Box<Schema>),
    /// The entries of a list one by one.
    PrefixItems(Vec<Schema>),
    MinItems(usize),
    MaxItems(usize),
    Required(Vec<&'static str>),
    Properties(Properties),
    /// Whether there may be fields that the schema does not name.
    OtherFields(bool),
    /// An object whose names are free: what each value may be.
    Values(Box<Schema>),
    MinProperties(usize),
    /// One of these.
    AnyOf(Vec<Schema>),
    Title(&'static str),
    Description(Cow<'static, str>),
    Default(Value),
    /// What holds where it is left out, said at the end of the description.
    SaidDefault(Value),
}

/// A type of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are JSON's")]
pub enum Type {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
    Null,
}

/// What a value stands for, where its type does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A UUID of what is named here, such as `room type`.
    Id(Cow<'static, str>),
    Facility,
    Date,
    TimeOfDay,
    Email,
    Phone,
    Url,
    Currency,
    Country,
    TimeZone,
    Latitude,
    Longitude,
    /// An amount as a decimal string in major units.
    Money,
    /// An amount as an integer in minor units.
    MinorUnits,
}

impl Meaning {
    /// The value of `format`.
    pub fn format(&self) -> &'static str {
        match self {
            Meaning::Id(_) => "uuid",
            Meaning::Facility => "facility-id",
            Meaning::Date => "date",
            Meaning::TimeOfDay => "time-of-day",
            Meaning::Email => "email",
            Meaning::Phone => "phone",
            Meaning::Url => "uri",
            Meaning::Currency => "iso-4217",
            Meaning::Country => "iso-3166-1",
            Meaning::TimeZone => "iana-time-zone",
            Meaning::Latitude => "latitude",
            Meaning::Longitude => "longitude",
            Meaning::Money => "money",
            Meaning::MinorUnits => "minor-units",
        }
    }
}

/// Finds the value of a keyword.
macro_rules! find {
    ($schema:expr, $keyword:ident) => {
        $schema.keywords.iter().find_map(|keyword| match keyword {
            $crate::resource::document::schema::Keyword::$keyword(value) => Some(value),
            _ => None,
        })
    };
}
pub(crate) use find;

/// A default in a sentence.
pub fn said(default: &Value) -> String {
    format!("Default: `{}`.", default.as_str().map_or_else(|| default.to_string(), str::to_owned))
}

impl Schema {
    /// A value of a type.
    pub fn new(of: Type) -> Self {
        Schema::default().with(Keyword::Type { of, or_null: false })
    }

    /// Any text.
    pub fn text() -> Self {
        Schema::new(Type::String)
    }

    /// A text with a meaning.
    pub fn format(meaning: Meaning) -> Self {
        Schema::text().with(Keyword::Format(meaning))
    }

    /// A UUID of what is named.
    pub fn id(of: impl Into<Cow<'static, str>>) -> Self {
        Schema::format(Meaning::Id(of.into()))
    }

    /// An integer of at least this.
    pub fn at_least(minimum: i64) -> Self {
        Schema::new(Type::Integer).with(Keyword::Minimum(minimum))
    }

    /// An integer between bounds, both included.
    pub fn integer(minimum: i64, maximum: i64) -> Self {
        Schema::at_least(minimum).with(Keyword::Maximum(maximum))
    }

    /// One of these words.
    pub fn one_of(words: &[&'static str]) -> Self {
        Schema::text().with(Keyword::Enum(words.to_vec()))
    }

    /// This value alone.
    pub fn constant(value: impl Into<Value>) -> Self {
        Schema::default().with(Keyword::Const(value.into()))
    }

    /// A list.
    pub fn list(items: Schema) -> Self {
        Schema::new(Type::Array).with(Keyword::Items(Box::new(items)))
    }

    /// One of several.
    pub fn any_of(forms: Vec<Schema>) -> Self {
        Schema::default().with(Keyword::AnyOf(forms))
    }

    /// The schema of this name.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Schema::default().with(Keyword::Reference(name.into()))
    }

    /// An object that has all of these fields and nothing else.
    pub fn object(properties: impl IntoIterator<Item = (&'static str, Schema)>) -> Self {
        let properties: Vec<_> = properties.into_iter().collect();
        Schema::new(Type::Object)
            .with(Keyword::Required(properties.iter().map(|(name, _)| *name).collect()))
            .with(Keyword::Properties(properties.into_iter().map(|(name, schema)| (name.into(), schema)).collect()))
            .with(Keyword::OtherFields(false))
    }

    /// The schema with a keyword, in the place of the one of its kind that it had.
    pub fn with(mut self, keyword: Keyword) -> Self {
        match self.keywords.iter_mut().find(|old| mem::discriminant(*old) == mem::discriminant(&keyword)) {
            Some(old) => *old = keyword,
            None => self.keywords.push(keyword),
        }
        self
    }

    /// Says what it is for.
    pub fn about(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.with(Keyword::Description(text.into()))
    }

    /// The same, or null.
    pub fn or_null(mut self) -> Self {
        for keyword in &mut self.keywords {
            match keyword {
                Keyword::Type { or_null, .. } => *or_null = true,
                Keyword::AnyOf(forms) => forms.push(Schema::new(Type::Null)),
                _ => {}
            }
        }
        self
    }

    /// True where the type allows null beside something else.
    pub fn is_nullable(&self) -> bool {
        self.keywords.iter().any(|keyword| matches!(keyword, Keyword::Type { or_null: true, .. }))
    }

    /// The fields of an object.
    pub fn properties(&self) -> &[(Cow<'static, str>, Schema)] {
        find!(self, Properties).map_or(&[], Vec::as_slice)
    }

    /// Replaces a field that is there, or adds one.
    pub fn set_property(&mut self, name: &'static str, schema: Schema) {
        for keyword in &mut self.keywords {
            if let Keyword::Properties(properties) = keyword {
                match properties.iter_mut().find(|(known, _)| known == name) {
                    Some((_, old)) => *old = schema,
                    None => properties.push((name.into(), schema)),
                }
                return;
            }
        }
    }

    /// True for a field that an object must have.
    pub fn requires(&self, name: &str) -> bool {
        find!(self, Required).is_some_and(|names| names.contains(&name))
    }
}
