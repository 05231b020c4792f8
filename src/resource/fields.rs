//! One table of fields per resource: bodies are validated by it (`validate.rs`), its messages come from it, and so do
//! its columns, filters and orders, its JSON, and the schema of the API's document (`openapi/`).

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    base::error::Problems,
    db::{Bind, Row},
};

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
    /// False for a field that is not among the attributes of an answer.
    pub shown: bool,
    /// Whether answers may show null; `None` where that follows from need and default.
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
    /// A decimal as a string or number, kept as sent.
    Decimal { min: i32, max: i32, places: usize },
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
    /// A UUID.
    Id,
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

/// Text without a limit of its own (docs/contract/README.md, section 15, 110).
pub const LONG_TEXT: Kind = Kind::Text { max: 20_000 };

/// Bytes of JSON at most that is kept as it is.
pub const MOST_JSON: usize = 16_384;

/// JSON that one feature knows.
pub struct Shape {
    /// True for a value that may be kept.
    pub fits: fn(&Value) -> bool,
    /// Bytes of it at most, where its own rules do not bound it.
    pub most_bytes: Option<usize>,
    /// Its JSON Schema.
    pub schema: fn() -> Value,
}

impl Field {
    const fn new(name: &'static str, kind: Kind, need: Need, about: &'static str) -> Field {
        Field { name, kind, need, about, shown: true, nullable: None }
    }

    /// Not among the attributes of an answer.
    pub const fn hidden(self) -> Field {
        Field { shown: false, ..self }
    }
}

/// A field that a new resource must have.
pub const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::Required, about)
}

/// A field that may be left out, but not null.
pub const fn not_null(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::NotNull, about)
}

/// A field that may be left out.
pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::Optional, about)
}

/// A field that may be left out, and says nothing in an update.
pub const fn on_create(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::OnCreate, about)
}

/// A field of answers.
pub const fn read_only(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field::new(name, kind, Need::ReadOnly, about)
}

/// A value of a field, whatever its type.
pub trait FieldValue {
    /// Appends the values of its columns, in the order of [`FieldType::columns`].
    fn bind(&self, binds: &mut Vec<Bind>);

    /// Reads its columns, of which the first is at `place`, and moves `place` behind the last.
    fn load(&mut self, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()>;

    /// Becomes a value that `validate.rs` accepted. What depends on the resource's currency is validated here; a
    /// problem is added for the field `name`.
    fn set(&mut self, value: Value, name: &str, currency: &str, problems: &mut Problems);

    /// As responses show it; amounts have the decimals of the resource's currency.
    fn json(&self, currency: &str) -> Value;
}

/// What is known of a type without a value.
pub trait FieldType: FieldValue {
    /// How it is validated, and its schema.
    const KIND: Kind;

    /// Whether responses may show null.
    const NULLABLE: bool = false;

    /// Appends the names of its columns, of a field whose column is called `name`.
    fn columns(name: &str, columns: &mut Vec<String>) {
        columns.push(name.to_owned());
    }
}

/// A field of the resource `R`, with its place in it and in the database. Made by [`field!`].
pub struct Attribute<R: 'static> {
    pub field: Field,
    /// Whether lists can be filtered by it.
    pub filter: bool,
    /// Its value in the examples of the API's document, as JSON; `None`: one that fits its kind.
    pub example: Option<&'static str>,
    /// The name of its column, or the first part of the names of its columns.
    column: &'static str,
    columns: fn(&str, &mut Vec<String>),
    get: fn(&R) -> &dyn FieldValue,
    get_mut: fn(&mut R) -> &mut dyn FieldValue,
    /// True for what is shown a second time under another name: it has no column, and is never set.
    is_copy: bool,
}

/// Declares a field of `Self` that may be left out, `field!(title)`, or `field!(kind as "type")` where the API's name is
/// another. [`Attribute`] has what else can be said of it.
macro_rules! field {
    ($field:ident) => {
        $crate::resource::fields::field!($field as stringify!($field))
    };
    ($field:ident as $name:expr) => {
        $crate::resource::fields::Attribute::new(
            $name,
            stringify!($field),
            $crate::resource::fields::type_of(|resource: &Self| &resource.$field),
            |resource: &Self| &resource.$field,
            |resource: &mut Self| &mut resource.$field,
        )
    };
}
pub(crate) use field;

/// What a type says of all its values.
pub struct Type {
    kind: Kind,
    nullable: bool,
    columns: fn(&str, &mut Vec<String>),
}

/// The type of a field, found by how it is reached.
pub const fn type_of<R, T: FieldType>(_: fn(&R) -> &T) -> Type {
    Type { kind: T::KIND, nullable: T::NULLABLE, columns: T::columns }
}

impl<R> Attribute<R> {
    /// See [`field!`].
    pub const fn new(
        name: &'static str,
        column: &'static str,
        of: Type,
        get: fn(&R) -> &dyn FieldValue,
        get_mut: fn(&mut R) -> &mut dyn FieldValue,
    ) -> Self {
        let field =
            Field { name, kind: of.kind, need: Need::Optional, about: "", shown: true, nullable: Some(of.nullable) };
        Attribute { field, filter: false, example: None, column, columns: of.columns, get, get_mut, is_copy: false }
    }

    /// What it means, in a sentence for the API's document.
    pub const fn about(mut self, about: &'static str) -> Self {
        self.field.about = about;
        self
    }

