//! Parses JSON as a request type and finds all validation errors.
//!
//! A valid request is parsed in one pass. serde stops at the first value of the wrong type, so for
//! any other request this value is removed, its error recorded, and the rest parsed again, a
//! limited number of times.

use serde_json::Value;
use serde_path_to_error::{Path, Segment, Track};

use super::Object;
use super::validate::{self, RequestDto};
use crate::error::{ApiError, ErrorCode};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Maximum number of passes over an invalid body; later errors are found in the client's next
/// attempt.
const MAX_READS: usize = 50;
/// Replacements of an array item of the wrong type: it cannot be removed, since the paths of the
/// items behind it would change.
const STAND_INS: [fn() -> Value; 3] = [|| Value::Object(serde_json::Map::new()), || "".into(), || 0.into()];

/// Parses these bytes and adds validation errors. `None` if the errors already tell that the type
/// is wrong.
pub(super) fn read<T: RequestDto>(bytes: &[u8], errors: &mut ValidationErrors) -> Option<T> {
    let mut unknown = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_ignored::deserialize(&mut json, |path| unknown.push(text_of(&path)));
    match read.and_then(|dto: Object<T>| json.end().map(|()| dto)) {
        Ok(Object(dto)) => Some(validated(dto, &unknown, errors)),
        Err(error) => {
            // serde reports some values of the wrong type as syntax errors.
            let Ok(value) = serde_json::from_slice(bytes) else { return stop(errors, &error) };
            match read_leniently(value, errors) {
                // A `Value` has lost the problem: a duplicate field.
                (Some(_), 0) => stop(errors, &error),
                (dto, _) => dto,
            }
        }
    }
}

/// Converts a value and adds validation errors; `None` as for [`read`].
pub(super) fn read_value<T: RequestDto>(value: Value, errors: &mut ValidationErrors) -> Option<T> {
    read_leniently(value, errors).0
}

/// Converts a value; also returns the number of values of the wrong type that were removed from it.
fn read_leniently<T: RequestDto>(mut value: Value, errors: &mut ValidationErrors) -> (Option<T>, usize) {
    let mut last_path = None;
    let mut tried = 0;
    for taken_out in 0..MAX_READS {
        let (mut track, mut unknown) = (Track::new(), Vec::new());
        let json = serde_path_to_error::Deserializer::new(&value, &mut track);
        let read = serde_ignored::deserialize(json, |path| unknown.push(text_of(&path)));
        let error = match read {
            Ok(Object(dto)) => return (Some(validated(dto, &unknown, errors)), taken_out),
            Err(error) => error,
        };
        let path = track.path();
        let text = if path.iter().len() == 0 { String::new() } else { path.to_string() };
        // The same place again: its stand-in had the wrong type too, so the next one is tried.
        if last_path.as_ref() == Some(&text) {
            tried += 1;
        } else {
            tried = 0;
            let (code, message) = message_of(&error);
            errors.add_unread(&text, code, message);
        }
        if !replace(&mut value, &path, tried) {
            break;
        }
        last_path = Some(text);
    }
    (None, MAX_READS)
}

fn validated<T: RequestDto>(dto: T, unknown: &[String], errors: &mut ValidationErrors) -> T {
    for path in unknown {
        errors.refuse_unknown(path, true);
    }
    validate::check(&dto, errors);
    dto
}

fn stop<T>(errors: &mut ValidationErrors, error: &serde_json::Error) -> Option<T> {
    let what = if error.is_eof() { "The body ends too early" } else { "The body cannot be read" };
    let message = format!("{what}: {error}");
    errors.stop(ApiError::new(ErrorCode::MalformedJson, message));
    None
}

