//! Deserialization of JSON bodies.
//!
//! All unknown fields are found, and all invalid values that a field can hold (see
//! [`crate::dto::parsed`]). serde stops at any other value of the wrong type, such as a string in
//! place of an array: it is reported alone.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::Object;
use crate::error::{ApiError, ErrorCode};
use crate::validation::{FieldError, FieldErrorCode, invalid};

/// Deserializes a body, and adds an error for each unknown field. `None` if the errors tell that a
/// value has the wrong type.
///
/// # Errors
/// 400 `MALFORMED_JSON`.
pub(super) fn read<T: DeserializeOwned>(
    bytes: &[u8],
    errors: &mut Vec<FieldError>,
) -> Result<Option<T>, ApiError> {
    let mut unknown = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_ignored::deserialize(&mut json, |path| unknown.push(text_of(&path)));
    match read.and_then(|dto: Object<T>| json.end().map(|()| dto)) {
        Ok(Object(dto)) => {
            errors.extend(unknown.into_iter().map(FieldError::unknown));
            Ok(Some(dto))
        }
        // Reported alone: serde has stopped here, so later unknown fields are not known.
        Err(error) if is_wrong_type(&error) => {
            errors.push(type_error_of::<T>(bytes, &error));
            Ok(None)
        }
        Err(error) => {
            let what =
                if error.is_eof() { "The body ends too early" } else { "The body cannot be read" };
            Err(ApiError::new(ErrorCode::MalformedJson, format!("{what}: {error}")))
        }
    }
}

/// Returns `true` for a value of the wrong type, but not for a field that is given twice, which is
/// malformed.
fn is_wrong_type(error: &serde_json::Error) -> bool {
    error.classify() == Category::Data && !error.to_string().starts_with("duplicate field")
}

/// Returns the error with its field. The body is read again, since a valid one needs no paths.
fn type_error_of<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> FieldError {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let again = serde_path_to_error::deserialize::<_, Object<T>>(&mut json).err();
    let path = again.filter(|error| error.path().iter().len() > 0);
    let field = path.map(|error| error.path().to_string()).unwrap_or_default();
    // The message contains the given value and the position, which clients do not get.
    let message = error.to_string();
    let expected =
        message.rsplit_once(", expected ").map_or("of another type", |(_, expected)| expected);
    let expected = expected.split(" at line ").next().unwrap_or_default();
    FieldError::new(field, &invalid(FieldErrorCode::Type, format_args!("must be {expected}")))
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
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => text_of(parent),
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::text::UserName;
    use serde::Deserialize;

    use super::*;
    use crate::dto::parsed::Parsed;

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Outer {
        first_name: Option<Parsed<UserName>>,
        items: Vec<Object<Inner>>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Inner {
        the_name: Option<Parsed<UserName>>,
    }

    fn check(json: &str, expected: &[&str]) {
        let mut errors = Vec::new();
        let found: Vec<_> = match read::<Outer>(json.as_bytes(), &mut errors) {
            Ok(_) => errors.iter().map(|e| format!("{}: {}", e.field, e.code.as_str())).collect(),
            Err(error) => vec![error.code().as_str().to_owned()],
        };
        assert_eq!(found, expected, "{json}");
    }

    #[test]
    fn unknown_fields_are_reported_together() {
        check(r#"{"firstName":"Ada","items":[{"theName":"a"}]}"#, &[]);
        check(
            r#"{"firstName":{"a":[1]},"odd":1,"items":[{"theName":[]},{"odd":{"a":1}}],"more":0}"#,
            &["odd: unknown_field", "items[1].odd: unknown_field", "more: unknown_field"],
        );
    }

    #[test]
    fn value_of_wrong_type_is_reported_alone() {
        check(r#"{"odd":1,"items":"a"}"#, &["items: type"]);
        check(r#"{"items":[{},7],"odd":1}"#, &["items[1]: type"]);
        for json in ["[]", r#"["Ada", []]"#, "5", "null", "\"x\""] {
            check(json, &[": type"]);
        }
    }

    #[test]
    fn invalid_json_is_malformed() {
        for json in [
            "",
            "{",
            "{}}",
            "{'a':1}",
            "{\"items\":[],}",
            "\u{feff}{}",
            "{\"items\":[],\"items\":[]}",
        ] {
            check(json, &["MALFORMED_JSON"]);
        }
    }
}
