//! Server parts that know nothing of hotels or keys.

pub mod admission; // limits of requests and memory
pub mod api_responses; // what every JSON response gets
pub mod assets; // files of the pages
pub mod body; // bodies within a budget
pub mod client_ip; // who is at the other end
pub mod compression;
pub mod connection_limit; // connections per address
pub mod connections; // deadlines of connections
pub mod csrf; // forms of other sites
pub mod errors; // status and JSON of an error
pub mod etag; // conditional requests
pub mod form; // typed forms
pub mod https; // requests over plain HTTP
pub mod methods; // 405 and HEAD
pub mod normalize_path; // trailing slashes
pub mod page; // layout
pub mod page_responses; // what every page gets
pub mod parse; // JSON within a budget
pub mod rate_limit; // requests a minute
pub mod request_log; // one line a request
pub mod state; // what every handler may use

/// Bytes of a request body at most: 10 MiB (docs/contract/README.md, section 11).
pub const LONGEST_BODY: usize = 10 * 1024 * 1024;
