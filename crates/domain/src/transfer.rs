//! Transfers: the only way that money moves from one account to another, all or nothing.

use std::ops::Deref;

use thiserror::Error;

use crate::account::{Account, AccountKind, MAX_CIRCULATION_MINOR, MAX_MINTED_MINOR};
use crate::id::{AccountId, ClientId, MarketId, TransferId};
use crate::money::{Amount, Balance};
use crate::text::Memo;
use crate::time::Timestamp;

/// Purpose of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum TransferKind {
    /// New money for an account, from the treasury.
    Mint,
    /// New money for a new user, from the treasury.
    Grant,
    /// From one user to another.
    Payment,
    /// From a market's creator into its pot, at creation.
    Subsidy,
    /// From a trader into a pot, for shares.
    Bet,
    /// From a pot to a trader, for shares sold.
    Sale,
    /// From a pot to the holder of winning shares.
    Payout,
    /// From the pot of a cancelled market to a trader.
    Refund,
    /// From a settled pot to the fees account.
    Fee,
    /// From the pot of a settled or deleted market to its creator: the remaining balance.
    Remainder,
    /// The money of an earlier transfer, sent back.
    Reversal,
    /// From the treasury to an account that a forced reversal would overdraw: the missing amount.
    Cover,
    /// From an account back to the treasury, by an admin: the reverse of a mint.
    Burn,
}

impl TransferKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Mint,
        Self::Grant,
        Self::Payment,
        Self::Subsidy,
        Self::Bet,
        Self::Sale,
        Self::Payout,
        Self::Refund,
        Self::Fee,
        Self::Remainder,
        Self::Reversal,
        Self::Cover,
        Self::Burn,
    ];

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::Grant => "grant",
            Self::Payment => "payment",
            Self::Subsidy => "subsidy",
            Self::Bet => "bet",
            Self::Sale => "sale",
            Self::Payout => "payout",
            Self::Refund => "refund",
            Self::Fee => "fee",
            Self::Remainder => "remainder",
            Self::Reversal => "reversal",
            Self::Cover => "cover",
            Self::Burn => "burn",
        }
    }

    /// Returns the kind with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns `true` if even a closed account receives the money: what a market owes it, and the
    /// cover of a reversal.
    const fn reaches_closed_accounts(self) -> bool {
        matches!(self, Self::Payout | Self::Refund | Self::Remainder | Self::Cover)
    }

    /// Returns `true` if a closed account may pay the money: an admin takes it back.
    const fn leaves_closed_accounts(self) -> bool {
        matches!(self, Self::Reversal | Self::Burn)
    }

    /// Returns the maximum money in circulation after a transfer of this kind from the treasury.
    const fn circulation_limit(self) -> i64 {
        match self {
            Self::Mint => MAX_MINTED_MINOR,
            _ => MAX_CIRCULATION_MINOR,
        }
    }

    /// Returns `true` if an admin can reverse the transfer alone: transfers of a market cannot.
    const fn is_reversible(self) -> bool {
        matches!(self, Self::Mint | Self::Grant | Self::Payment | Self::Burn)
    }

    /// Returns `true` if a settlement pays holders with it.
    pub const fn pays_holders(self) -> bool {
        matches!(self, Self::Payout | Self::Refund)
    }

    /// Returns `true` if a settlement pays with it, whomever.
    pub const fn settles(self) -> bool {
        matches!(self, Self::Payout | Self::Refund | Self::Fee | Self::Remainder)
    }
}

