//! Conversion of the domain's errors to validation errors of fields.

use foretell_domain::id::IdError;
use foretell_domain::money::MoneyError;
use foretell_domain::password::NewPasswordError;
use foretell_domain::probability::ProbabilityError;
use foretell_domain::text::TextError;
use foretell_domain::webhook::WebhookUrlError;

use crate::faults::{Complaint, FaultCode};

impl Complaint for WebhookUrlError {
    fn code(&self) -> FaultCode {
        match self {
            Self::Length { .. } => FaultCode::Length,
            Self::NotAUrl => FaultCode::Format,
        }
    }
}

impl Complaint for MoneyError {
    fn code(&self) -> FaultCode {
        match self {
            Self::NotPositive | Self::TooLarge => FaultCode::Range,
            Self::Malformed | Self::TooPrecise { .. } => FaultCode::Format,
        }
    }
}

impl Complaint for TextError {
    fn code(&self) -> FaultCode {
        match self {
            Self::Length { .. } => FaultCode::Length,
            Self::Unreadable | Self::LineBreak | Self::NotAnEmail | Self::NotAUrl => FaultCode::Format,
            Self::Reserved => FaultCode::Invalid,
        }
    }
}

impl Complaint for NewPasswordError {
    fn code(&self) -> FaultCode {
        match self {
            Self::Length { .. } => FaultCode::Length,
            Self::Common => FaultCode::Invalid,
        }
    }
}

impl Complaint for IdError {
    fn code(&self) -> FaultCode {
        FaultCode::Format
    }
}

impl Complaint for ProbabilityError {
    fn code(&self) -> FaultCode {
        FaultCode::Range
    }
}
