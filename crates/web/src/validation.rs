//! Validation errors of a request: all at once, each with its field.

use std::collections::HashSet;
use std::fmt::{Display, Write as _};

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::error::ApiError;

/// Maximum number of errors in one response.
const MAX_FIELD_ERRORS: usize = 1_000;

/// Stable code of a validation error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldErrorCode {
    /// The field is missing.
    Required,
    /// The field or parameter does not exist.
    UnknownField,
    /// The value has another JSON type.
    Type,
    /// Too short, too long, too few or too many.
    Length,
    /// Too small or too large.
    Range,
    /// Invalid format.
    Format,
    /// Given more than once where only once is allowed.
    Repeated,
    /// Valid format, but not an acceptable value.
    Invalid,
}

impl FieldErrorCode {
    /// All codes.
    pub(crate) const ALL: [Self; 8] = [
        Self::Required,
        Self::UnknownField,
        Self::Type,
        Self::Length,
        Self::Range,
        Self::Format,
        Self::Repeated,
        Self::Invalid,
    ];

    /// Returns the code that clients see.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::UnknownField => "unknown_field",
            Self::Type => "type",
            Self::Length => "length",
            Self::Range => "range",
            Self::Format => "format",
            Self::Repeated => "repeated",
            Self::Invalid => "invalid",
        }
    }
}

impl Serialize for FieldErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A validation error of one field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Path of the field, such as `options[2].name`; empty for the whole request.
    pub(crate) field: String,
    /// Message, such as `must have 1 to 50 characters`.
    pub(crate) message: String,
    /// Code, for programs.
    pub(crate) code: FieldErrorCode,
}

/// An error that can be reported as a validation error of a field.
pub(crate) trait AsFieldError: Display {
    /// Returns the code.
    fn code(&self) -> FieldErrorCode;
}

/// The validation errors found so far. A field has at most one error: the first that was found.
#[derive(Debug, Default)]
pub(crate) struct ValidationErrors {
    found: Vec<FieldError>,
    fields: HashSet<String>,
    /// Fields whose value could not be parsed at all, so that nothing inside them is reported.
    unread: Vec<String>,
    prefix: String,
    /// Error that prevented the validation of the request.
    stopped_by: Option<ApiError>,
}

impl ValidationErrors {
    /// Adds an error of `field` in the current part (see [`within`](Self::within)).
    pub(crate) fn add(&mut self, field: &str, code: FieldErrorCode, message: impl Into<String>) {
        let field = self.path_of(field);
        let is_within = |outer: &String| {
            field
                .strip_prefix(outer.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if self.found.len() >= MAX_FIELD_ERRORS || self.unread.iter().any(is_within) {
            return;
        }
        if self.fields.insert(field.clone()) {
            self.found.push(FieldError { field, message: message.into(), code });
        }
    }

    /// Adds an error for a field that this API version does not have, if it is given.
    pub(crate) fn refuse_unknown(&mut self, field: &str, is_given: bool) {
        if is_given {
            self.add(field, FieldErrorCode::UnknownField, "is not known");
        }
    }

    /// Adds an error for a value that could not be parsed: errors inside it are ignored.
    pub(crate) fn add_unread(&mut self, field: &str, code: FieldErrorCode, message: impl Into<String>) {
        self.add(field, code, message);
        self.unread.push(self.path_of(field));
    }

    /// Returns the value, or adds an error of `field`.
    pub(crate) fn check<T, E: AsFieldError>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error.code(), error.to_string());
                None
            }
        }
    }

    /// Returns the value, or adds the error that `field` is missing.
    pub(crate) fn require<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, FieldErrorCode::Required, "is required");
        }
        value
    }

    /// Converts the value of a required field with `read`, or adds an error.
    pub(crate) fn required<S, T, E: AsFieldError>(
        &mut self,
        field: &str,
        given: Option<S>,
        read: impl FnOnce(S) -> Result<T, E>,
    ) -> Option<T> {
        let given = self.require(field, given)?;
        self.check(field, read(given))
    }

    /// Converts the value of an optional field: `None` is an error, `Some(None)` an absent field.
    #[expect(clippy::option_option, reason = "an error and a missing value differ")]
    pub(crate) fn optional<S, T, E: AsFieldError>(
        &mut self,
        field: &str,
        given: Option<S>,
        read: impl FnOnce(S) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match given {
            Some(given) => self.check(field, read(given)).map(Some),
            None => Some(None),
        }
    }

    /// Validates a part of the request, such as `options[2]`: field names are relative to it.
    pub(crate) fn within<T>(&mut self, part: impl Display, look: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.prefix.len();
        let dot = if outer == 0 { "" } else { "." };
        // Writing to a string cannot fail.
        let _ = write!(self.prefix, "{dot}{part}");
        let value = look(self);
        self.prefix.truncate(outer);
        value
    }

    /// Records that the request cannot be validated; this error replaces all others.
    pub(crate) fn stop(&mut self, error: ApiError) {
        self.stopped_by.get_or_insert(error);
    }

    /// Returns `true` if there is no error.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && self.stopped_by.is_none()
    }

    /// Returns `Ok` if there is no error.
    pub(crate) fn into_result(self) -> Result<(), ApiError> {
        match self.stopped_by {
            Some(error) => Err(error),
            None if self.found.is_empty() => Ok(()),
            None => Err(ApiError::validation(self.found)),
        }
    }

    fn path_of(&self, field: &str) -> String {
        match (self.prefix.as_str(), field) {
            (prefix, "") => prefix.to_owned(),
            ("", field) => field.to_owned(),
            (prefix, field) => format!("{prefix}.{field}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(errors: &ValidationErrors) -> Vec<(&str, &str)> {
        errors.found.iter().map(|error| (error.field.as_str(), error.code.as_str())).collect()
    }

    #[test]
    fn nested_fields_have_full_paths() {
        let mut errors = ValidationErrors::default();
        errors.within(format_args!("options[{}]", 2), |errors| {
            errors.add("name", FieldErrorCode::Length, "must have 1 to 50 characters");
            errors.add("", FieldErrorCode::Invalid, "is odd");
        });
        errors.add("name", FieldErrorCode::Required, "is required");
        let expected = [("options[2].name", "length"), ("options[2]", "invalid"), ("name", "required")];
        assert_eq!(fields(&errors), expected);
    }

    #[test]
    fn field_keeps_its_first_error() {
        let mut errors = ValidationErrors::default();
        errors.add("name", FieldErrorCode::Length, "must have 1 to 50 characters");
        errors.add("name", FieldErrorCode::Invalid, "must be readable text");
        assert_eq!(fields(&errors), [("name", "length")]);
    }

    #[test]
    fn errors_inside_unparsed_field_are_ignored() {
        let mut errors = ValidationErrors::default();
        errors.add_unread("options[1]", FieldErrorCode::Type, "must be an object");
        errors.add("options[1].name", FieldErrorCode::Required, "is required");
        errors.add("options[10].name", FieldErrorCode::Required, "is required");
        assert_eq!(fields(&errors), [("options[1]", "type"), ("options[10].name", "required")]);
    }
}
