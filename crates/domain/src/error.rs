//! The errors of all areas as one type: each has a stable code and a kind.

use thiserror::Error;

use crate::job::JobError;
use crate::market::{MarketError, MarketTextsError};
use crate::money::MoneyError;
use crate::policy::Denied;
use crate::post::PostError;
use crate::quota::QuotaExceeded;
use crate::registration::RegistrationError;
use crate::text::TextError;
use crate::transfer::TransferError;
use crate::user::UserError;
use crate::webhook::WebhookError;

/// Category of an error, independent of its area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request can never succeed unchanged.
    Invalid,
    /// The caller may not do this.
    Forbidden,
    /// The resource does not exist, or the caller may not see it.
    NotFound,
    /// The request conflicts with the current state.
    Conflict,
}

/// Stable error codes for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The request can never succeed unchanged.
    ValidationError,
    /// The caller may not do this.
    Forbidden,
    /// Only admins add users.
    RegistrationClosed,
    /// A registration takes an invitation.
    InvitationRequired,
    /// The invitation is unknown, used up or expired.
    InvitationInvalid,
    /// The domain of the email address may not register.
    EmailDomainNotAllowed,
    /// The resource does not exist, or the caller may not see it.
    NotFound,
    /// Something with this id or name already exists.
    Duplicate,
    /// The request conflicts with the current state.
    Conflict,
    /// The user has reached the quota.
    QuotaExceeded,
    /// The account balance is too low.
    InsufficientFunds,
    /// The trader holds too few shares.
    InsufficientShares,
    /// The account is closed.
    AccountClosed,
    /// The money in circulation would exceed its limit.
    CirculationLimit,
    /// The transfer was already reversed, or cannot be reversed.
    NotReversible,
    /// Another transfer of the same atomic batch was rejected.
    BatchAborted,
    /// The market takes no trades.
    MarketClosed,
    /// The limit of the order was not met.
    Slippage,
    /// Users have bet on the market's question as it is.
    QuestionFrozen,
    /// A resolution of the market is proposed already.
    ProposalPending,
    /// The order must state its maximum price.
    MaxPriceRequired,
    /// The trade rounds to zero.
    TradeTooSmall,
    /// The trade leaves the range in which prices are exact.
    TradeTooLarge,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 23] = [
        Self::ValidationError,
        Self::Forbidden,
        Self::RegistrationClosed,
        Self::InvitationRequired,
        Self::InvitationInvalid,
        Self::EmailDomainNotAllowed,
        Self::NotFound,
        Self::Duplicate,
        Self::Conflict,
        Self::QuotaExceeded,
        Self::InsufficientFunds,
        Self::InsufficientShares,
        Self::AccountClosed,
        Self::CirculationLimit,
        Self::NotReversible,
        Self::BatchAborted,
        Self::MarketClosed,
        Self::QuestionFrozen,
        Self::ProposalPending,
        Self::MaxPriceRequired,
        Self::Slippage,
        Self::TradeTooSmall,
        Self::TradeTooLarge,
    ];

    /// Returns the code that clients see, in capitals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationError => "VALIDATION_ERROR",
            Self::Forbidden => "FORBIDDEN",
            Self::RegistrationClosed => "REGISTRATION_CLOSED",
            Self::InvitationRequired => "INVITATION_REQUIRED",
            Self::InvitationInvalid => "INVITATION_INVALID",
            Self::EmailDomainNotAllowed => "EMAIL_DOMAIN_NOT_ALLOWED",
            Self::NotFound => "NOT_FOUND",
            Self::Duplicate => "DUPLICATE",
            Self::Conflict => "CONFLICT",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::InsufficientFunds => "INSUFFICIENT_FUNDS",
            Self::InsufficientShares => "INSUFFICIENT_SHARES",
            Self::AccountClosed => "ACCOUNT_CLOSED",
            Self::CirculationLimit => "CIRCULATION_LIMIT",
            Self::NotReversible => "NOT_REVERSIBLE",
            Self::BatchAborted => "BATCH_ABORTED",
            Self::MarketClosed => "MARKET_CLOSED",
            Self::QuestionFrozen => "QUESTION_FROZEN",
            Self::ProposalPending => "PROPOSAL_PENDING",
            Self::MaxPriceRequired => "MAX_PRICE_REQUIRED",
            Self::Slippage => "SLIPPAGE",
            Self::TradeTooSmall => "TRADE_TOO_SMALL",
            Self::TradeTooLarge => "TRADE_TOO_LARGE",
        }
    }

    /// Returns the category of the code.
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::ValidationError => ErrorKind::Invalid,
            Self::Forbidden
            | Self::RegistrationClosed
            | Self::InvitationRequired
            | Self::InvitationInvalid
            | Self::EmailDomainNotAllowed => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Conflict,
        }
    }
}

