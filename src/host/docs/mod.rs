//! The documentation under `/docs`: open to everyone, in the host's name, with nothing that is fetched from elsewhere.
//! The guides are templates; the reference is made from the API's own document.

mod describe_schema;
pub mod document;
mod inline_code;
pub mod pages;
pub mod reference;
mod schema;