/// Reason why a transfer is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TransferError {
    /// Both sides are the same account.
    #[error("source and destination are the same account")]
    SelfTransfer,
    /// The account does not exist, or the caller may not see it.
    #[error("account not found: {0}")]
    AccountNotFound(AccountId),
    /// A closed account takes no part in payments.
    #[error("account is closed: {0}")]
    AccountClosed(AccountId),
    /// The balance would fall below its minimum.
    #[error("insufficient funds")]
    InsufficientFunds {
        /// Current balance.
        available: Balance,
        /// Amount required.
        needed: Amount,
    },
    /// The money in circulation would exceed its limit.
    #[error("the money in circulation would exceed its limit")]
    CirculationLimit,
    /// A balance would leave the range of 64 bits.
    #[error("the balance would be out of range")]
    BalanceOutOfRange,
    /// The balance at a moment is final only after the moment has passed.
    #[error("the balance is not final yet at this time")]
    NotFinal {
        /// The latest moment at which balances are final.
        newest: Timestamp,
    },
    /// The transfer does not exist, or the caller may not see it.
    #[error("transfer not found: {0}")]
    NotFound(TransferId),
    /// The account already has a payment with this client id.
    #[error("transfer already exists: {0}")]
    Duplicate(ClientId),
    /// A transfer can be reversed only once.
    #[error("transfer is already reversed: {0}")]
    AlreadyReversed(TransferId),
    /// Transfers of a market, such as bets and payouts, are not reversible; reversals are final.
    #[error("a transfer of kind {} cannot be reversed", kind.as_str())]
    NotReversible {
        /// Purpose of the transfer.
        kind: TransferKind,
    },
    /// Another transfer of the same atomic batch was rejected.
    #[error("another transfer of the batch was refused")]
    BatchAborted,
}

/// Amount and purpose of a transfer; the accounts are arguments of [`transfer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferOrder {
    /// Identifier of the transfer.
    pub id: TransferId,
    /// Identifier chosen by the owner of the paying account.
    pub client_id: Option<ClientId>,
    /// Purpose.
    pub kind: TransferKind,
    /// Amount.
    pub amount: Amount,
    /// Market concerned.
    pub market_id: Option<MarketId>,
    /// Transfer that this one reverses.
    pub reversal_of: Option<TransferId>,
    /// Note of the sender.
    pub memo: Option<Memo>,
    /// Time of the transfer.
    pub at: Timestamp,
}

impl TransferOrder {
    /// Creates an order without a market and without a note.
    pub const fn new(id: TransferId, kind: TransferKind, amount: Amount, at: Timestamp) -> Self {
        Self {
            id,
            client_id: None,
            kind,
            amount,
            market_id: None,
            reversal_of: None,
            memo: None,
            at,
        }
    }

    /// Sets the market concerned.
    #[must_use]
    pub const fn about(mut self, market: MarketId) -> Self {
        self.market_id = Some(market);
        self
    }
}

/// One side of a transfer: the account right after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Side {
    /// Identifier of the account.
    pub account_id: AccountId,
    /// Balance of the account after the transfer.
    pub balance_after: Balance,
    /// Version of the account after the transfer: its first transfer is 1, without gaps.
    pub version: i64,
}

impl Side {
    const fn of(account: &Account) -> Self {
        Self {
            account_id: account.id(),
            balance_after: account.balance(),
            version: account.version(),
        }
    }
}

/// A stored transfer: the unchecked fields of a [`Transfer`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TransferRecord {
    /// Identifier of the transfer.
    pub id: TransferId,
    /// Identifier chosen by the owner of the paying account.
    pub client_id: Option<ClientId>,
    /// Purpose.
    pub kind: TransferKind,
    /// Amount.
    pub amount: Amount,
    /// Paying account.
    pub debit: Side,
    /// Receiving account.
    pub credit: Side,
    /// Market concerned.
    pub market_id: Option<MarketId>,
    /// Transfer that this one reverses.
    pub reversal_of: Option<TransferId>,
    /// Note of the sender.
    pub memo: Option<Memo>,
    /// Execution time.
    pub created_at: Timestamp,
}

/// Invalid stored transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransferRecordError {
    /// Both sides are the same account.
    #[error("source and destination are the same account")]
    SelfTransfer,
    /// A version of the paying account is a number of transfers, so it is at least 1.
    #[error("version of the paying account is below one")]
    DebitVersion,
    /// A version of the receiving account is a number of transfers, so it is at least 1.
    #[error("version of the receiving account is below one")]
    CreditVersion,
}

/// An executed transfer: an immutable row of the ledger. Only [`transfer`] makes a new one, and
/// only [`Self::restore`] one from storage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "TransferRecord")
)]
pub struct Transfer(TransferRecord);

