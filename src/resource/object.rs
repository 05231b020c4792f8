//! Objects of the API with fields of their own, as fields of a resource.

/// Lets a struct with a table of fields, `FIELDS`, be a field itself: an object of the API.
macro_rules! object {
    ($name:ident) => {
        impl $crate::resource::attribute::FieldValue for $name {
            fn bind(&self, binds: &mut Vec<$crate::db::Bind>) {
                $crate::resource::attribute::bind(Self::FIELDS, self, binds);
            }

            fn load(&mut self, row: &$crate::db::Row<'_>, place: &mut usize) -> sqlx::Result<()> {
                $crate::resource::attribute::load(Self::FIELDS, self, row, place)
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
                    $crate::resource::attribute::set(Self::FIELDS, self, value, currency, &mut inside);
                }
                problems.merge_inside(name, inside);
            }

            fn json(&self, currency: &str) -> serde_json::Value {
                $crate::resource::attribute::json(Self::FIELDS, self, currency, false).into()
            }

            fn rescale(
                &mut self,
                change: $crate::resource::attribute::Rescale<'_>,
                sent: Option<&serde_json::Value>,
                name: &str,
                problems: &mut $crate::base::error::Problems,
            ) {
                let mut inside = $crate::base::error::Problems::default();
                let sent = sent.and_then(serde_json::Value::as_object);
                $crate::resource::attribute::rescale(Self::FIELDS, self, change, sent, &mut inside);
                problems.merge_inside(name, inside);
            }
        }

        impl $crate::resource::attribute::FieldType for $name {
            const KIND: $crate::resource::fields::Kind = $crate::resource::fields::Kind::Object(|| {
                Self::FIELDS.iter().map(|attribute| &attribute.field).collect()
            });

            fn columns(_: &str, columns: &mut Vec<String>) {
                columns.extend($crate::resource::attribute::columns(Self::FIELDS));
            }
        }
    };
}
pub(crate) use object;
