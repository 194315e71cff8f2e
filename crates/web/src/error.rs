//! The failures of requests, as the server knows them before they are written for a client.

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

use crate::faults::Fault;
use crate::reply::IDEMPOTENCY_REPLAYED;

/// How long a client should wait after a 503, in seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// What the answer to a request with faults says; the details say more.
const VALIDATION_FAILED: &str = "Validation failed";

type Cause = Box<dyn StdError + Send + Sync>;

/// Why a request failed: the code, the sentence and the details that its client learns, and the cause that
/// only the log learns. The middleware writes it into the answer.
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

/// What a client learns beside the code and the sentence.
#[derive(Debug, Default)]
pub(crate) enum Details {
    /// Nothing.
    #[default]
    None,
    /// The faults of the request.
    Faults(Vec<Fault>),
    /// The facts of a refusal; they are written when the currency is at hand.
    Refusal(DomainError),
    /// Anything else.
    Other(Value),
}

impl ApiError {
    /// A failure with this code; `message` begins with a capital and ends without a full stop.
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

    /// The request has these faults.
    pub(crate) fn validation(faults: Vec<Fault>) -> Self {
        Self::new(ErrorCode::ValidationError, VALIDATION_FAILED).with_details(Details::Faults(faults))
    }

    /// A fault of the program, which only the log learns.
    pub(crate) fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(ErrorCode::InternalError, "Internal server error").with_cause(cause)
    }

    /// The server cannot do this now.
    pub(crate) fn unavailable() -> Self {
        Self::new(ErrorCode::Unavailable, "The server cannot do this now; try again later")
    }

    /// The same failure with more for the client.
    pub(crate) fn with_details(mut self, details: Details) -> Self {
        self.more.details = details;
        self
    }

    /// The same failure with another header in its answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.headers.push((name, value));
        self
    }

    /// The same failure with its cause, for the log.
    pub(crate) fn with_cause(mut self, cause: impl Into<Cause>) -> Self {
        self.more.cause = Some(cause.into());
        self
    }

    /// The same failure, after which the connection closes: the rest of the body will not be read.
    pub(crate) fn and_close(mut self) -> Self {
        self.more.must_close = true;
        self
    }

    /// The same failure, marked as the stored answer to an earlier request.
    pub(crate) fn replayed(self) -> Self {
        self.with_header(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"))
    }

    /// The stable name of the failure.
    pub(crate) const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence that the client reads.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What the client learns beside it.
    pub(crate) const fn details(&self) -> &Details {
        &self.more.details
    }

    /// The cause, for the log.
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

    /// Status and headers only; the middleware writes the body, in the form that the client accepts.
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
