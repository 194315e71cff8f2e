//! Conversion of the domain's errors to field errors.

use foretell_domain::id::IdError;
use foretell_domain::money::MoneyError;
use foretell_domain::password::NewPasswordError;
use foretell_domain::probability::ProbabilityError;
use foretell_domain::text::TextError;
use foretell_domain::webhook::WebhookUrlError;

use crate::validation::{AsFieldError, FieldErrorCode};

impl AsFieldError for WebhookUrlError {
    fn code(&self) -> FieldErrorCode {
        match self {
            Self::Length { .. } => FieldErrorCode::Length,
            Self::NotAUrl => FieldErrorCode::Format,
        }
    }
}

impl AsFieldError for MoneyError {
    fn code(&self) -> FieldErrorCode {
        match self {
            Self::NotPositive | Self::TooLarge => FieldErrorCode::Range,
            Self::Malformed | Self::TooPrecise { .. } => FieldErrorCode::Format,
        }
    }
}

impl AsFieldError for TextError {
    fn code(&self) -> FieldErrorCode {
        match self {
            Self::Length { .. } => FieldErrorCode::Length,
            Self::Unreadable | Self::LineBreak | Self::NotAnEmail | Self::NotAUrl => FieldErrorCode::Format,
            Self::Reserved => FieldErrorCode::Invalid,
        }
    }
}

impl AsFieldError for NewPasswordError {
    fn code(&self) -> FieldErrorCode {
        match self {
            Self::Length { .. } => FieldErrorCode::Length,
            Self::Common => FieldErrorCode::Invalid,
        }
    }
}

impl AsFieldError for IdError {
    fn code(&self) -> FieldErrorCode {
        FieldErrorCode::Format
    }
}

impl AsFieldError for ProbabilityError {
    fn code(&self) -> FieldErrorCode {
        FieldErrorCode::Range
    }
}
