//! Response types of accounts.

use foretell_domain::id::{AccountId, UserId};
use foretell_domain::money::Currency;
use foretell_ports::ledger::AccountDetails;
use serde::Serialize;
use utoipa::ToSchema;

use super::money::Money;
use super::text::Text;
use super::time::Time;
use crate::openapi::names::Id;

/// An account, for callers who may see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountView<'a> {
    #[schema(value_type = Id)]
    id: Text<AccountId>,
    kind: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    owner_id: Option<Text<UserId>>,
    balance: Money,
    currency: &'a str,
    version: i64,
    created_at: Time,
}

impl<'a> AccountView<'a> {
    /// Creates the response from an account's details.
    pub(crate) fn new(details: &AccountDetails, currency: &'a Currency) -> Self {
        let record = details.account.record();
        Self {
            id: Text(record.id),
            kind: record.kind.as_str(),
            status: record.status.as_str(),
            owner_id: record.owner.map(Text),
            balance: Money::new(currency, record.balance.minor()),
            currency: currency.code(),
            version: record.version,
            created_at: Time(details.created_at),
        }
    }
}
