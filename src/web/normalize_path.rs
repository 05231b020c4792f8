//! Removes trailing and doubled slashes (docs/contract/README.md, section 1). There is no redirect: clients drop the
//! body or the key on the way.

use actix_web::{
    dev::ServiceRequest,
    http::uri::{PathAndQuery, Uri},
};

/// Removes superfluous slashes from a request's path. (actix's own middleware runs a regular expression over every
/// path.)
pub fn normalize(request: &mut ServiceRequest) {
    let path = request.path();
    // `*`, of OPTIONS, is left as it is.
    if path == "/" || (path.starts_with('/') && !path.ends_with('/') && !path.contains("//")) {
        return;
    }
    let uri = &request.head().uri;
    let mut new = String::with_capacity(uri.path().len());
    for segment in uri.path().split('/').filter(|segment| !segment.is_empty()) {
        new.push('/');
        new.push_str(segment);
    }
    if new.is_empty() {
        new.push('/');
    }
    if let Some(query) = uri.query() {
        new.push('?');
        new.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    let Ok(path_and_query) = PathAndQuery::try_from(new) else { return };
    parts.path_and_query = Some(path_and_query);
    let Ok(uri) = Uri::from_parts(parts) else { return };
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
}
