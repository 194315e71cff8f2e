//! The faults of a request: all of them at once, each with the field that it is in.

use std::collections::HashSet;
use std::fmt::{Display, Write as _};

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::error::ApiError;

/// The most faults that one answer lists.
const MAX_FAULTS: usize = 1_000;

/// The stable name of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultCode {
    /// The field is missing.
    Required,
    /// There is no such field or parameter.
    UnknownField,
    /// The value is of another JSON type.
    Type,
    /// Too short, too long, too few or too many.
    Length,
    /// Too small or too large.
    Range,
    /// Not of the form that such a value has.
    Format,
    /// Given more than once where once is allowed.
    Repeated,
    /// Of the right form, but not acceptable.
    Invalid,
}

impl FaultCode {
    /// Every one.
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

    /// The name that programs see.
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

impl Serialize for FaultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Where it is, such as `options[2].name`; empty for the request as a whole.
    pub(crate) field: String,
    /// What is wrong, such as `must have 1 to 50 characters`.
    pub(crate) message: String,
    /// What is wrong, for programs.
    pub(crate) code: FaultCode,
}

/// An error that is a fault of the field that it was found in.
pub(crate) trait Complaint: Display {
    /// The name of the fault.
    fn code(&self) -> FaultCode;
}

/// The faults found so far. A field has one fault at most: the first that was found.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: Vec<Fault>,
    fields: HashSet<String>,
    /// Fields whose value could not be read at all, so that nothing is said about what is in them.
    unread: Vec<String>,
    prefix: String,
    /// Why the request could not even be looked through.
    stopped_by: Option<ApiError>,
}

impl Faults {
    /// Records a fault in `field` of the part that is looked at (see [`within`](Self::within)).
    pub(crate) fn add(&mut self, field: &str, code: FaultCode, message: impl Into<String>) {
        let field = self.path_of(field);
        let is_within = |outer: &String| {
            field
                .strip_prefix(outer.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if self.found.len() >= MAX_FAULTS || self.unread.iter().any(is_within) {
            return;
        }
        if self.fields.insert(field.clone()) {
            self.found.push(Fault { field, message: message.into(), code });
        }
    }

    /// Records a field that this version of the API does not have, if it is given.
    pub(crate) fn refuse_unknown(&mut self, field: &str, is_given: bool) {
        if is_given {
            self.add(field, FaultCode::UnknownField, "is not known");
        }
    }

    /// Records that the value of `field` could not be read: what else is found in it does not count.
    pub(crate) fn add_unread(&mut self, field: &str, code: FaultCode, message: impl Into<String>) {
        self.add(field, code, message);
        self.unread.push(self.path_of(field));
    }

    /// The value, or a fault in `field`.
    pub(crate) fn check<T, E: Complaint>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error.code(), error.to_string());
                None
            }
        }
    }

    /// The value, or the fault that `field` is missing.
    pub(crate) fn require<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, FaultCode::Required, "is required");
        }
        value
    }

    /// The value of a field that must be there: `read` from what was given, or a fault.
    pub(crate) fn required<S, T, E: Complaint>(
        &mut self,
        field: &str,
        given: Option<S>,
        read: impl FnOnce(S) -> Result<T, E>,
    ) -> Option<T> {
        let given = self.require(field, given)?;
        self.check(field, read(given))
    }

    /// The value of a field that may be left out: `None` is a fault, `Some(None)` a field that is not there.
    #[expect(clippy::option_option, reason = "a fault and a missing value differ")]
    pub(crate) fn optional<S, T, E: Complaint>(
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

    /// Looks at a part of the request, such as `options[2]`: fields are named within it.
    pub(crate) fn within<T>(&mut self, part: impl Display, look: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.prefix.len();
        let dot = if outer == 0 { "" } else { "." };
        // Writing to a string cannot fail.
        let _ = write!(self.prefix, "{dot}{part}");
        let value = look(self);
        self.prefix.truncate(outer);
        value
    }

    /// Records that the request cannot be looked through; this is answered in place of any fault.
    pub(crate) fn stop(&mut self, error: ApiError) {
        self.stopped_by.get_or_insert(error);
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && self.stopped_by.is_none()
    }

    /// Nothing, if nothing was found.
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

    fn fields(faults: &Faults) -> Vec<(&str, &str)> {
        faults.found.iter().map(|fault| (fault.field.as_str(), fault.code.as_str())).collect()
    }

    #[test]
    fn fields_are_named_with_the_part_they_are_in() {
        let mut faults = Faults::default();
        faults.within(format_args!("options[{}]", 2), |faults| {
            faults.add("name", FaultCode::Length, "must have 1 to 50 characters");
            faults.add("", FaultCode::Invalid, "is odd");
        });
        faults.add("name", FaultCode::Required, "is required");
        let expected = [("options[2].name", "length"), ("options[2]", "invalid"), ("name", "required")];
        assert_eq!(fields(&faults), expected);
    }

    #[test]
    fn a_field_keeps_its_first_fault() {
        let mut faults = Faults::default();
        faults.add("name", FaultCode::Length, "must have 1 to 50 characters");
        faults.add("name", FaultCode::Invalid, "must be readable text");
        assert_eq!(fields(&faults), [("name", "length")]);
    }

    #[test]
    fn what_is_in_an_unread_field_does_not_count() {
        let mut faults = Faults::default();
        faults.add_unread("options[1]", FaultCode::Type, "must be an object");
        faults.add("options[1].name", FaultCode::Required, "is required");
        faults.add("options[10].name", FaultCode::Required, "is required");
        assert_eq!(fields(&faults), [("options[1]", "type"), ("options[10].name", "required")]);
    }
}
