//! A field of a resource with its place in it: how it is reached, stored and shown.

use serde_json::{Map, Value};

use crate::{
    base::{error::Problems, money},
    db::{Bind, Row},
    resource::{
        fields::{self, Field, Kind, Need},
        list::Key,
    },
};

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

    /// Keeps an amount the same in major units in another currency, unless the body that changes the currency has `sent`
    /// another. A problem is added for the field `name` where the currency has too few decimals. Only for kinds that
    /// depend on the currency ([`Kind::depends_on_currency`]).
    fn rescale(&mut self, change: Rescale<'_>, sent: Option<&Value>, name: &str, problems: &mut Problems) {
        if let (None, Value::String(text)) = (sent, self.json(change.from)) {
            self.set(money::shortened(&text).into(), name, change.to, problems);
        }
    }
}

/// A change of currency.
#[derive(Clone, Copy)]
pub struct Rescale<'a> {
    pub from: &'a str,
    pub to: &'a str,
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
    /// The SQL of a filter that is not one of its column, `{}` for the comparison.
    filter_sql: Option<&'static str>,
    /// Its value in the examples of the API's document, as JSON; `None`: one that fits its kind.
    pub example: Option<&'static str>,
    order_sql: Option<&'static str>,
    /// The name of its column, or the first part of the names of its columns.
    column: &'static str,
    columns: fn(&str, &mut Vec<String>),
    get: fn(&R) -> &dyn FieldValue,
    get_mut: fn(&mut R) -> &mut dyn FieldValue,
    /// True for what is shown a second time under another name: it has no column, and is never set.
    is_copy: bool,
}

/// Declares a field of `Self` that may be left out, `field!(title)`, or `field!(kind as "type")` where the API's name is
/// another, `field!(inherit.inherit_rate)` where it is inside a part of `Self`. [`Attribute`] has what else can be said of it.
macro_rules! field {
    ($field:ident) => {
        $crate::resource::attribute::field!($field as stringify!($field))
    };
    ($outer:ident . $field:ident) => {
        $crate::resource::attribute::Attribute::new(
            stringify!($field),
            stringify!($field),
            $crate::resource::attribute::type_of(|resource: &Self| &resource.$outer.$field),
            |resource: &Self| &resource.$outer.$field,
            |resource: &mut Self| &mut resource.$outer.$field,
        )
    };
    ($field:ident as $name:expr) => {
        $crate::resource::attribute::Attribute::new(
            $name,
            stringify!($field),
            $crate::resource::attribute::type_of(|resource: &Self| &resource.$field),
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
        Attribute {
            field: fields::optional(name, of.kind, "").nullable(of.nullable),
            filter: false,
            filter_sql: None,
            order_sql: None,
            example: None,
            column,
            columns: of.columns,
            get,
            get_mut,
            is_copy: false,
        }
    }

    /// What it means, in a sentence for the API's document.
    pub const fn about(mut self, about: &'static str) -> Self {
        self.field.about = about;
        self
    }

    /// Its description ends with its default.
    pub const fn says_default(mut self) -> Self {
        self.field.says_default = true;
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

    /// Lists can be filtered by it, by this SQL with `{}` for the comparison.
    pub const fn filtered_by(mut self, sql: &'static str) -> Self {
        self.filter_sql = Some(sql);
        self.filter()
    }

    /// Lists are ordered by this SQL, a boolean, in place of its column.
    pub const fn ordered_by(mut self, sql: &'static str) -> Self {
        self.order_sql = Some(sql);
        self
    }

    /// Not among the attributes of an answer.
    pub const fn hidden(mut self) -> Self {
        self.field.shown = false;
        self
    }

    /// Its column has another name.
    pub const fn column(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }

    /// A second name of a field in answers.
    pub const fn copy(mut self) -> Self {
        self.is_copy = true;
        self.need(Need::ReadOnly)
    }

    /// The SQL by which a list is ordered by it, of rows `row`, and the type of its values; `None` where the field is none
    /// to order by.
    pub fn order(&self, row: &str) -> Option<(String, Key)> {
        let column = format!("{row}.{}", self.column);
        match (self.order_sql, self.field.kind) {
            (Some(sql), _) => Some((sql.to_owned(), Key::Boolean)),
            _ if !self.field.shown => None,
            (_, Kind::Title) => Some((format!("{row}.sort_{}", self.column), Key::Bytes)),
            (_, Kind::Latitude | Kind::Longitude) => {
                Some((format!("cast({column} as double precision)"), Key::Number(column)))
            }
            (_, Kind::Id(_)) => Some((column, Key::Id)),
            (_, Kind::Boolean) => Some((column, Key::Boolean)),
            (_, Kind::Integer { .. } | Kind::Positive | Kind::Price | Kind::Fee) => Some((column, Key::Whole)),
            (_, Kind::Object(_) | Kind::List(_) | Kind::Batch(_) | Kind::Ids(_) | Kind::Json(_)) => None,
            _ => Some((format!("{column} collate \"C\""), Key::Text)),
        }
    }

    /// The SQL of a filter by it, of rows `row`, with `{}` for the comparison.
    pub fn filter_sql(&self, row: &str) -> String {
        self.filter_sql.map_or_else(|| format!("{row}.{} {{}}", self.column), str::to_owned)
    }

    /// Takes a validated value.
    pub fn set(&self, resource: &mut R, value: Value, currency: &str, problems: &mut Problems) {
        (self.get_mut)(resource).set(value, self.field.name, currency, problems);
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
            attribute.set(resource, value, currency, problems);
        }
    }
}

/// Rescales the amounts that the body has not `sent`, see [`FieldValue::rescale`].
pub fn rescale<R>(
    table: &[Attribute<R>],
    resource: &mut R,
    change: Rescale<'_>,
    sent: Option<&Map<String, Value>>,
    problems: &mut Problems,
) {
    for attribute in table.iter().filter(|attribute| attribute.field.kind.depends_on_currency()) {
        let name = attribute.field.name;
        let sent = sent.and_then(|sent| sent.get(name));
        (attribute.get_mut)(resource).rescale(change, sent, name, problems);
    }
}