    /// Its value in the examples of the API's document, as JSON.
    pub const fn example(mut self, json: &'static str) -> Self {
        self.example = Some(json);
        self
    }

    /// See [`Need`].
    pub const fn need(mut self, need: Need) -> Self {
        self.field.need = need;
        self
    }

    /// A new resource must have it; it is never null or blank.
    pub const fn required(self) -> Self {
        self.need(Need::Required)
    }

    /// Lists can be filtered by it.
    pub const fn filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Not among the attributes of an answer.
    pub const fn hidden(mut self) -> Self {
        self.field.shown = false;
        self
    }

    /// A second name of a field in answers.
    pub const fn copy(mut self) -> Self {
        self.is_copy = true;
        self.need(Need::ReadOnly)
    }

    /// The SQL by which a list is ordered by it, of a table `r`; `None` where the field is none to order by.
    pub fn order(&self) -> Option<String> {
        let column = self.column;
        match self.field.kind {
            _ if !self.field.shown => None,
            Kind::Title => Some(format!("r.sort_{column}")),
            Kind::Decimal { .. } => Some(format!("cast(r.{column} as double precision)")),
            Kind::Id | Kind::Integer { .. } | Kind::Positive | Kind::Boolean | Kind::Price | Kind::Fee => {
                Some(format!("r.{column}"))
            }
            Kind::Object(_) | Kind::List(_) | Kind::Batch(_) | Kind::Ids(_) | Kind::Json(_) => None,
            _ => Some(format!("r.{column} collate \"C\"")),
        }
    }

    /// Reads its columns, of which the first is at `place`.
    pub fn load(&self, resource: &mut R, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
        (self.get_mut)(resource).load(row, place)
    }

    /// Its value in an answer.
    pub fn json(&self, resource: &R, currency: &str) -> Value {
        (self.get)(resource).json(currency)
    }

    /// Appends the names of its columns.
    pub fn columns(&self, names: &mut Vec<String>) {
        (self.columns)(self.column, names);
    }

    /// The name of its column in a table `r`.
    pub fn sql(&self) -> String {
        format!("r.{}", self.column)
    }
}

/// The names of all columns of a table of fields, in order.
pub fn columns<R>(table: &[Attribute<R>]) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in table.iter().filter(|attribute| !attribute.is_copy) {
        (attribute.columns)(attribute.column, &mut names);
    }
    names
}

/// The values of all columns, in the same order.
pub fn bind<R>(table: &[Attribute<R>], resource: &R, binds: &mut Vec<Bind>) {
    for attribute in table.iter().filter(|attribute| !attribute.is_copy) {
        (attribute.get)(resource).bind(binds);
    }
}

/// Reads all columns, in the same order, the first of which is at `place`.
pub fn load<R>(table: &[Attribute<R>], resource: &mut R, row: &Row<'_>, place: &mut usize) -> sqlx::Result<()> {
    for attribute in table.iter().filter(|attribute| !attribute.is_copy) {
        (attribute.get_mut)(resource).load(row, place)?;
    }
    Ok(())
}

/// The resource as answers show it, or with `hidden` fields too.
pub fn json<R>(table: &[Attribute<R>], resource: &R, currency: &str, hidden: bool) -> Map<String, Value> {
    let shown = table.iter().filter(|attribute| attribute.field.shown || hidden);
    shown.map(|attribute| (attribute.field.name.to_owned(), (attribute.get)(resource).json(currency))).collect()
}

/// Takes what was validated. Problems that only now show are added.
pub fn set<R>(
    table: &[Attribute<R>],
    resource: &mut R,
    mut validated: Map<String, Value>,
    currency: &str,
    problems: &mut Problems,
) {
    for attribute in table {
        if let Some(value) = validated.remove(attribute.field.name) {
            (attribute.get_mut)(resource).set(value, attribute.field.name, currency, problems);
        }
    }
}

/// Lets a struct with a table of fields, `FIELDS`, be a field itself: an object of the API.
macro_rules! object {
    ($name:ident) => {
        impl $crate::resource::fields::FieldValue for $name {
            fn bind(&self, binds: &mut Vec<$crate::db::Bind>) {
                $crate::resource::fields::bind(Self::FIELDS, self, binds);
            }

            fn load(&mut self, row: &$crate::db::Row<'_>, place: &mut usize) -> sqlx::Result<()> {
                $crate::resource::fields::load(Self::FIELDS, self, row, place)
            }

            fn set(
                &mut self,
                value: serde_json::Value,
                name: &str,
                currency: &str,
                problems: &mut $crate::base::error::Problems,
            ) {
                let mut inside = $crate::base::error::Problems::default();
                if let serde_json::Value::Object(value) = value {
                    $crate::resource::fields::set(Self::FIELDS, self, value, currency, &mut inside);
                }
                problems.merge_inside(name, inside);
            }

            fn json(&self, currency: &str) -> serde_json::Value {
                $crate::resource::fields::json(Self::FIELDS, self, currency, false).into()
            }
        }

        impl $crate::resource::fields::FieldType for $name {
            const KIND: $crate::resource::fields::Kind = $crate::resource::fields::Kind::Object(|| {
                Self::FIELDS.iter().map(|attribute| &attribute.field).collect()
            });

            fn columns(_: &str, columns: &mut Vec<String>) {
                columns.extend($crate::resource::fields::columns(Self::FIELDS));
            }
        }
    };
}
pub(crate) use object;
