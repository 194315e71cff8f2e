//! Span of a request, and the trace that it belongs to.

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use tracing::Span;
use tracing::field::{Empty, display};

use super::context::RequestContext;
use crate::extract::HasCaller;

/// Header with the trace that a request belongs to (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";

/// Creates the span with the request id. The fields of a span are formatted for each request,
/// whether a line is logged or not: so everything else is in the request's own log line.
pub(super) fn begin(context: &RequestContext, request: &ServiceRequest) -> Span {
    // At this level it exists whatever the log filter is.
    let span = tracing::error_span!(
        "web.request",
        request_id = context.id.as_str(),
        otel.kind = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
        user.id = Empty,
    );
    let settings = &context.state.settings;
    if let Some(join_trace) = settings.join_trace {
        span.record("otel.kind", "server");
        // Anyone but a trusted proxy could have all of its requests traced (ADR 0023).
        let peer = request.peer_addr().filter(|peer| settings.trusted_proxies.trusts(peer.ip()));
        let trace = peer.and_then(|_| request.headers().get(TRACEPARENT)?.to_str().ok());
        if let Some(trace) = trace {
            join_trace(&span, trace);
        }
    }
    span
}

/// Adds the logged fields to the current span, if there is a trace to read them.
pub(super) fn complete(
    context: &RequestContext,
    status: StatusCode,
    request: Option<&HttpRequest>,
) {
    if context.state.settings.join_trace.is_none() {
        return;
    }
    let span = Span::current();
    span.record("http.request.method", context.method.as_str());
    span.record("http.route", context.route(request));
    span.record("http.response.status_code", status.as_u16());
    if let Some(caller) = request.and_then(HasCaller::of) {
        span.record("user.id", display(caller.0));
    }
}