/// Any error of the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum DomainError {
    /// A number is not a valid amount of money.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A text is not valid.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A transfer is rejected.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A market rejects an operation.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// The texts of a market are not valid.
    #[error(transparent)]
    #[cfg_attr(feature = "serde", serde(rename = "MarketTexts"))]
    MarketTexts(#[from] MarketTextsError),
    /// An operation on a post or comment is rejected.
    #[error(transparent)]
    Post(#[from] PostError),
    /// The actor may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// An operation on users is rejected.
    #[error(transparent)]
    User(#[from] UserError),
    /// An operation on webhooks is rejected.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// An operation on jobs is rejected.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The user has reached a quota.
    #[error(transparent)]
    Quota(#[from] QuotaExceeded),
    /// A registration, or an operation on invitations, is rejected.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// A user with this email address is already registered.
    #[error("this email address is already registered")]
    EmailTaken,
}

impl DomainError {
    /// Returns the stable code of the error.
    pub const fn code(&self) -> Code {
        match self {
            Self::Money(_)
            | Self::Text(_)
            | Self::MarketTexts(_)
            | Self::Webhook(WebhookError::ForbiddenAddress) => Code::ValidationError,
            Self::Transfer(error) => transfer_code(error),
            Self::Market(error) => market_code(error),
            Self::User(error) => user_code(error),
            Self::Post(PostError::NotFound(_) | PostError::CommentNotFound(_))
            | Self::Webhook(WebhookError::NotFound(_))
            | Self::Job(JobError::NotFound(_)) => Code::NotFound,
            Self::Webhook(WebhookError::TooMany { .. }) | Self::Job(JobError::Busy(_)) => {
                Code::Conflict
            }
            Self::Denied(_) => Code::Forbidden,
            Self::Quota(_) => Code::QuotaExceeded,
            Self::Registration(error) => registration_code(error),
            Self::EmailTaken => Code::Duplicate,
        }
    }

    /// Returns the category of the error.
    pub const fn kind(&self) -> ErrorKind {
        self.code().kind()
    }
}

const fn transfer_code(error: &TransferError) -> Code {
    match error {
        TransferError::SelfTransfer => Code::ValidationError,
        TransferError::AccountNotFound(_) | TransferError::NotFound(_) => Code::NotFound,
        TransferError::AccountClosed(_) => Code::AccountClosed,
        TransferError::InsufficientFunds { .. } => Code::InsufficientFunds,
        TransferError::CirculationLimit => Code::CirculationLimit,
        TransferError::BalanceOutOfRange | TransferError::NotFinal { .. } => Code::Conflict,
        TransferError::Duplicate(_) => Code::Duplicate,
        TransferError::AlreadyReversed(_) | TransferError::NotReversible { .. } => {
            Code::NotReversible
        }
        TransferError::BatchAborted => Code::BatchAborted,
    }
}

const fn user_code(error: &UserError) -> Code {
    match error {
        UserError::NotFound(_) | UserError::KeyNotFound(_) => Code::NotFound,
        UserError::Erased(_) | UserError::LastAdmin => Code::Conflict,
    }
}

const fn registration_code(error: &RegistrationError) -> Code {
    match error {
        RegistrationError::Closed => Code::RegistrationClosed,
        RegistrationError::InvitationRequired => Code::InvitationRequired,
        RegistrationError::InvitationInvalid => Code::InvitationInvalid,
        RegistrationError::DomainNotAllowed => Code::EmailDomainNotAllowed,
        RegistrationError::NotFound(_) => Code::NotFound,
    }
}

const fn market_code(error: &MarketError) -> Code {
    match error {
        MarketError::NotFound(_) | MarketError::OptionNotFound(_) | MarketError::NoProposal => {
            Code::NotFound
        }
        MarketError::DuplicateBet(_) | MarketError::AlreadyDisputed => Code::Duplicate,
        MarketError::CreatorMayNotTrade => Code::Forbidden,
        MarketError::ProposalPending => Code::ProposalPending,
        MarketError::MaxPriceRequired => Code::MaxPriceRequired,
        MarketError::TradingEnded | MarketError::NotOpen { .. } => Code::MarketClosed,
        MarketError::EndsLater | MarketError::AlreadyDecided { .. } | MarketError::HasBets => {
            Code::Conflict
        }
        MarketError::QuestionFrozen => Code::QuestionFrozen,
        MarketError::EndsTooLate { .. }
        | MarketError::NotDecided { .. }
        | MarketError::BeingUndone
        | MarketError::ProposalNotDue
        | MarketError::NotClosed { .. } => Code::Conflict,
        MarketError::Slippage(_) => Code::Slippage,
        MarketError::InsufficientShares { .. } => Code::InsufficientShares,
        MarketError::TradeTooSmall => Code::TradeTooSmall,
        MarketError::TradeTooLarge => Code::TradeTooLarge,
        MarketError::EndsInThePast
        | MarketError::SubsidyTooSmall { .. }
        | MarketError::FeeTooHigh { .. }
        | MarketError::SomeProbabilities
        | MarketError::Probabilities(_)
        | MarketError::Split(_) => Code::ValidationError,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_have_distinct_names_in_capitals() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')));
    }
}
