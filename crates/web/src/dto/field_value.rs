//! Values that fields of requests can have, and how they are parsed.

use std::fmt::Display;

use foretell_application::writer::BatchMode;
use foretell_application::{CandleInterval, Period};
use foretell_domain::id::{AccountId, ClientId, IdError, OptionId, UserId};
use foretell_domain::job::{JobKind, JobState};
use foretell_domain::market::{Phase, TradeSide};
use foretell_domain::money::MoneyError;
use foretell_domain::password::NewPasswordError;
use foretell_domain::post::PostStatus;
use foretell_domain::probability::{Probability, ProbabilityError};
use foretell_domain::scope::Scope;
use foretell_domain::search::{SearchError, SearchQuery};
use foretell_domain::tag::Tag;
use foretell_domain::text::{
    AvatarUrl, Category, Clarification, CommentContent, Email, EvidenceText, EvidenceUrl, KeyName,
    MarketDescription, MarketName, Memo, OptionName, PostContent, PostTitle, Reason, TextError,
    UserName,
};
use foretell_domain::time::Timestamp;
use foretell_domain::user::{NewUserStatus, Role};
use foretell_domain::webhook::{WebhookEvent, WebhookStatus, WebhookUrl, WebhookUrlError};
use foretell_ports::market::MarketSort;
use foretell_ports::secret::NewPassword;
use secrecy::SecretString;
use serde_json::Value;

use super::time::{TimeError, parse_time};
use crate::validation::{FieldErrorCode, invalid};

/// A value that a field can have.
pub(crate) trait FieldValue: Sized {
    /// Description of the expected type.
    const EXPECTED: &'static str = "a string";

    /// Parses a string of JSON, or a parameter of a query string.
    ///
    /// # Errors
    /// The error of the field.
    fn parse(text: &str) -> Result<Self, garde::Error>;

    /// Parses any other value of JSON.
    ///
    /// # Errors
    /// The error of the field.
    fn parse_other(_: Value) -> Result<Self, garde::Error> {
        Err(wrong_type::<Self>())
    }
}

/// Returns the error of a value of the wrong type.
pub(crate) fn wrong_type<T: FieldValue>() -> garde::Error {
    invalid(FieldErrorCode::Type, format_args!("must be {}", T::EXPECTED))
}

/// An error that can be reported as a validation error of a field.
pub(crate) trait AsFieldError: Display {
    /// Returns the code.
    fn code(&self) -> FieldErrorCode;

    /// Returns the error for garde's report.
    fn to_error(&self) -> garde::Error
    where
        Self: Sized,
    {
        invalid(self.code(), self)
    }
}

/// Codes of the errors of domain values.
macro_rules! codes {
    ($($error:ident { $($($pattern:pat_param)|+ => $code:ident),+ $(,)? })+) => {$(
        impl AsFieldError for $error {
            fn code(&self) -> FieldErrorCode {
                match self {
                    $($($pattern)|+ => FieldErrorCode::$code,)+
                }
            }
        }
    )+};
}

codes! {
    IdError { Self => Format }
    TimeError { Self => Format }
    ProbabilityError { Self => Range }
    MoneyError {
        Self::NotPositive | Self::TooLarge => Range,
        Self::Malformed | Self::TooPrecise { .. } => Format,
    }
    TextError {
        Self::Length { .. } => Length,
        Self::Unreadable | Self::LineBreak | Self::NotAnEmail | Self::NotAUrl => Format,
        Self::Reserved => Invalid,
    }
    WebhookUrlError { Self::Length { .. } => Length, Self::NotAUrl => Format }
    NewPasswordError { Self::Length { .. } => Length, Self::Common => Invalid }
    SearchError { Self::Length { .. } | Self::TooManyWords { .. } => Length, Self::Unreadable => Format }
}

/// Values parsed from text by a function of their type.
macro_rules! texts {
    ($($type:ty = $parse:expr;)+) => {$(
        impl FieldValue for $type {
            fn parse(text: &str) -> Result<Self, garde::Error> {
                ($parse)(text).map_err(|error| error.to_error())
            }
        }
    )+};
}

