//! What is kept of a request until its response.

use std::sync::Arc;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, Uri};
use actix_web::web::Data;
use foretell_ports::cost::Cost;

use crate::WebState;
use crate::connections::is_over_limit;
use crate::error::render::Form;
use crate::middleware::request_id::RequestId;

/// Data of a request that its response depends on. The request itself cannot be kept: the router
/// must own it.
pub(super) struct RequestContext {
    pub(super) id: RequestId,
    /// Form of errors that the client accepts.
    pub(super) form: Form,
    pub(super) method: Method,
    uri: Uri,
    pub(super) since: Instant,
    pub(super) cost: Arc<Cost>,
    pub(super) state: Data<WebState>,
    /// `true` if the connection is over the limit, and must be closed after this response.
    pub(super) is_over_limit: bool,
}

impl RequestContext {
    /// Returns the data of a request that begins now.
    pub(super) fn new(request: &ServiceRequest, state: Data<WebState>) -> Self {
        Self {
            id: RequestId::of(request.headers()),
            form: Form::asked_for(request.headers()),
            method: request.method().clone(),
            uri: request.uri().clone(),
            since: Instant::now(),
            cost: Arc::default(),
            state,
            is_over_limit: is_over_limit(request.request()),
        }
    }

    /// Returns the pattern of the matched route; the words of the path if no route matched, or if
    /// the request no longer exists.
    pub(super) fn route(&self, request: Option<&HttpRequest>) -> String {
        request.and_then(HttpRequest::match_pattern).unwrap_or_else(|| words_of(self.uri.path()))
    }
}

/// Returns a path with `*` for each segment that is not a word: an id, or a misplaced secret.
fn words_of(path: &str) -> String {
    /// Maximum letters of a segment that counts as a word.
    const LONGEST: usize = 16;
    let is_of_letters =
        |segment: &str| segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    // Two characters, as of a version, cannot be a secret.
    let is_word =
        |segment: &str| segment.len() <= 2 || (segment.len() <= LONGEST && is_of_letters(segment));
    let shown = path.split('/').map(|segment| if is_word(segment) { segment } else { "*" });
    shown.collect::<Vec<_>>().join("/")
}
