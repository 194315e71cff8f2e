//! Errors of requests, before they are rendered for a client.

pub(crate) mod code;
mod convert;
pub(crate) mod refusal;
pub(crate) mod render;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use foretell_domain::error::DomainError;
use serde_json::Value;

pub use code::ErrorCode;

use crate::header_names::IDEMPOTENCY_REPLAYED;
use crate::validation::FieldError;

/// Time that a client should wait after a 503, in seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// Message of a validation error; the details list the errors.
const VALIDATION_FAILED: &str = "Validation failed";

type Cause = Box<dyn StdError + Send + Sync>;

/// Error of a request: the code, the message and the details for the client, and the cause for the
/// log. The middleware renders it.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: ErrorCode,
    message: Cow<'static, str>,
    more: Box<More>,
}

#[derive(Debug, Default)]
struct More {
    details: Details,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Cause>,
    must_close: bool,
}

/// Details that a client gets besides the code and the message.
#[derive(Debug, Default)]
pub(crate) enum Details {
    /// No details.
    #[default]
    None,
    /// Validation errors of the request.
    FieldErrors(Vec<FieldError>),
    /// A domain error, whose details are rendered when the currency is known.
    Refusal(DomainError),
    /// Any other value.
    Other(Value),
}

impl ApiError {
    /// Creates an error with this code; `message` starts with a capital and ends without a full
    /// stop.
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let error = Self { code, message: message.into(), more: Box::default() };
        match code {
            ErrorCode::Unavailable => error.with_header(header::RETRY_AFTER, RETRY_AFTER_S),
            ErrorCode::Unauthorized => {
                error.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            _ => error,
        }
    }

    /// Creates a validation error.
    pub(crate) fn validation(errors: Vec<FieldError>) -> Self {
        Self::new(ErrorCode::ValidationError, VALIDATION_FAILED)
            .with_details(Details::FieldErrors(errors))
    }

    /// Creates an internal error, whose cause only the log contains.
    pub(crate) fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(ErrorCode::InternalError, "Internal server error").with_cause(cause)
    }

    /// Creates an error for temporary overload.
    pub(crate) fn unavailable() -> Self {
        Self::new(ErrorCode::Unavailable, "The server cannot do this now; try again later")
    }

    /// Adds details for the client.
    pub(crate) fn with_details(mut self, details: Details) -> Self {
        self.more.details = details;
        self
    }

    /// Adds a response header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.headers.push((name, value));
        self
    }

    /// Adds the cause, for the log.
    pub(crate) fn with_cause(mut self, cause: impl Into<Cause>) -> Self {
        self.more.cause = Some(cause.into());
        self
    }

    /// Closes the connection after the response: the rest of the body will not be read.
    pub(crate) fn and_close(mut self) -> Self {
        self.more.must_close = true;
        self
    }

    /// Marks the error as the stored response to an earlier request.
    pub(crate) fn replayed(self) -> Self {
        self.with_header(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"))
    }

    /// Returns the code.
    pub(crate) const fn code(&self) -> ErrorCode {
        self.code
    }

    /// Returns the message for the client.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the details for the client.
    pub(crate) const fn details(&self) -> &Details {
        &self.more.details
    }

    /// Returns the cause, for the log.
    pub(crate) fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.more.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Returns status and headers only; the middleware renders the body, in the form that the
    /// client accepts.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        for header in &self.more.headers {
            response.insert_header(header.clone());
        }
        if self.more.must_close {
            response.force_close();
        }
        response.finish()
    }
}
