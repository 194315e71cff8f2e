//! Renders errors for clients: in the envelope, or as RFC 9457 on request.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, HeaderMap, HeaderValue};
use foretell_domain::error::ErrorKind;
use foretell_domain::money::Currency;
use serde::{Serialize, Serializer};

use super::refusal::{Facts, facts, field_error_of};
use super::{ApiError, Details, ErrorCode};
use crate::validation::FieldError;

/// Form of errors that a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `{"success": false, ...}`.
    Envelope,
    /// RFC 9457.
    Problem,
}

const PROBLEM: &str = "application/problem+json";

impl Form {
    /// Returns the form that the request headers ask for.
    pub(crate) fn asked_for(headers: &HeaderMap) -> Self {
        let mut ranges = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
        if ranges.any(|list| list.split(',').any(is_problem)) {
            Self::Problem
        } else {
            Self::Envelope
        }
    }

    /// Returns the content type of this form.
    pub(crate) const fn content_type(self) -> HeaderValue {
        match self {
            Self::Envelope => HeaderValue::from_static("application/json"),
            Self::Problem => HeaderValue::from_static(PROBLEM),
        }
    }
}

fn is_problem(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(PROBLEM));
    let is_refused = |part: &str| {
        let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
        weight
            .and_then(|weight| weight.trim().parse::<f32>().ok())
            .is_some_and(|weight| weight <= 0.0)
    };
    is_named && !parts.any(is_refused)
}

/// An error with everything that its response depends on.
pub(crate) struct Failure<'a> {
    /// The error; `None` for a response with a status only.
    pub(crate) error: Option<&'a ApiError>,
    /// Status of the response.
    pub(crate) status: StatusCode,
    /// The id of the request.
    pub(crate) request_id: &'a str,
    /// The ledger's currency.
    pub(crate) currency: &'a Currency,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    success: bool,
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Shown<'a>>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Shown<'a>>,
}

enum Shown<'a> {
    Given(&'a Details),
    Facts(Facts),
    FieldError([FieldError; 1]),
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Facts(facts) => facts.serialize(serializer),
            Self::FieldError(error) => error.serialize(serializer),
            Self::Given(Details::FieldErrors(errors)) => errors.serialize(serializer),
            Self::Given(Details::Other(value)) => value.serialize(serializer),
            Self::Given(Details::None | Details::Refusal(_)) => serializer.serialize_none(),
        }
    }
}

impl Failure<'_> {
    /// Returns the code of the error.
    pub(crate) fn code(&self) -> ErrorCode {
        self.error.map_or_else(|| ErrorCode::of_status(self.status), ApiError::code)
    }

    /// Returns the body in this form.
    pub(crate) fn body(&self, form: Form) -> Vec<u8> {
        let code = self.code();
        let message = self.error.map_or_else(|| title(code), ApiError::message);
        let written = match form {
            Form::Envelope => serde_json::to_vec(&Envelope {
                success: false,
                error: message,
                code: code.as_str(),
                details: self.details(),
                request_id: self.request_id,
            }),
            Form::Problem => serde_json::to_vec(&Problem {
                r#type: format!("urn:foretell:problem:{}", code.as_str()),
                title: title(code),
                status: self.status.as_u16(),
                detail: message,
                code: code.as_str(),
                request_id: self.request_id,
                errors: self.details(),
            }),
        };
        // These types always serialize; even an empty body would have the right status.
        written.unwrap_or_default()
    }

    fn details(&self) -> Option<Shown<'_>> {
        match self.error?.details() {
            Details::None => None,
            Details::Refusal(refusal) if refusal.kind() == ErrorKind::Invalid => {
                Some(Shown::FieldError([field_error_of(refusal, self.currency)]))
            }
            Details::Refusal(refusal) => facts(refusal, self.currency).map(Shown::Facts),
            given => Some(Shown::Given(given)),
        }
    }
}

fn title(code: ErrorCode) -> &'static str {
    code.description().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn check(accept: &str, expected: Form) {
        let headers: HeaderMap =
            [(HeaderName::from_static("accept"), HeaderValue::from_str(accept).unwrap())]
                .into_iter()
                .collect();
        assert_eq!(Form::asked_for(&headers), expected, "{accept}");
    }

    #[test]
    fn problem_json_is_rendered_on_request() {
        check("application/problem+json", Form::Problem);
        check("application/json, Application/Problem+JSON;q=0.5", Form::Problem);
        check("application/problem+json;q=0", Form::Envelope);
        check("application/json", Form::Envelope);
        check("*/*", Form::Envelope);
    }
}
