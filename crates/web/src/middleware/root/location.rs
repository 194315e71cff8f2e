//! `Location` headers: routes write the path below the base of their version.

use actix_web::dev::ServiceResponse;
use actix_web::http::header::{HeaderValue, LOCATION};

use crate::routing::ApiVersion;

/// Adds the base path of the matched version to a `Location` header.
pub(super) fn complete<B>(response: &mut ServiceResponse<B>) {
    let Some(version) = ApiVersion::of(response.request()) else { return };
    let Some(path) = response.headers().get(LOCATION).and_then(|path| path.to_str().ok()) else {
        return;
    };
    if let Ok(location) = HeaderValue::from_str(&format!("{}{path}", version.base())) {
        response.headers_mut().insert(LOCATION, location);
    }
}
