//! Format 1 of domain errors. It has the names used before formats had a number, so it reads both.

use std::borrow::Cow;

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, ClientId, MarketId, OptionId, TransferId};
use foretell_domain::market::lmsr::LmsrError;
use foretell_domain::market::{Guard, MarketError, Phase, SplitError};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::policy::Denied;
use foretell_domain::quota::{Quota, QuotaExceeded};
use foretell_domain::registration::RegistrationError;
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{TransferError, TransferKind};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) enum RefusalV1 {
    Transfer(TransferRefusalV1),
    Market(MarketRefusalV1),
    Denied(DeniedV1),
    QuotaExceeded {
        quota: Cow<'static, str>,
        limit: u32,
    },
    InvitationInvalid,
    EmailTaken,
    /// An error that no command of the money writer returns, with the domain's own name.
    #[serde(untagged)]
    Other(DomainError),
}

#[derive(Serialize, Deserialize)]
pub(super) enum DeniedV1 {
    AdminsOnly,
    NotTheCreator,
}

#[derive(Serialize, Deserialize)]
pub(super) enum TransferRefusalV1 {
    SelfTransfer,
    AccountNotFound(AccountId),
    AccountClosed(AccountId),
    InsufficientFunds { available: i64, needed: i64 },
    CirculationLimit,
    BalanceOutOfRange,
    NotFinal { newest: i64 },
    NotFound(TransferId),
    Duplicate(ClientId),
    AlreadyReversed(TransferId),
    NotReversible { kind: Cow<'static, str> },
    BatchAborted,
}

#[derive(Serialize, Deserialize)]
pub(super) enum MarketRefusalV1 {
    NotFound(MarketId),
    OptionNotFound(OptionId),
    DuplicateBet(ClientId),
    TradingEnded,
    NotOpen { phase: Cow<'static, str> },
    EndsLater,
    AlreadyDecided { phase: Cow<'static, str> },
    HasBets,
    Slippage(GuardV1),
    InsufficientShares { available: i64, needed: i64 },
    TradeTooSmall,
    TradeTooLarge,
    EndsInThePast,
    QuestionFrozen,
    NotDecided { phase: Cow<'static, str> },
    BeingUndone,
    ProposalPending,
    NoProposal,
    ProposalNotDue,
    AlreadyDisputed,
    NotClosed { phase: Cow<'static, str> },
    CreatorMayNotTrade,
    MaxPriceRequired,
    EndsTooLate { latest: i64 },
    SubsidyTooSmall { min: i64 },
    FeeTooHigh { max_bps: u16 },
    SomeProbabilities,
    Probabilities(ProbabilitiesV1),
    Split(SplitV1),
}

#[derive(Serialize, Deserialize)]
pub(super) enum GuardV1 {
    MinShares(i64),
    MinProceeds(i64),
    MaxPrice,
}

#[derive(Serialize, Deserialize)]
pub(super) enum ProbabilitiesV1 {
    Extreme { option: usize },
    OptionCount,
    Sum,
    SubsidyTooLarge,
}

#[derive(Serialize, Deserialize)]
pub(super) enum SplitV1 {
    Options,
    Sum,
}

impl From<&DomainError> for RefusalV1 {
    fn from(refusal: &DomainError) -> Self {
        match refusal {
            DomainError::Transfer(refusal) => Self::Transfer(refusal.into()),
            DomainError::Market(refusal) => Self::Market(refusal.into()),
            DomainError::Denied(Denied::AdminsOnly) => Self::Denied(DeniedV1::AdminsOnly),
            DomainError::Denied(Denied::NotTheCreator) => Self::Denied(DeniedV1::NotTheCreator),
            DomainError::Quota(QuotaExceeded { quota, limit }) => {
                Self::QuotaExceeded { quota: quota.as_str().into(), limit: *limit }
            }
            DomainError::Registration(RegistrationError::InvitationInvalid) => {
                Self::InvitationInvalid
            }
            DomainError::EmailTaken => Self::EmailTaken,
            other => Self::Other(*other),
        }
    }
}

impl RefusalV1 {
    /// Returns the domain error; `None` if a value is not valid.
    pub(super) fn into_refusal(self) -> Option<DomainError> {
        Some(match self {
            Self::Transfer(refusal) => refusal.into_refusal()?.into(),
            Self::Market(refusal) => refusal.into_refusal()?.into(),
            Self::Denied(DeniedV1::AdminsOnly) => Denied::AdminsOnly.into(),
            Self::Denied(DeniedV1::NotTheCreator) => Denied::NotTheCreator.into(),
            Self::QuotaExceeded { quota, limit } => {
                QuotaExceeded { quota: Quota::from_name(&quota)?, limit }.into()
            }
            Self::InvitationInvalid => RegistrationError::InvitationInvalid.into(),
            Self::EmailTaken => DomainError::EmailTaken,
            Self::Other(refusal) => refusal,
        })
    }
}

impl From<&TransferError> for TransferRefusalV1 {
    fn from(refusal: &TransferError) -> Self {
        match *refusal {
            TransferError::SelfTransfer => Self::SelfTransfer,
            TransferError::AccountNotFound(id) => Self::AccountNotFound(id),
            TransferError::AccountClosed(id) => Self::AccountClosed(id),
            TransferError::InsufficientFunds { available, needed } => {
                Self::InsufficientFunds { available: available.minor(), needed: needed.minor() }
            }
            TransferError::CirculationLimit => Self::CirculationLimit,
            TransferError::BalanceOutOfRange => Self::BalanceOutOfRange,
            TransferError::NotFinal { newest } => Self::NotFinal { newest: newest.micros() },
            TransferError::NotFound(id) => Self::NotFound(id),
            TransferError::Duplicate(id) => Self::Duplicate(id),
            TransferError::AlreadyReversed(id) => Self::AlreadyReversed(id),
            TransferError::NotReversible { kind } => {
                Self::NotReversible { kind: kind.as_str().into() }
            }
            TransferError::BatchAborted => Self::BatchAborted,
        }
    }
}

impl TransferRefusalV1 {
    fn into_refusal(self) -> Option<TransferError> {
        Some(match self {
            Self::SelfTransfer => TransferError::SelfTransfer,
            Self::AccountNotFound(id) => TransferError::AccountNotFound(id),
            Self::AccountClosed(id) => TransferError::AccountClosed(id),
            Self::InsufficientFunds { available, needed } => TransferError::InsufficientFunds {
                available: Balance::from_minor(available),
                needed: Amount::new(needed).ok()?,
            },
            Self::CirculationLimit => TransferError::CirculationLimit,
            Self::BalanceOutOfRange => TransferError::BalanceOutOfRange,
            Self::NotFinal { newest } => {
                TransferError::NotFinal { newest: Timestamp::from_micros(newest) }
            }
            Self::NotFound(id) => TransferError::NotFound(id),
            Self::Duplicate(id) => TransferError::Duplicate(id),
            Self::AlreadyReversed(id) => TransferError::AlreadyReversed(id),
            Self::NotReversible { kind } => {
                TransferError::NotReversible { kind: TransferKind::from_name(&kind)? }
            }
            Self::BatchAborted => TransferError::BatchAborted,
        })
    }
}

impl From<&MarketError> for MarketRefusalV1 {
    fn from(refusal: &MarketError) -> Self {
        match *refusal {
            MarketError::NotFound(id) => Self::NotFound(id),
            MarketError::OptionNotFound(id) => Self::OptionNotFound(id),
            MarketError::DuplicateBet(id) => Self::DuplicateBet(id),
            MarketError::TradingEnded => Self::TradingEnded,
            MarketError::EndsLater => Self::EndsLater,
            MarketError::NotOpen { phase } => Self::NotOpen { phase: phase.as_str().into() },
            MarketError::AlreadyDecided { phase } => {
                Self::AlreadyDecided { phase: phase.as_str().into() }
            }
            MarketError::HasBets => Self::HasBets,
            MarketError::Slippage(guard) => Self::Slippage(match guard {
                Guard::MinShares(shares) => GuardV1::MinShares(shares.units()),
                Guard::MinProceeds(amount) => GuardV1::MinProceeds(amount.minor()),
                Guard::MaxPrice => GuardV1::MaxPrice,
            }),
            MarketError::InsufficientShares { available, needed } => {
                Self::InsufficientShares { available: available.units(), needed: needed.units() }
            }
            MarketError::TradeTooSmall => Self::TradeTooSmall,
            MarketError::TradeTooLarge => Self::TradeTooLarge,
            MarketError::EndsInThePast => Self::EndsInThePast,
            MarketError::QuestionFrozen => Self::QuestionFrozen,
            MarketError::NotDecided { phase } => Self::NotDecided { phase: phase.as_str().into() },
            MarketError::BeingUndone => Self::BeingUndone,
            MarketError::ProposalPending => Self::ProposalPending,
            MarketError::NoProposal => Self::NoProposal,
            MarketError::ProposalNotDue => Self::ProposalNotDue,
            MarketError::AlreadyDisputed => Self::AlreadyDisputed,
            MarketError::NotClosed { phase } => Self::NotClosed { phase: phase.as_str().into() },
            MarketError::CreatorMayNotTrade => Self::CreatorMayNotTrade,
            MarketError::MaxPriceRequired => Self::MaxPriceRequired,
            MarketError::EndsTooLate { latest } => Self::EndsTooLate { latest: latest.micros() },
            MarketError::SubsidyTooSmall { min } => Self::SubsidyTooSmall { min: min.minor() },
            MarketError::FeeTooHigh { max_bps } => Self::FeeTooHigh { max_bps },
            MarketError::SomeProbabilities => Self::SomeProbabilities,
            MarketError::Probabilities(error) => Self::Probabilities(match error {
                LmsrError::Extreme { option } => ProbabilitiesV1::Extreme { option },
                LmsrError::OptionCount => ProbabilitiesV1::OptionCount,
                LmsrError::Sum => ProbabilitiesV1::Sum,
                LmsrError::SubsidyTooLarge => ProbabilitiesV1::SubsidyTooLarge,
            }),
            MarketError::Split(SplitError::Options) => Self::Split(SplitV1::Options),
            MarketError::Split(SplitError::Sum) => Self::Split(SplitV1::Sum),
        }
    }
}

impl MarketRefusalV1 {
    fn into_refusal(self) -> Option<MarketError> {
        Some(match self {
            Self::NotFound(id) => MarketError::NotFound(id),
            Self::OptionNotFound(id) => MarketError::OptionNotFound(id),
            Self::DuplicateBet(id) => MarketError::DuplicateBet(id),
            Self::TradingEnded => MarketError::TradingEnded,
            Self::EndsLater => MarketError::EndsLater,
            Self::NotOpen { phase } => MarketError::NotOpen { phase: Phase::from_name(&phase)? },
            Self::AlreadyDecided { phase } => {
                MarketError::AlreadyDecided { phase: Phase::from_name(&phase)? }
            }
            Self::HasBets => MarketError::HasBets,
            Self::Slippage(guard) => MarketError::Slippage(match guard {
                GuardV1::MinShares(units) => Guard::MinShares(Shares::new(units).ok()?),
                GuardV1::MinProceeds(minor) => Guard::MinProceeds(Amount::new(minor).ok()?),
                GuardV1::MaxPrice => Guard::MaxPrice,
            }),
            Self::InsufficientShares { available, needed } => MarketError::InsufficientShares {
                available: Shares::new(available).ok()?,
                needed: Shares::new(needed).ok()?,
            },
            Self::TradeTooSmall => MarketError::TradeTooSmall,
            Self::TradeTooLarge => MarketError::TradeTooLarge,
            Self::EndsInThePast => MarketError::EndsInThePast,
            Self::QuestionFrozen => MarketError::QuestionFrozen,
            Self::NotDecided { phase } => {
                MarketError::NotDecided { phase: Phase::from_name(&phase)? }
            }
            Self::BeingUndone => MarketError::BeingUndone,
            Self::ProposalPending => MarketError::ProposalPending,
            Self::NoProposal => MarketError::NoProposal,
            Self::ProposalNotDue => MarketError::ProposalNotDue,
            Self::AlreadyDisputed => MarketError::AlreadyDisputed,
            Self::NotClosed { phase } => {
                MarketError::NotClosed { phase: Phase::from_name(&phase)? }
            }
            Self::CreatorMayNotTrade => MarketError::CreatorMayNotTrade,
            Self::MaxPriceRequired => MarketError::MaxPriceRequired,
            Self::EndsTooLate { latest } => {
                MarketError::EndsTooLate { latest: Timestamp::from_micros(latest) }
            }
            Self::SubsidyTooSmall { min } => {
                MarketError::SubsidyTooSmall { min: Amount::new(min).ok()? }
            }
            Self::FeeTooHigh { max_bps } => MarketError::FeeTooHigh { max_bps },
            Self::SomeProbabilities => MarketError::SomeProbabilities,
            Self::Probabilities(error) => MarketError::Probabilities(match error {
                ProbabilitiesV1::Extreme { option } => LmsrError::Extreme { option },
                ProbabilitiesV1::OptionCount => LmsrError::OptionCount,
                ProbabilitiesV1::Sum => LmsrError::Sum,
                ProbabilitiesV1::SubsidyTooLarge => LmsrError::SubsidyTooLarge,
            }),
            Self::Split(SplitV1::Options) => SplitError::Options.into(),
            Self::Split(SplitV1::Sum) => SplitError::Sum.into(),
        })
    }
}
