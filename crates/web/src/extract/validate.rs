//! Request types as serde parses them and garde validates them.

use std::borrow::Cow;
use std::fmt::Display;

use garde::Validate;
use garde::i18n::{I18n, InvalidCreditCard, InvalidEmail, InvalidPhoneNumber, InvalidUrl, IpKind, with_i18n};
use serde::de::DeserializeOwned;

use crate::validation::{FieldErrorCode, ValidationErrors};

/// A request before conversion. Every field is optional: an `Option` or with a default, so that
/// garde finds all missing ones at once.
pub(crate) trait RequestDto: DeserializeOwned + Validate<Context = ()> {}

impl<T: DeserializeOwned + Validate<Context = ()>> RequestDto for T {}

/// Adds the errors that garde finds.
pub(super) fn check(dto: &impl Validate<Context = ()>, errors: &mut ValidationErrors) {
    // garde reports only texts, so the wording carries the code of each error.
    let Err(report) = with_i18n(Messages, || dto.validate()) else { return };
    for (path, error) in report.iter() {
        let (code, message) = Messages::read(error.message());
        errors.add(&camel_case(&path.to_string()), code, message);
    }
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

/// Messages of garde's errors, each with its code in front.
struct Messages;

const CODES: [FieldErrorCode; 4] =
    [FieldErrorCode::Required, FieldErrorCode::Length, FieldErrorCode::Range, FieldErrorCode::Format];

impl Messages {
    fn write(code: FieldErrorCode, message: impl Display) -> Cow<'static, str> {
        format!("{}|{message}", code.as_str()).into()
    }

    fn read(message: &str) -> (FieldErrorCode, &str) {
        let split = message.split_once('|');
        let known = |(name, message)| {
            let code = CODES.into_iter().find(|code| code.as_str() == name)?;
            Some((code, message))
        };
        split.and_then(known).unwrap_or((FieldErrorCode::Invalid, message))
    }
}

impl I18n for Messages {
    fn length_lower_than(&self, min: usize) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Length, format_args!("must have a length of at least {min}"))
    }

    fn length_greater_than(&self, max: usize) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Length, format_args!("must have a length of at most {max}"))
    }

    fn range_lower_than(&self, min: &dyn Display) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Range, format_args!("must be at least {min}"))
    }

    fn range_greater_than(&self, max: &dyn Display) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Range, format_args!("must be at most {max}"))
    }

    fn credit_card_invalid(&self, reason: InvalidCreditCard) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, reason)
    }

    fn pattern_no_match(&self, pattern: &dyn Display) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, format_args!("must match {pattern}"))
    }

    fn contains_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, format_args!("must contain {pattern}"))
    }

    fn url_invalid(&self, _: InvalidUrl) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, "must be a URL")
    }

    fn prefix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, format_args!("must begin with {pattern}"))
    }

    fn suffix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, format_args!("must end with {pattern}"))
    }

    fn phone_number_invalid(&self, reason: InvalidPhoneNumber) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, reason)
    }

    fn ip_invalid(&self, _: IpKind) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, "must be an IP address")
    }

    fn matches_field_mismatch(&self, field: &dyn Display) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, format_args!("must be the same as {field}"))
    }

    fn email_invalid(&self, _: InvalidEmail) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, "must be an email address")
    }

    fn ascii_invalid(&self) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, "must be ASCII")
    }

    fn alphanumeric_invalid(&self) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Format, "must be letters and digits")
    }

    fn required_not_set(&self) -> Cow<'static, str> {
        Self::write(FieldErrorCode::Required, "is required")
    }
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
    fn codes_are_parsed_from_messages() {
        let message = Messages.required_not_set();
        assert_eq!(Messages::read(&message), (FieldErrorCode::Required, "is required"));
        assert_eq!(Messages::read("a|b"), (FieldErrorCode::Invalid, "a|b"));
    }
}
