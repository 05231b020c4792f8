//! HTTP itself: connections, headers, bodies, encodings, limits of clients, the security of pages. What these tests look at
//! does not depend on the database, so they run on SQLite alone.

mod api_headers;
mod api_requests;
mod api_routes;
mod body_budgets;
mod client_forms;
mod connections;
mod docs;
mod encodings;
mod faults_clients;
mod forms_from_elsewhere;
mod limits_rates;
mod page_headers;
mod proxies;
mod sign_in_floods;