/// Removes the value at `path`. Returns `true` if parsing can continue.
fn replace(value: &mut Value, path: &Path, tried: usize) -> bool {
    let is_part = |segment: &&Segment| matches!(segment, Segment::Seq { .. } | Segment::Map { .. });
    let segments: Vec<_> = path.iter().take_while(is_part).collect();
    let Some((last, outer)) = segments.split_last() else { return false };
    let outer = outer.iter().try_fold(value, |value, segment| match segment {
        Segment::Seq { index } => value.get_mut(*index),
        Segment::Map { key } => value.get_mut(key),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    match (outer, last) {
        (Some(Value::Object(fields)), Segment::Map { key }) => fields.remove(key).is_some(),
        (Some(Value::Array(items)), Segment::Seq { index }) => {
            let item = items.get_mut(*index).zip(STAND_INS.get(tried));
            item.map(|(item, stand_in)| *item = stand_in()).is_some()
        }
        _ => false,
    }
}

/// Converts serde's message for the client: the expected type, without the value that was sent.
fn message_of(error: &serde_json::Error) -> (FieldErrorCode, String) {
    let message = error.to_string();
    let code =
        if message.starts_with("unknown variant") { FieldErrorCode::Invalid } else { FieldErrorCode::Type };
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => (code, format!("must be {expected}")),
        None => (code, message),
    }
}

fn text_of(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", text_of(parent)),
        Path::Map { parent, key } => match text_of(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            text_of(parent)
        }
    }
}

#[cfg(test)]
mod tests {
    use garde::Validate;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(rename_all = "camelCase", default)]
    struct Outer {
        #[garde(required, inner(length(chars, max = 5)))]
        first_name: Option<String>,
        #[garde(required)]
        age: Option<u32>,
        #[garde(length(min = 1, max = 3), dive)]
        items: Vec<Object<Inner>>,
        #[garde(skip)]
        tags: Vec<String>,
    }

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(rename_all = "camelCase", default)]
    struct Inner {
        #[garde(required)]
        the_id: Option<String>,
    }

    fn check(json: &str, expected: &[&str]) {
        let mut errors = ValidationErrors::default();
        let _: Option<Outer> = read(json.as_bytes(), &mut errors);
        let found = match errors.into_result() {
            Ok(()) => Vec::new(),
            Err(error) => match error.details() {
                crate::error::Details::FieldErrors(errors) => {
                    errors.iter().map(|f| format!("{}: {}", f.field, f.code.as_str())).collect()
                }
                _ => vec![error.code().as_str().to_owned()],
            },
        };
        let found: std::collections::BTreeSet<_> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected.iter().copied().collect(), "{json}");
    }

    #[test]
    fn valid_request_has_no_errors() {
        check(r#"{"firstName":"Ada","age":36,"items":[{"theId":"a"}]}"#, &[]);
    }

    #[test]
    fn missing_fields_are_reported_together() {
        check("{}", &["firstName: required", "age: required", "items: length"]);
        check(
            r#"{"items":[{}],"age":null}"#,
            &["firstName: required", "age: required", "items[0].theId: required"],
        );
    }

    #[test]
    fn errors_of_all_kinds_are_reported_together() {
        let json = r#"{"firstName":5,"age":"x","items":[{"theId":"a","odd":1},{"theId":[]},7],"tags":["a",{},3],"more":0}"#;
        check(
            json,
            &[
                "firstName: type",
                "age: type",
                "items[1].theId: type",
                "items[2]: type",
                "tags[1]: type",
                "tags[2]: type",
                "items[0].odd: unknown_field",
                "more: unknown_field",
            ],
        );
        check(
            r#"{"firstName":"too long","age":-1,"items":[]}"#,
            &["age: type", "firstName: length", "items: length"],
        );
    }

    #[test]
    fn non_object_is_rejected_as_whole() {
        for json in ["[]", r#"["Ada", 36]"#, "5", "null", "\"x\""] {
            check(json, &[": type"]);
        }
    }

    #[test]
    fn invalid_json_is_malformed() {
        for json in ["", "{", "{}}", "{'a':1}", "{\"age\":1,}", "\u{feff}{}", "{\"age\":1,\"age\":2}"] {
            check(json, &["MALFORMED_JSON"]);
        }
    }

    #[test]
    fn number_of_passes_is_limited() {
        let items = vec!["7"; 200].join(",");
        let mut errors = ValidationErrors::default();
        let dto: Option<Outer> = read(format!("{{\"items\":[{items}]}}").as_bytes(), &mut errors);
        assert!(dto.is_none());
        assert!(!errors.is_empty());
    }
}
