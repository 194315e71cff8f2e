//! Domain errors in responses: the message, and its details.

use std::fmt::Display;

use foretell_domain::error::DomainError;
use foretell_domain::market::{Guard, MarketError};
use foretell_domain::money::Currency;
use foretell_domain::quota::QuotaExceeded;
use foretell_domain::transfer::TransferError;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ErrorCode, VALIDATION_FAILED};
use crate::dto::money::Money;
use crate::dto::time::Time;
use crate::validation::{FieldError, FieldErrorCode};

/// Details of a domain error.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Facts {
    /// Available and needed amounts.
    #[serde(rename_all = "camelCase")]
    Shortage {
        /// Available amount.
        available: Money,
        /// Needed amount.
        needed: Money,
    },
    /// Latest time that can be requested.
    #[serde(rename_all = "camelCase")]
    Moment {
        /// Latest time at which balances are final.
        newest_final: Time,
    },
    /// Latest end date.
    #[serde(rename_all = "camelCase")]
    EndDate {
        /// Latest end date of the market.
        latest_end_date: Time,
    },
    /// The quota that is exhausted.
    #[serde(rename_all = "camelCase")]
    Quota {
        /// Name of the quota.
        quota: &'static str,
        /// Limit per user.
        limit: u32,
    },
    /// The limit of an order that was not met.
    #[serde(rename_all = "camelCase")]
    Limit {
        /// Field of the order.
        limit: &'static str,
        /// Result that the order would have had.
        #[serde(skip_serializing_if = "Option::is_none")]
        offered: Option<Money>,
    },
}

/// A domain error as one result in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refused {
    code: &'static str,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<RefusedDetails>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum RefusedDetails {
    Facts(Facts),
    FieldErrors([FieldError; 1]),
}

impl Refused {
    /// Creates the result with the code, the message and the details of the error.
    pub(crate) fn new(refusal: &DomainError, currency: &Currency) -> Self {
        let code = ErrorCode::from(refusal.code());
        if code == ErrorCode::ValidationError {
            let details = Some(RefusedDetails::FieldErrors([field_error_of(refusal, currency)]));
            return Self { code: code.as_str(), error: VALIDATION_FAILED.to_owned(), details };
        }
        let details = facts(refusal, currency).map(RefusedDetails::Facts);
        Self { code: code.as_str(), error: sentence(refusal), details }
    }
}

/// Returns the details of a domain error, if it has any besides its message.
pub(crate) fn facts(refusal: &DomainError, currency: &Currency) -> Option<Facts> {
    let money = |minor| Money::new(currency, minor);
    match refusal {
        DomainError::Transfer(TransferError::InsufficientFunds { available, needed }) => {
            Some(Facts::Shortage {
                available: money(available.minor()),
                needed: money(needed.minor()),
            })
        }
        DomainError::Transfer(TransferError::NotFinal { newest }) => {
            Some(Facts::Moment { newest_final: Time(*newest) })
        }
        DomainError::Market(MarketError::EndsTooLate { latest }) => {
            Some(Facts::EndDate { latest_end_date: Time(*latest) })
        }
        DomainError::Market(MarketError::InsufficientShares { available, needed }) => {
            Some(Facts::Shortage {
                available: money(available.units()),
                needed: money(needed.units()),
            })
        }
        DomainError::Market(MarketError::Slippage(guard)) => Some(match guard {
            Guard::MinShares(shares) => {
                Facts::Limit { limit: "minShares", offered: Some(money(shares.units())) }
            }
            Guard::MinProceeds(amount) => {
                Facts::Limit { limit: "minProceeds", offered: Some(money(amount.minor())) }
            }
            Guard::MaxPrice => Facts::Limit { limit: "maxPrice", offered: None },
        }),
        DomainError::Quota(QuotaExceeded { quota, limit }) => {
            Some(Facts::Quota { quota: quota.as_str(), limit: *limit })
        }
        _ => None,
    }
}

/// Converts a domain error to a validation error of the responsible field.
pub(crate) fn field_error_of(refusal: &DomainError, currency: &Currency) -> FieldError {
    if let DomainError::Market(MarketError::SubsidyTooSmall { min }) = refusal {
        let message = format!("must be at least {}", Money::new(currency, min.minor()));
        return FieldError { field: "subsidy".to_owned(), message, code: FieldErrorCode::Range };
    }
    let field = match refusal {
        DomainError::Transfer(TransferError::SelfTransfer) => "toAccountId",
        DomainError::Market(MarketError::EndsInThePast) => "endDate",
        DomainError::Market(MarketError::SomeProbabilities | MarketError::Probabilities(_))
        | DomainError::MarketTexts(_) => "options",
        DomainError::Market(MarketError::Split(_)) => "split",
        DomainError::Money(_) => "amount",
        DomainError::Webhook(_) => "url",
        _ => "",
    };
    FieldError {
        field: field.to_owned(),
        message: refusal.to_string(),
        code: FieldErrorCode::Invalid,
    }
}

/// Returns the message of an error, starting with a capital.
pub(crate) fn sentence(error: &impl Display) -> String {
    let mut text = error.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use foretell_domain::id::MarketId;

    use super::*;

    #[test]
    fn sentences_begin_with_a_capital() {
        let error = DomainError::Market(MarketError::NotFound(MarketId::from_u128(0)));
        assert_eq!(sentence(&error), "Market not found: 00000000-0000-0000-0000-000000000000");
        assert_eq!(sentence(&"émile"), "émile");
    }
}
