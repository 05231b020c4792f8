//! One path for one resource: with and without a slash at its end, with single and doubled ones
//! (docs/contract/README.md, section 1). No redirect: clients drop the body or the key on the way.

use actix_web::{
    dev::ServiceRequest,
    http::uri::{PathAndQuery, Uri},
};

/// Takes superfluous slashes out of a request's path. (actix's own layer runs a regular expression over every path.)
pub fn normalize(request: &mut ServiceRequest) {
    let path = request.path();
    // `*`, of OPTIONS, is no path of ours either.
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