impl Transfer {
    /// Checks a stored transfer. Its balances are checked by the audit of the ledger, since they
    /// depend on other rows.
    ///
    /// # Errors
    /// The [`TransferRecordError`] of the rule that the record breaks.
    pub fn restore(record: TransferRecord) -> Result<Self, TransferRecordError> {
        if record.debit.account_id == record.credit.account_id {
            return Err(TransferRecordError::SelfTransfer);
        }
        if record.debit.version < 1 {
            return Err(TransferRecordError::DebitVersion);
        }
        if record.credit.version < 1 {
            return Err(TransferRecordError::CreditVersion);
        }
        Ok(Self(record))
    }

    /// Returns the fields.
    pub fn into_record(self) -> TransferRecord {
        self.0
    }

    /// Returns the side of an account that takes part in the transfer: the credit side unless it is
    /// the debit side.
    pub fn side_of(&self, account: AccountId) -> &Side {
        if self.debit.account_id == account { &self.debit } else { &self.credit }
    }
}

impl Deref for Transfer {
    type Target = TransferRecord;

    fn deref(&self) -> &TransferRecord {
        &self.0
    }
}

impl TryFrom<TransferRecord> for Transfer {
    type Error = TransferRecordError;

    fn try_from(record: TransferRecord) -> Result<Self, TransferRecordError> {
        Self::restore(record)
    }
}

/// Moves money from `debit` to `credit`; on an error neither account changes.
///
/// # Errors
/// [`TransferError::SelfTransfer`], [`TransferError::AccountClosed`] (a closed account still
/// receives what a market owes it, and a reversal still takes money out of it),
/// [`TransferError::InsufficientFunds`] below zero, [`TransferError::CirculationLimit`] if the
/// treasury would put more money into circulation than [`MAX_MINTED_MINOR`] (mints) or
/// [`MAX_CIRCULATION_MINOR`], [`TransferError::BalanceOutOfRange`].
pub fn transfer(
    debit: &mut Account,
    credit: &mut Account,
    order: TransferOrder,
) -> Result<Transfer, TransferError> {
    if debit.id() == credit.id() {
        return Err(TransferError::SelfTransfer);
    }
    if !debit.is_open() && !order.kind.leaves_closed_accounts() {
        return Err(TransferError::AccountClosed(debit.id()));
    }
    if !credit.is_open() && !order.kind.reaches_closed_accounts() {
        return Err(TransferError::AccountClosed(credit.id()));
    }
    let debited = debit.debited(order.amount, order.kind.circulation_limit())?;
    let credited = credit.credited(order.amount)?;
    (*debit, *credit) = (debited, credited);
    Ok(Transfer(TransferRecord {
        id: order.id,
        client_id: order.client_id,
        kind: order.kind,
        amount: order.amount,
        debit: Side::of(debit),
        credit: Side::of(credit),
        market_id: order.market_id,
        reversal_of: order.reversal_of,
        memo: order.memo,
        created_at: order.at,
    }))
}

/// Returns the order that sends `original` back, from its credit side to its debit side.
///
/// # Errors
/// [`TransferError::NotReversible`] for transfers of a market, for reversals and for covers.
pub fn reversal(
    original: &Transfer,
    id: TransferId,
    at: Timestamp,
) -> Result<TransferOrder, TransferError> {
    if !original.kind.is_reversible() {
        return Err(TransferError::NotReversible { kind: original.kind });
    }
    let order = TransferOrder::new(id, TransferKind::Reversal, original.amount, at);
    Ok(TransferOrder { reversal_of: Some(original.id), ..order })
}

/// Returns the order that sends a payment of a settlement back into the pot, when the settlement is
/// undone. `None` for any other transfer: it cannot be sent back alone.
pub fn reversal_of_payment(
    payment: &Transfer,
    id: TransferId,
    at: Timestamp,
) -> Option<TransferOrder> {
    let market_id = payment.market_id.filter(|_| payment.kind.settles())?;
    let order = TransferOrder::new(id, TransferKind::Reversal, payment.amount, at);
    Some(TransferOrder { reversal_of: Some(payment.id), ..order.about(market_id) })
}

/// Returns the amount that `account` lacks to pay `amount`. The treasury covers it when a reversal
/// is forced, so that no balance falls below its minimum. `None` if it lacks nothing.
pub fn shortfall(account: &Account, amount: Amount) -> Option<Amount> {
    if account.kind() == AccountKind::Treasury {
        return None;
    }
    Amount::new(amount.minor().saturating_sub(account.balance().minor())).ok()
}

#[cfg(test)]
mod tests;
