//! CORS: origins whose pages may read responses, and the requests that they may send.

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION,
    RETRY_AFTER,
};
use actix_web::middleware::Condition;

use crate::header_names::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, X_REQUEST_ID};
use crate::origins::WebOrigin;

/// Lifetime of a preflight response in the browser's cache, in seconds.
const REMEMBERED_S: usize = 3_600;

/// Returns the middleware for these origins; it is disabled if there are none.
pub(crate) fn cors(allowed: &[WebOrigin]) -> Condition<Cors> {
    let sent: [HeaderName; 7] = [
        ACCEPT,
        AUTHORIZATION,
        CONTENT_TYPE,
        IDEMPOTENCY_KEY,
        IF_MATCH,
        IF_NONE_MATCH,
        X_REQUEST_ID,
    ];
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE])
        .allowed_headers(sent)
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, IDEMPOTENCY_REPLAYED, X_REQUEST_ID])
        .supports_credentials()
        .max_age(REMEMBERED_S);
    let cors = allowed.iter().fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()));
    Condition::new(!allowed.is_empty(), cors)
}
