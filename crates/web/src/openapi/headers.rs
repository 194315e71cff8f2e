//! Response headers in the document.

use serde_json::{Value, json};

/// Headers with the rate limit and the remaining requests.
pub(super) const RATE_LIMIT_HEADERS: [&str; 2] = ["RateLimit", "RateLimit-Policy"];

/// Returns references to headers by name.
pub(super) fn header_references(names: &[&str]) -> Value {
    let reference = |name: &&str| {
        let reference = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), reference)
    };
    Value::Object(names.iter().map(reference).collect())
}

/// Returns the response headers.
pub(super) fn all() -> Value {
    let header = |description: &str, is_required: Option<bool>, schema: Value| {
        json!({
            "description": description,
            "required": is_required.unwrap_or_default(),
            "schema": schema,
        })
    };
    let text = || json!({ "type": "string" });
    json!({
        "X-Request-Id": header(
            "The id of the request, as the client gave it or made here.",
            Some(true),
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
        ),
        "Location": header("Where what was made is found.", Some(true), text()),
        "ETag": header("The version of what is told.", None, text()),
        "Idempotency-Replayed": header(
            "That this is the answer to an earlier request with the same key.",
            None,
            json!({ "type": "string", "const": "true" }),
        ),
        "Retry-After": header(
            "After how many seconds to try again.",
            Some(true),
            json!({ "type": "integer", "minimum": 1 }),
        ),
        "RateLimit": header(
            "How many requests of which kind are left, and in how many seconds all are; only \
             where they are limited.",
            None,
            json!({ "type": "string", "pattern": "^\"(read|write|login)\";r=[0-9]+;t=[0-9]+$" }),
        ),
        "RateLimit-Policy": header(
            "How many requests of which kind are served in how many seconds; only where they are \
             limited.",
            None,
            json!({ "type": "string", "pattern": "^\"(read|write|login)\";q=[0-9]+;w=[0-9]+$" }),
        ),
        "WWW-Authenticate": header("How to say who one is.", None, text()),
    })
}
