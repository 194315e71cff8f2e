//! Request types of payments, and response types of transfers.

use foretell_application::Caller;
use foretell_application::writer::Payment;
use foretell_domain::id::{AccountId, ClientId, MarketId, TransferId};
use foretell_domain::money::Currency;
use foretell_domain::policy;
use foretell_domain::text::Memo;
use foretell_domain::transfer::{Side, Transfer, TransferError};
use foretell_domain::user::Role;
use foretell_ports::ledger::TransferDetails;
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::{AmountText, Money, is_amount};
use super::parsed::{Parsed, if_valid, optional, required};
use super::text::Text;
use super::time::Time;
use crate::extract::{RequestContext, RequestDto};
use crate::openapi::names::Id;
use crate::validation::{FieldErrorCode, invalid};

/// A payment requested by a client.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "fromAccountId": "019a0000-0000-7000-8000-000000000001",
    "toAccountId": "019a0000-0000-7000-8000-000000000002",
    "amount": "12.50",
    "memo": "Thanks",
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentBody {
    /// Identifier unique among your own payments; other users may choose the same. `id` is accepted
    /// as its older name.
    #[garde(dive)]
    #[serde(alias = "id")]
    #[schema(value_type = Option<Id>)]
    client_id: Option<Parsed<ClientId>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = Id)]
    from_account_id: Option<Parsed<AccountId>>,
    #[garde(required, dive, custom(if_valid(differs_from(self.from_account_id.as_ref()))))]
    #[schema(required = true, value_type = Id)]
    to_account_id: Option<Parsed<AccountId>>,
    #[garde(required, dive, custom(if_valid(is_amount)))]
    #[schema(required = true, value_type = AmountText)]
    amount: Option<Parsed<AmountText>>,
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    memo: Option<Parsed<Memo>>,
}

/// Rejects a payment to the paying account. The ledger rejects it too, but only after the other
/// fields were found valid.
fn differs_from(
    payer: Option<&Parsed<AccountId>>,
) -> impl FnOnce(&AccountId, &RequestContext) -> garde::Result {
    move |to, _| match payer.and_then(Parsed::valid) {
        Some(from) if from == to => {
            Err(invalid(FieldErrorCode::Invalid, TransferError::SelfTransfer))
        }
        _ => Ok(()),
    }
}

impl RequestDto for PaymentBody {
    type Input = Payment;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Payment {
        valid.into_inner().into_payment(context)
    }
}

impl PaymentBody {
    /// Converts a validated payment.
    pub(crate) fn into_payment(self, context: &RequestContext) -> Payment {
        Payment {
            client_id: optional(self.client_id),
            from: required(self.from_account_id),
            to: required(self.to_account_id),
            amount: required(self.amount).to_amount(context),
            memo: optional(self.memo),
        }
    }
}

/// Sides of a transfer whose balances the reader may see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible {
    debit: bool,
    credit: bool,
}

impl Visible {
    /// Both sides, for admins.
    pub(crate) const BOTH: Self = Self { debit: true, credit: true };

    /// Returns the side of this account, for readers who may see it alone.
    pub(crate) fn to_account(account: AccountId, transfer: &Transfer) -> Self {
        let [debit, credit] =
            [&transfer.debit, &transfer.credit].map(|side| side.account_id == account);
        Self { debit, credit }
    }

    /// Returns the sides visible to a reader of this account.
    pub(crate) fn to_holder_of(account: AccountId, caller: &Caller, transfer: &Transfer) -> Self {
        let sees = |side: &Side| {
            caller.user.role == Role::Admin
                || side.account_id == account
                || side.account_id == caller.account_id
        };
        Self { debit: sees(&transfer.debit), credit: sees(&transfer.credit) }
    }

    /// Returns the sides visible to a reader of the transfer.
    pub(crate) fn to_reader_of(details: &TransferDetails, caller: &Caller) -> Self {
        let actor = caller.actor();
        Self {
            debit: policy::can_see_account(actor, details.debit_owner),
            credit: policy::can_see_account(actor, details.credit_owner),
        }
    }
}

/// An executed transfer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferView<'a> {
    #[schema(value_type = Id)]
    id: Text<TransferId>,
    /// The id that the payer chose. Only the payer and admins see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    client_id: Option<Text<ClientId>>,
    status: &'static str,
    kind: &'static str,
    amount: Money,
    currency: &'a str,
    from: SideView,
    to: SideView,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    market_id: Option<Text<MarketId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    reversal_of: Option<Text<TransferId>>,
    created_at: Time,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SideView {
    #[schema(value_type = Id)]
    account_id: Text<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Money>,
}

impl<'a> TransferView<'a> {
    /// Creates the response for a transfer, with the visible balances right after it.
    pub(crate) fn new(transfer: &'a Transfer, currency: &'a Currency, visible: Visible) -> Self {
        let side = |side: &Side, is_visible: bool| SideView {
            account_id: Text(side.account_id),
            balance: is_visible.then(|| Money::new(currency, side.balance_after.minor())),
        };
        Self {
            id: Text(transfer.id),
            client_id: transfer.client_id.filter(|_| visible.debit).map(Text),
            status: "completed",
            kind: transfer.kind.as_str(),
            amount: Money::new(currency, transfer.amount.minor()),
            currency: currency.code(),
            from: side(&transfer.debit, visible.debit),
            to: side(&transfer.credit, visible.credit),
            memo: transfer.memo.as_ref().map(Memo::as_str),
            market_id: transfer.market_id.map(Text),
            reversal_of: transfer.reversal_of.map(Text),
            created_at: Time(transfer.created_at),
        }
    }
}
