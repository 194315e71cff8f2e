//! Request ids: the client's own if it is plain, otherwise a new one.

use actix_web::http::header::{HeaderMap, HeaderValue};
use uuid::Uuid;

use crate::header_names::X_REQUEST_ID;

/// Maximum characters of an id from a client.
const MAX_CHARS: usize = 64;

/// An id of 1 to 64 letters, digits, `_` and `-`.
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    /// Returns the client's id, if it is acceptable, or a new one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).filter(|value| is_plain(value.as_bytes()));
        Self(given.cloned().unwrap_or_else(generate))
    }

    /// Returns the id as text.
    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Returns the id as a header value.
    pub(super) const fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

fn is_plain(id: &[u8]) -> bool {
    (1..=MAX_CHARS).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn generate() -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_ids_are_accepted() {
        let check = |id: &str, expected| assert_eq!(is_plain(id.as_bytes()), expected, "{id:?}");
        check("a", true);
        check("Az09_-", true);
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
        check("", false);
        check("a b", false);
        check("a\"}", false);
        check("é", false);
    }
}
