//! Responses of errors, in the form that the client accepts.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::{ResponseHead, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError};

use super::context::RequestContext;
use crate::error::ApiError;
use crate::error::render::{Failure, Form};
use crate::extract::Unread;
use crate::middleware::closing_body::ClosingBody;

/// Returns the error of a response with everything that its body depends on.
pub(super) fn failure<'a>(
    context: &'a RequestContext,
    status: StatusCode,
    error: Option<&'a Error>,
) -> Failure<'a> {
    Failure {
        error: error.and_then(|error| error.as_error::<ApiError>()),
        status,
        request_id: context.id.as_str(),
        currency: &context.state.application.settings().currency,
    }
}

/// Gives the response of a route this body of an error.
pub(super) fn render<B>(
    response: ServiceResponse<B>,
    body: Vec<u8>,
    form: Form,
) -> ServiceResponse<BoxBody> {
    let unread = response.request().extensions_mut().remove::<Unread>();
    response.map_body(|head, _| {
        set_headers(head, form);
        match unread {
            Some(unread) => BoxBody::new(ClosingBody::new(body, unread)),
            None => BoxBody::new(body),
        }
    })
}

/// Returns an error whose response is this one with this body.
pub(super) fn fallback(response: &HttpResponse, body: Vec<u8>, form: Form) -> Error {
    let mut headers = response.headers().clone();
    headers.insert(CONTENT_TYPE, form.content_type());
    let must_close = response.head().connection_type() == ConnectionType::Close;
    ErrorFallback { status: response.status(), headers, body, must_close }.into()
}

fn set_headers(head: &mut ResponseHead, form: Form) {
    head.headers_mut().insert(CONTENT_TYPE, form.content_type());
    if head.status == StatusCode::SERVICE_UNAVAILABLE && !head.headers().contains_key(RETRY_AFTER) {
        head.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
}

/// A finished response in the form of an error, used when the request no longer exists.
#[derive(Debug)]
struct ErrorFallback {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    must_close: bool,
}

impl fmt::Display for ErrorFallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered with {}", self.status)
    }
}

impl ResponseError for ErrorFallback {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in &self.headers {
            response.insert_header(header);
        }
        if self.must_close {
            response.force_close();
        }
        response.body(self.body.clone())
    }
}
