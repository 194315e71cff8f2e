//! `Cache-Control` of responses that are for one client only.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue};

use crate::extract::HasCaller;

/// Returns `true` for the response to a write, or to a user.
pub(super) fn is_private(method: &Method, request: &HttpRequest) -> bool {
    let is_safe = matches!(*method, Method::GET | Method::HEAD);
    !is_safe || HasCaller::of(request).is_some()
}

/// Forbids caches to store a response, unless its route has decided about caching.
pub(super) fn forbid_storing(headers: &mut HeaderMap) {
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
