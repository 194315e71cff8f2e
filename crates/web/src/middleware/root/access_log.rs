//! Metrics, log line and trace attributes of each response.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest};
use foretell_ports::error::Chain;
use tracing::Span;
use tracing::field::display;

use super::RequestContext;
use crate::error::render::Failure;
use crate::error::{ApiError, ErrorCode};
use crate::extract::HasCaller;
use crate::middleware::request_metrics;
use crate::routing::RoutePath;

/// Log target of requests that succeeded, or were rejected.
const REQUESTS: &str = "foretell_request";

impl RequestContext {
    /// Records a response in metrics, log and trace.
    pub(super) fn record(
        &self,
        status: StatusCode,
        request: Option<&HttpRequest>,
        failure: Option<(&Failure<'_>, Option<&actix_web::Error>)>,
    ) {
        self.measure(status, request);
        self.log(status, request, failure);
        self.trace(status, request);
    }

    /// Counts the request, and its duration, by route and not by id.
    fn measure(&self, status: StatusCode, request: Option<&HttpRequest>) {
        let route =
            request.and_then(HttpRequest::app_data::<RoutePath>).map_or("none", |route| route.0);
        let method = match self.method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PATCH => "PATCH",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
        let class = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        request_metrics::record(method, route, class, self.since.elapsed());
    }

    /// Logs one line per request: its response, and the cause of a server error.
    fn log(
        &self,
        status: StatusCode,
        request: Option<&HttpRequest>,
        failure: Option<(&Failure<'_>, Option<&actix_web::Error>)>,
    ) {
        // The fields are computed only for lines that are written.
        macro_rules! line {
            ($level:ident, $($field:tt)*) => { line!(target: module_path!(), $level, $($field)*) };
            (target: $target:expr, $level:ident, $($field:tt)*) => {
                tracing::$level!(
                    target: $target,
                    method = self.method.as_str(),
                    route = self.route(request),
                    status = status.as_u16(),
                    user_id = caller(request).map(|caller| display(caller.0)),
                    elapsed_us = microseconds(self.since.elapsed()),
                    database_us = microseconds(self.cost.time()),
                    statements = self.cost.statements(),
                    $($field)*
                )
            };
        }
        let Some((failure, error)) = failure else {
            line!(target: REQUESTS, info, "answered");
            return;
        };
        let code = failure.code().as_str();
        match failure.error.map(ApiError::cause) {
            Some(Some(cause)) if status.is_server_error() => {
                line!(error, code, error = %Chain(cause), "a request failed");
            }
            // Rejected for lack of capacity: a warning, not an error.
            _ if failure.code() == ErrorCode::Unavailable => {
                line!(warn, code, "a request was turned away");
            }
            None if status.is_server_error() => {
                let error = error.map(ToString::to_string);
                line!(error, code, error, "a request failed outside the routes");
            }
            _ => line!(target: REQUESTS, info, code, "refused"),
        }
    }

    /// Adds the logged fields to the trace.
    fn trace(&self, status: StatusCode, request: Option<&HttpRequest>) {
        if self.state.settings.join_trace.is_none() {
            return;
        }
        let span = Span::current();
        span.record("http.request.method", self.method.as_str());
        span.record("http.route", self.route(request));
        span.record("http.response.status_code", status.as_u16());
        if let Some(caller) = caller(request) {
            span.record("user.id", display(caller.0));
        }
    }

    /// Returns the pattern of the matched route; the words of the path if no route matched, or if
    /// the request no longer exists.
    fn route(&self, request: Option<&HttpRequest>) -> String {
        request.and_then(HttpRequest::match_pattern).unwrap_or_else(|| words_of(self.uri.path()))
    }
}

/// Returns the user who made a request, if known.
fn caller(request: Option<&HttpRequest>) -> Option<HasCaller> {
    request?.extensions().get::<HasCaller>().copied()
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
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
