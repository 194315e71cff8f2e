//! Accounts: their balances, and the lowest balance each may have.

use thiserror::Error;

use crate::id::{AccountId, MarketId, UserId};
use crate::money::{Amount, Balance};
use crate::transfer::TransferError;

/// Maximum money in circulation after a mint: 10^17 minor units.
///
/// No account can hold more than all money, so no balance comes near 2^63 - 1 (9.2 * 10^18),
/// whatever is paid.
pub const MAX_MINTED_MINOR: i64 = 100_000_000_000_000_000;

/// Maximum money in circulation after a sign-up grant or a cover: twice [`MAX_MINTED_MINOR`], so
/// that mints alone never make registration fail.
pub const MAX_CIRCULATION_MINOR: i64 = 2 * MAX_MINTED_MINOR;

/// Purpose of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum AccountKind {
    /// The source of all money; its negative balance is the money in circulation.
    Treasury,
    /// Destination of trading fees.
    Fees,
    /// A user's money.
    User,
    /// The pot of a market.
    Market,
}

impl AccountKind {
    const ALL: [Self; 4] = [Self::Treasury, Self::Fees, Self::User, Self::Market];

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Treasury => "treasury",
            Self::Fees => "fees",
            Self::User => "user",
            Self::Market => "market",
        }
    }

    /// Returns the kind with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Participation of an account in payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum AccountStatus {
    /// Pays and receives.
    Open,
    /// The owner was erased: the account receives only what a market owes it, and pays only
    /// reversals.
    Closed,
}

impl AccountStatus {
    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// Returns the status with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|status| status.as_str() == name)
    }
}

/// A stored account: the unchecked fields of an [`Account`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccountRecord {
    /// Identifier of the account.
    pub id: AccountId,
    /// Purpose.
    pub kind: AccountKind,
    /// Owner; `None` for the treasury, the fees account and every pot.
    pub owner: Option<UserId>,
    /// Participation in payments.
    pub status: AccountStatus,
    /// Balance.
    pub balance: Balance,
    /// Number of transfers to or from the account.
    pub version: i64,
}

/// Invalid stored account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccountRecordError {
    /// Only the treasury may have a negative balance.
    #[error("balance is below the account's minimum")]
    BelowFloor,
    /// User accounts have an owner, other accounts have none.
    #[error("owner does not fit the account's kind")]
    Owner,
    /// A version is the number of transfers, so it is not negative.
    #[error("version is below zero")]
    Version,
}

/// An account whose balance only [`transfer`](crate::transfer::transfer) changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "AccountRecord")
)]
pub struct Account(AccountRecord);

impl TryFrom<AccountRecord> for Account {
    type Error = AccountRecordError;

    fn try_from(record: AccountRecord) -> Result<Self, AccountRecordError> {
        Self::restore(record)
    }
}

impl Account {
    /// Returns the treasury with a balance of zero.
    pub const fn treasury() -> Self {
        Self::empty(AccountId::TREASURY, AccountKind::Treasury, None)
    }

    /// Returns the fees account with a balance of zero.
    pub const fn fees() -> Self {
        Self::empty(AccountId::FEES, AccountKind::Fees, None)
    }

    /// Returns a user's account with a balance of zero.
    pub const fn user(id: AccountId, owner: UserId) -> Self {
        Self::empty(id, AccountKind::User, Some(owner))
    }

    /// Returns a market's pot with a balance of zero.
    pub const fn pot(market: MarketId) -> Self {
        Self::empty(AccountId::of_market(market), AccountKind::Market, None)
    }

    const fn empty(id: AccountId, kind: AccountKind, owner: Option<UserId>) -> Self {
        let (status, balance) = (AccountStatus::Open, Balance::ZERO);
        Self(AccountRecord { id, kind, owner, status, balance, version: 0 })
    }

    /// Checks a stored account.
    ///
    /// # Errors
    /// The [`AccountRecordError`] of the rule that the record breaks.
    pub fn restore(record: AccountRecord) -> Result<Self, AccountRecordError> {
        if record.kind != AccountKind::Treasury && record.balance < Balance::ZERO {
            return Err(AccountRecordError::BelowFloor);
        }
        if (record.kind == AccountKind::User) != record.owner.is_some() {
            return Err(AccountRecordError::Owner);
        }
        if record.version < 0 {
            return Err(AccountRecordError::Version);
        }
        Ok(Self(record))
    }

    /// Returns the fields, for storage.
    pub const fn record(&self) -> &AccountRecord {
        &self.0
    }

    /// Returns the identifier.
    pub const fn id(&self) -> AccountId {
        self.0.id
    }

    /// Returns the purpose of the account.
    pub const fn kind(&self) -> AccountKind {
        self.0.kind
    }

    /// Returns the owner of a user's account.
    pub const fn owner(&self) -> Option<UserId> {
        self.0.owner
    }

    /// Returns the balance.
    pub const fn balance(&self) -> Balance {
        self.0.balance
    }

    /// Returns the number of transfers so far; each transfer stores the next number on its side.
    pub const fn version(&self) -> i64 {
        self.0.version
    }

    /// Returns `true` if the account still takes part in payments.
    pub const fn is_open(&self) -> bool {
        matches!(self.0.status, AccountStatus::Open)
    }

    /// Closes the account; its balance stays in it.
    #[must_use]
    pub const fn close(mut self) -> Self {
        self.0.status = AccountStatus::Closed;
        self
    }

    /// Returns the account after it pays `amount`. The treasury can pay until `circulation_limit`
    /// minor units are in circulation; every other account can pay down to a balance of zero.
    pub(crate) fn debited(
        mut self,
        amount: Amount,
        circulation_limit: i64,
    ) -> Result<Self, TransferError> {
        let left = self.0.balance.minus(amount);
        if self.0.kind == AccountKind::Treasury {
            let left = left.filter(|left| left.minor() >= -circulation_limit);
            self.0.balance = left.ok_or(TransferError::CirculationLimit)?;
            self.0.version += 1;
            return Ok(self);
        }
        let left = left.ok_or(TransferError::BalanceOutOfRange)?;
        if left < Balance::ZERO {
            let (available, needed) = (self.0.balance, amount);
            return Err(TransferError::InsufficientFunds { available, needed });
        }
        self.0.balance = left;
        self.0.version += 1;
        Ok(self)
    }

    /// Returns the account after it receives `amount`.
    pub(crate) fn credited(mut self, amount: Amount) -> Result<Self, TransferError> {
        self.0.balance = self.0.balance.plus(amount).ok_or(TransferError::BalanceOutOfRange)?;
        self.0.version += 1;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut AccountRecord), expected: Result<(), AccountRecordError>) {
        let mut record = *Account::user(AccountId::from_u128(7), UserId::from_u128(1)).record();
        change(&mut record);
        assert_eq!(Account::restore(record).map(|_| ()), expected, "{record:?}");
    }

    #[test]
    fn stored_accounts_are_checked() {
        check(|_| (), Ok(()));
        check(|r| r.balance = Balance::from_minor(-1), Err(AccountRecordError::BelowFloor));
        check(|r| r.owner = None, Err(AccountRecordError::Owner));
        check(|r| r.kind = AccountKind::Fees, Err(AccountRecordError::Owner));
        check(|r| r.version = -1, Err(AccountRecordError::Version));
        let overdrawn = |r: &mut AccountRecord| {
            (r.kind, r.owner, r.balance) = (AccountKind::Treasury, None, Balance::from_minor(-1));
        };
        check(overdrawn, Ok(()));
    }
}
