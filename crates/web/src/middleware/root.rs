//! Outermost middleware: runs the steps of every request and response, each of which has a module.
//!
//! The steps are functions, not middlewares of their own: after a panic, or an error of an inner
//! middleware, there is no response to pass through an outer one (`DefaultHeaders` sets nothing
//! then), and each middleware would allocate another future for each request.

mod access_log;
mod cache_control;
mod closing;
mod context;
mod error_response;
mod location;
mod panics;
mod security_headers;
mod span;

use std::pin::pin;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};
use foretell_ports::cost;
use tracing::Instrument as _;

use self::context::RequestContext;
use super::request_metrics::{self, InFlight};
use crate::WebState;
use crate::connections::keep_connection;
use crate::error::render::Failure;
use crate::header_names::X_REQUEST_ID;

/// Serves a request within its span, and completes its response.
pub(crate) async fn serve_request(
    state: Data<WebState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let _in_flight = InFlight::begin();
    keep_connection(request.request());
    let context = RequestContext::new(&request, state);
    let span = span::begin(&context, &request);
    let work = async move {
        let call = panics::catch(async { next.call(request).await });
        match cost::noted_in(&context.cost, pin!(call)).await {
            Ok(response) => Ok(complete(&context, response)),
            Err(error) => Err(replace(&context, &error)),
        }
    };
    work.instrument(span).await
}

/// Completes the response of a route with its headers, and renders its body if it is an error.
fn complete<B: MessageBody + 'static>(
    context: &RequestContext,
    mut response: ServiceResponse<B>,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let is_private = cache_control::is_private(&context.method, response.request());
    closing::close_if_due(context, response.response_mut());
    set_headers(context, response.headers_mut(), is_private);
    location::complete(&mut response);
    if !status.is_client_error() && !status.is_server_error() {
        report(context, status, Some(response.request()), None);
        return response.map_into_boxed_body();
    }
    let error = response.response().error();
    let failure = error_response::failure(context, status, error);
    report(context, status, Some(response.request()), Some((&failure, error)));
    let body = failure.body(context.form);
    error_response::render(response, body, context.form)
}

/// Returns the response in place of one that no route gave: after a panic, or an error of another
/// middleware. It is an error again, since only the server can respond without the request.
fn replace(context: &RequestContext, error: &Error) -> Error {
    let mut response = error.error_response();
    let status = response.status();
    closing::close_if_due(context, &mut response);
    set_headers(context, response.headers_mut(), true);
    let failure = error_response::failure(context, status, Some(error));
    report(context, status, None, Some((&failure, Some(error))));
    error_response::fallback(&response, failure.body(context.form), context.form)
}

/// Sets the headers that every response has.
fn set_headers(context: &RequestContext, headers: &mut HeaderMap, is_private: bool) {
    headers.insert(X_REQUEST_ID, context.id.as_header().clone());
    security_headers::set(headers, context.state.settings.secure_cookies);
    if is_private {
        cache_control::forbid_storing(headers);
    }
}

/// Reports a response in metrics, log and trace; `request` is `None` if it no longer exists.
fn report(
    context: &RequestContext,
    status: StatusCode,
    request: Option<&HttpRequest>,
    failure: Option<(&Failure<'_>, Option<&Error>)>,
) {
    request_metrics::record(&context.method, request, status, context.since.elapsed());
    access_log::write(context, status, request, failure);
    span::complete(context, status, request);
}
