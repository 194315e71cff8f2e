//! Error responses of operations: those of every operation, and those that handlers list.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::headers::{RATE_LIMIT_HEADERS, header_references};
use super::operation::Operation;
use crate::error::ErrorCode;

/// Extension of an operation with its own error codes; it is not part of the document.
pub(super) const LISTED: &str = "x-failures";

/// Error responses in the document, each named after its codes.
#[derive(Debug, Default)]
pub(super) struct Failures(Map<String, Value>);

/// Error response of an operation.
#[derive(Debug, Default)]
pub(super) struct Failure {
    /// Possible codes, by name.
    codes: BTreeMap<&'static str, ErrorCode>,
    /// `true` if it may be the stored response to an earlier request.
    is_replayed: bool,
}

/// Returns the error responses of an operation, by status.
pub(super) fn of(operation: &Operation, base: &str) -> BTreeMap<String, Failure> {
    let mut failures: BTreeMap<String, Failure> = BTreeMap::new();
    let codes = usual(operation, base).into_iter().chain(named(operation));
    for code in codes {
        let failure = failures.entry(code.status().as_str().to_owned()).or_default();
        failure.codes.insert(code.as_str(), code);
        failure.is_replayed = operation.takes("Idempotency-Key") && is_of_use_case(code);
    }
    failures
}

/// Returns the codes that the handler lists.
fn named(operation: &Operation) -> impl Iterator<Item = ErrorCode> + '_ {
    let listed = operation.told[LISTED].as_array().into_iter().flatten();
    listed.filter_map(|name| ErrorCode::ALL.iter().copied().find(|code| name == code.as_str()))
}

/// Returns the codes that follow from the inputs of the operation.
fn usual(operation: &Operation, base: &str) -> Vec<ErrorCode> {
    use ErrorCode as Code;
    let mut codes = vec![Code::InternalError, Code::Unavailable, Code::UnreadableRecord];
    if !base.is_empty() {
        codes.extend([Code::ValidationError, Code::RateLimited]);
    }
    let mut add = |applies: bool, more: &[Code]| codes.extend(more.iter().filter(|_| applies));
    add(operation.needs().is_some(), &[Code::Unauthorized, Code::Forbidden]);
    add(operation.path.contains("{id}"), &[Code::NotFound]);
    add(
        operation.has_body(),
        &[
            Code::BadRequest,
            Code::MalformedJson,
            Code::RequestTimeout,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
        ],
    );
    add(operation.takes("Idempotency-Key"), &[Code::IdempotencyMismatch]);
    add(operation.takes("If-Match"), &[Code::PreconditionFailed]);
    codes
}

/// Returns `true` if an error with this code is stored under the idempotency key of its request.
fn is_of_use_case(code: ErrorCode) -> bool {
    matches!(code.status().as_u16(), 400 | 403 | 404 | 409)
}

impl Failures {
    /// Returns a reference to this response.
    pub(super) fn reference(&mut self, failure: &Failure) -> Value {
        let name = failure.name();
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        self.0.entry(name).or_insert_with(|| failure.response());
        reference
    }

    /// Returns all responses by name.
    pub(super) fn into_responses(self) -> Map<String, Value> {
        self.0
    }
}

impl Failure {
    fn name(&self) -> String {
        let codes: Vec<_> = self.codes.keys().copied().collect();
        format!("{}{}", codes.join("."), if self.is_replayed { ".REPLAYED" } else { "" })
    }

    fn response(&self) -> Value {
        let meanings: Vec<_> = self
            .codes
            .values()
            .map(|code| format!("`{}`: {}", code.as_str(), code.description()))
            .collect();
        let codes: Vec<_> = self.codes.keys().collect();
        let of = |form: &str| {
            let reference = json!({ "$ref": format!("#/components/schemas/{form}") });
            let codes = json!({ "properties": { "code": { "enum": codes } } });
            json!({ "schema": { "allOf": [reference, codes] } })
        };
        json!({
            "description": meanings.join(" "),
            "headers": header_references(&self.headers()),
            "content": {
                "application/json": of("Failure"),
                "application/problem+json": of("Problem"),
            },
        })
    }

    fn headers(&self) -> Vec<&'static str> {
        let has = |code: ErrorCode| self.codes.contains_key(code.as_str());
        let mut names = vec!["X-Request-Id"];
        names.extend(has(ErrorCode::Unauthorized).then_some("WWW-Authenticate"));
        names.extend(
            (has(ErrorCode::Unavailable) || has(ErrorCode::RateLimited)).then_some("Retry-After"),
        );
        names.extend(RATE_LIMIT_HEADERS.iter().filter(|_| has(ErrorCode::RateLimited)));
        names.extend(self.is_replayed.then_some("Idempotency-Replayed"));
        names
    }
}