texts! {
    AccountId = str::parse::<Self>;
    ClientId = str::parse::<Self>;
    OptionId = str::parse::<Self>;
    UserId = str::parse::<Self>;
    AvatarUrl = Self::new;
    Category = Self::new;
    Clarification = Self::new;
    CommentContent = Self::new;
    Email = Self::new;
    EvidenceText = Self::new;
    EvidenceUrl = Self::new;
    KeyName = Self::new;
    MarketDescription = Self::new;
    MarketName = Self::new;
    Memo = Self::new;
    OptionName = Self::new;
    PostContent = Self::new;
    PostTitle = Self::new;
    Reason = Self::new;
    UserName = Self::new;
    Tag = Self::new;
    SearchQuery = Self::parse;
    Timestamp = parse_time;
    WebhookUrl = Self::new;
    NewPassword = |typed: &str| Self::new(&SecretString::from(typed));
}

/// Values with names, and the choice that clients have.
macro_rules! names {
    ($($type:ty = $find:expr, $choice:expr;)+) => {$(
        impl FieldValue for $type {
            fn parse(name: &str) -> Result<Self, garde::Error> {
                ($find)(name).ok_or_else(|| {
                    invalid(FieldErrorCode::Invalid, format_args!("must be {}", $choice))
                })
            }
        }
    )+};
}

names! {
    BatchMode = batch_mode, "atomic or independent";
    CandleInterval = candle_interval, "1m, 1h or 1d";
    JobKind = Self::from_name, format_args!("one of {}", Self::ALL.map(Self::as_str).join(", "));
    JobState = Self::from_name, format_args!("one of {}", Self::ALL.map(Self::as_str).join(", "));
    MarketSort = market_sort, "newest, closing or volume";
    NewUserStatus = Self::from_name, "active or suspended";
    Period = period, "day, week, month or all";
    Phase = Self::from_name, "open, closed, resolved or cancelled";
    PostStatus = Self::from_name, "draft or published";
    Role = Self::from_name, "USER, MODERATOR or ADMIN";
    Scope = Self::from_name, "read, trade, manage or resolve";
    TradeSide = Self::from_name, "buy or sell";
    WebhookEvent = Self::from_name, "market.trade or market.status";
    WebhookStatus = Self::from_name, "enabled or disabled";
}

fn batch_mode(name: &str) -> Option<BatchMode> {
    match name {
        "atomic" => Some(BatchMode::Atomic),
        "independent" => Some(BatchMode::Independent),
        _ => None,
    }
}

fn candle_interval(name: &str) -> Option<CandleInterval> {
    match name {
        "1m" => Some(CandleInterval::Minute),
        "1h" => Some(CandleInterval::Hour),
        "1d" => Some(CandleInterval::Day),
        _ => None,
    }
}

fn market_sort(name: &str) -> Option<MarketSort> {
    match name {
        "newest" => Some(MarketSort::Newest),
        "closing" => Some(MarketSort::Closing),
        "volume" => Some(MarketSort::Volume),
        _ => None,
    }
}

fn period(name: &str) -> Option<Period> {
    Period::NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, period)| period)
}

/// A password that is compared with a stored one, whatever its form.
impl FieldValue for SecretString {
    fn parse(text: &str) -> Result<Self, garde::Error> {
        Ok(Self::from(text))
    }
}

/// Values of other JSON types than strings.
macro_rules! other_types {
    ($($type:ty = $read:expr, $expected:literal;)+) => {$(
        impl FieldValue for $type {
            const EXPECTED: &'static str = $expected;

            fn parse(_: &str) -> Result<Self, garde::Error> {
                Err(wrong_type::<Self>())
            }

            fn parse_other(value: Value) -> Result<Self, garde::Error> {
                ($read)(&value).ok_or_else(wrong_type::<Self>)
            }
        }
    )+};
}

other_types! {
    bool = Value::as_bool, "true or false";
    i64 = Value::as_i64, "a whole number";
}

impl FieldValue for Probability {
    const EXPECTED: &'static str = "a number";

    fn parse(_: &str) -> Result<Self, garde::Error> {
        Err(wrong_type::<Self>())
    }

    fn parse_other(value: Value) -> Result<Self, garde::Error> {
        let number = value.as_f64().ok_or_else(wrong_type::<Self>)?;
        Self::new(number).map_err(|error| error.to_error())
    }
}

/// A whole number in a query string.
impl FieldValue for u32 {
    const EXPECTED: &'static str = "a whole number that is not too large";

    fn parse(text: &str) -> Result<Self, garde::Error> {
        text.parse().map_err(|_| wrong_type::<Self>())
    }
}
