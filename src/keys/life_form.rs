//! The parts "Expires" and "Allowed addresses" of the forms that create, edit and rotate keys.

use serde::Deserialize;

use crate::keys::{
    addresses::{self, AddressesField, SeenAddress},
    expiry::{ExpiryFields, ExpiryForm, Problem, Terms},
    life::KeyLife,
};

/// The fields, as they were sent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LifeForm {
    #[serde(flatten)]
    pub expiry: ExpiryForm,
    #[serde(default)]
    pub allowed_addresses: String,
}

/// What is wrong with the fields.
#[derive(Debug, Default)]
pub struct LifeProblems {
    pub expiry: Option<Problem>,
    pub addresses: Option<String>,
}

impl LifeForm {
    /// The form of a stored key, which saved as it is changes nothing.
    pub fn of(key: &KeyLife, terms: &Terms) -> Self {
        LifeForm {
            expiry: ExpiryForm::of(key.expires_at, terms),
            allowed_addresses: AddressesField::of(key.allowed.as_deref()),
        }
    }

    /// Validates the fields. `present` is what a stored key has; where the server does not see addresses, its list stays.
    ///
    /// # Errors
    /// The messages for the fields.
    pub fn read(&self, terms: &Terms, seen: SeenAddress, present: &KeyLife) -> Result<KeyLife, LifeProblems> {
        let expires_at = self.expiry.read(terms, present.expires_at);
        let allowed = match addresses::read(&self.allowed_addresses) {
            Ok(None) if seen.0.is_none() => Ok(present.allowed.clone()),
            Ok(entered) if seen.0.is_none() && entered != present.allowed => Err(addresses::OFF.to_owned()),
            other => other,
        };
        match (expires_at, allowed) {
            (Ok(expires_at), Ok(allowed)) => Ok(KeyLife { expires_at, allowed }),
            (expires_at, allowed) => Err(LifeProblems { expiry: expires_at.err(), addresses: allowed.err() }),
        }
    }
}

/// The fields, as the page shows them.
pub struct LifeFields {
    pub expiry: ExpiryFields,
    pub addresses: AddressesField,
}

impl LifeFields {
    pub fn new(form: LifeForm, terms: &Terms, seen: SeenAddress, problems: LifeProblems) -> Self {
        LifeFields {
            expiry: ExpiryFields::new(form.expiry, terms, problems.expiry),
            addresses: AddressesField::new(form.allowed_addresses, seen, problems.addresses),
        }
    }

    /// True if a field has a problem.
    pub fn has_problem(&self) -> bool {
        self.expiry.has_problem() || self.addresses.field.problem.is_some()
    }
}
