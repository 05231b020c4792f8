//! Server parts without rules of the product.

pub mod admission; // limits of requests and memory
pub mod api_responses; // middleware of the API
pub mod assets; // static files
pub mod body; // request bodies
pub mod client_ip; // the client's address
pub mod compression;
pub mod connection_limit; // connections per address
pub mod connections; // deadlines of connections
pub mod cookies; // names of cookies
pub mod csrf; // cross-site request forgery
pub mod errors; // status and JSON of an error
pub mod etag; // conditional requests
pub mod form; // HTML forms
pub mod https; // requests over plain HTTP
pub mod methods; // 405 and HEAD
pub mod normalize_path; // superfluous slashes
pub mod page; // layout, times, pagers
pub mod page_responses; // middleware of pages
pub mod parse; // parsing JSON
pub mod rate_limit; // requests per minute
pub mod request_log; // one line per request
pub mod response_cache; // whole responses, until something is committed
pub mod state; // settings, base URL, database
pub mod window_limit; // events per minute, exactly

/// Maximum size of a request body in bytes: 10 MiB (docs/contract/README.md, section 11).
pub const LONGEST_BODY: usize = 10 * 1024 * 1024;
