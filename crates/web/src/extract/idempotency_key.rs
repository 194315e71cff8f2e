//! Idempotency key of a command, so that a repetition returns the first result and is not executed
//! again.

use actix_web::http::header::HeaderMap;
use foretell_ports::idempotency::MAX_KEY_BYTES;

use super::{RequestPart, Validation};
use crate::error::ApiError;
use crate::validation::{FieldErrorCode, invalid};

const HEADER: &str = "Idempotency-Key";

/// Header `Idempotency-Key`: exactly one, of 1 to 255 visible ASCII characters.
pub(crate) struct IdempotencyKey(Result<String, garde::Error>);

from_head!(IdempotencyKey, |request| Self(read(request.headers())));

impl RequestPart for IdempotencyKey {
    type Value = String;

    fn extract(self, validation: &mut Validation) -> Result<Option<String>, ApiError> {
        Ok(validation.value_of(HEADER, self.0))
    }
}

fn read(headers: &HeaderMap) -> Result<String, garde::Error> {
    let mut values = headers.get_all(HEADER);
    let value = values.next().ok_or_else(|| invalid(FieldErrorCode::Required, "is required"))?;
    if values.next().is_some() {
        return Err(invalid(FieldErrorCode::Repeated, "is given more than once"));
    }
    let bytes = value.as_bytes();
    if !(1..=MAX_KEY_BYTES).contains(&bytes.len()) {
        return Err(invalid(FieldErrorCode::Length, "must have 1 to 255 characters"));
    }
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(invalid(
            FieldErrorCode::Format,
            "must be visible ASCII characters without spaces",
        ));
    }
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::header_names::IDEMPOTENCY_KEY;

    fn check(keys: &[&str], expected: Result<&str, FieldErrorCode>) {
        let name = IDEMPOTENCY_KEY;
        let header = |key: &&str| (name.clone(), HeaderValue::from_bytes(key.as_bytes()).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in keys.iter().map(header) {
            headers.append(name, value);
        }
        let found =
            read(&headers).map_err(|error| crate::validation::FieldError::new(HEADER, &error).code);
        assert_eq!(found.as_deref().map_err(|code| *code), expected, "{keys:?}");
    }

    #[test]
    fn keys_are_short_and_visible() {
        let longest = "k".repeat(255);
        check(&["a"], Ok("a"));
        check(&["~!\"1"], Ok("~!\"1"));
        check(&[&longest], Ok(&longest));
        check(&[], Err(FieldErrorCode::Required));
        check(&[""], Err(FieldErrorCode::Length));
        check(&[&"k".repeat(256)], Err(FieldErrorCode::Length));
        check(&["a b"], Err(FieldErrorCode::Format));
        check(&["é"], Err(FieldErrorCode::Format));
        check(&["a", "b"], Err(FieldErrorCode::Repeated));
    }
}
