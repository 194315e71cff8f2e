//! Validation errors of a request, as garde reports them and as clients see them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Display;

use garde::i18n::{I18n, InvalidCreditCard, InvalidEmail, InvalidPhoneNumber, InvalidUrl, IpKind};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// Maximum number of errors in one response.
const MAX_FIELD_ERRORS: usize = 1_000;

macro_rules! field_error_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// Stable code of a validation error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum FieldErrorCode {
            $($(#[$doc])* $variant,)+
        }

        impl FieldErrorCode {
            /// All codes.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the code that clients see.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

field_error_codes! {
    /// The field is missing.
    Required = "required";
    /// The field or parameter does not exist.
    UnknownField = "unknown_field";
    /// The value has another JSON type.
    Type = "type";
    /// Too short, too long, too few or too many.
    Length = "length";
    /// Too small or too large.
    Range = "range";
    /// Invalid format.
    Format = "format";
    /// Given more than once where only once is allowed.
    Repeated = "repeated";
    /// Valid format, but not an acceptable value.
    Invalid = "invalid";
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

impl FieldError {
    /// Creates the error of a field from an error of garde.
    pub(crate) fn new(field: impl Into<String>, error: &garde::Error) -> Self {
        let (code, message) = split(error.message());
        Self { field: field.into(), message: message.to_owned(), code }
    }

    /// Creates the error of a field that does not exist.
    pub(crate) fn unknown(field: impl Into<String>) -> Self {
        Self::new(field, &invalid(FieldErrorCode::UnknownField, "is not known"))
    }

    /// Returns the errors of a report, with the JSON names of the fields.
    pub(crate) fn all_of(report: &garde::Report) -> impl Iterator<Item = Self> {
        report.iter().map(|(path, error)| Self::new(camel_case(&path.to_string()), error))
    }
}

/// Keeps the first error of each field, and limits their number.
pub(crate) fn limited(mut errors: Vec<FieldError>) -> Vec<FieldError> {
    let mut fields = HashSet::new();
    errors.retain(|error| fields.insert(error.field.clone()));
    errors.truncate(MAX_FIELD_ERRORS);
    errors
}

/// Creates an error for garde's report. garde keeps only a text, so the code precedes the message.
pub(crate) fn invalid(code: FieldErrorCode, message: impl Display) -> garde::Error {
    garde::Error::new(coded(code, message))
}

fn coded(code: FieldErrorCode, message: impl Display) -> String {
    format!("{}|{message}", code.as_str())
}

/// Returns the code and the message of an error.
fn split(text: &str) -> (FieldErrorCode, &str) {
    let known = text.split_once('|').and_then(|(name, message)| {
        let code = FieldErrorCode::ALL.iter().find(|code| code.as_str() == name)?;
        Some((*code, message))
    });
    known.unwrap_or((FieldErrorCode::Invalid, text))
}

/// Converts field paths to JSON names: garde knows the Rust names.
fn camel_case(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut is_after_underscore = false;
    for letter in path.chars() {
        match letter {
            '_' => is_after_underscore = true,
            letter if is_after_underscore => {
                name.extend(letter.to_uppercase());
                is_after_underscore = false;
            }
            letter => name.push(letter),
        }
    }
    name
}

/// Messages of garde's own rules, with their codes.
pub(crate) struct Messages;

macro_rules! messages {
    ($($rule:ident($($argument:ident: $type:ty),*) = $code:ident, $message:literal;)+) => {
        impl I18n for Messages {
            $(fn $rule(&self, $($argument: $type),*) -> Cow<'static, str> {
                coded(FieldErrorCode::$code, format_args!($message)).into()
            })+
        }
    };
}

messages! {
    length_lower_than(min: usize) = Length, "must have a length of at least {min}";
    length_greater_than(max: usize) = Length, "must have a length of at most {max}";
    range_lower_than(min: &dyn Display) = Range, "must be at least {min}";
    range_greater_than(max: &dyn Display) = Range, "must be at most {max}";
    credit_card_invalid(reason: InvalidCreditCard) = Format, "{reason}";
    pattern_no_match(pattern: &dyn Display) = Format, "must match {pattern}";
    contains_missing(pattern: &dyn Display) = Format, "must contain {pattern}";
    url_invalid(reason: InvalidUrl) = Format, "must be a URL: {reason}";
    prefix_missing(pattern: &dyn Display) = Format, "must begin with {pattern}";
    suffix_missing(pattern: &dyn Display) = Format, "must end with {pattern}";
    phone_number_invalid(reason: InvalidPhoneNumber) = Format, "{reason}";
    ip_invalid(kind: IpKind) = Format, "must be an {kind} address";
    matches_field_mismatch(field: &dyn Display) = Format, "must be the same as {field}";
    email_invalid(reason: InvalidEmail) = Format, "must be an email address: {reason}";
    ascii_invalid() = Format, "must be ASCII";
    alphanumeric_invalid() = Format, "must be letters and digits";
    required_not_set() = Required, "is required";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_become_json_names() {
        assert_eq!(camel_case("transfers[2].from_account_id"), "transfers[2].fromAccountId");
        assert_eq!(camel_case("name"), "name");
    }

    #[test]
    fn errors_of_garde_have_codes() {
        let required = garde::Error::new(Messages.required_not_set());
        let error = FieldError::new("name", &required);
        assert_eq!((error.code, error.message.as_str()), (FieldErrorCode::Required, "is required"));
        let foreign = FieldError::new("name", &garde::Error::new("a|b"));
        assert_eq!((foreign.code, foreign.message.as_str()), (FieldErrorCode::Invalid, "a|b"));
    }

    #[test]
    fn field_keeps_its_first_error() {
        let error = |field: &str, code| FieldError::new(field, &invalid(code, "is wrong"));
        let mut errors =
            vec![error("a", FieldErrorCode::Repeated), error("b", FieldErrorCode::Range)];
        errors.push(error("a", FieldErrorCode::Range));
        errors
            .extend((0..2_000).map(|index| error(&format!("c[{index}]"), FieldErrorCode::Format)));
        let errors = limited(errors);
        assert_eq!((errors.len(), errors[0].code), (MAX_FIELD_ERRORS, FieldErrorCode::Repeated));
        assert_eq!(errors.iter().filter(|error| error.field == "a").count(), 1);
    }
}
