//! The documentation under `/docs`: open to everyone, in the host's name, with nothing that is fetched from elsewhere.
//! The guides are templates; the reference is made from the API's own document.

pub mod document;
pub mod inline_code;
pub mod pages;
pub mod reference;
pub mod rows;
pub mod words;
