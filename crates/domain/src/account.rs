//! Accounts: what each holds and how low it may go.

use thiserror::Error;

use crate::id::{AccountId, MarketId, UserId};
use crate::money::{Amount, Balance};
use crate::transfer::TransferError;

/// The most money that may be in circulation after a mint: 10^17 minor units.
///
/// No account can hold more than all money, so no balance comes near 2^63 - 1 (9.2 * 10^18), whatever is paid.
pub const MAX_MINTED_MINOR: i64 = 100_000_000_000_000_000;

/// The most money that may be in circulation after a sign-up grant or a cover: twice [`MAX_MINTED_MINOR`], so
/// that mints alone never make registration fail.
pub const MAX_CIRCULATION_MINOR: i64 = 2 * MAX_MINTED_MINOR;

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// The source of all money; its negative balance is the money in circulation.
    Treasury,
    /// Where trading fees end.
    Fees,
    /// A user's money.
    User,
    /// A market's pot.
    Market,
}

impl AccountKind {
    const ALL: [Self; 4] = [Self::Treasury, Self::Fees, Self::User, Self::Market];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Treasury => "treasury",
            Self::Fees => "fees",
            Self::User => "user",
            Self::Market => "market",
        }
    }

    /// The kind of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whether an account still takes part in payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    /// Pays and is paid.
    Open,
    /// Its owner is gone: it receives only what a market owes it, and pays only what a reversal sends back.
    Closed,
}

impl AccountStatus {
    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// The status of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|status| status.as_str() == name)
    }
}

/// An account as storage holds it: the parts of an [`Account`], not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRecord {
    /// Names the account.
    pub id: AccountId,
    /// What it is for.
    pub kind: AccountKind,
    /// Whose it is; `None` for the treasury, the fees and every pot.
    pub owner: Option<UserId>,
    /// Whether it still takes part in payments.
    pub status: AccountStatus,
    /// What it holds.
    pub balance: Balance,
    /// How many transfers have touched it.
    pub version: i64,
}

/// A stored account that breaks a rule of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccountRecordError {
    /// Only the treasury may be below zero.
    #[error("balance is below the account's floor")]
    BelowFloor,
    /// Exactly the users' accounts have owners.
    #[error("owner does not fit the account's kind")]
    Owner,
    /// A version counts transfers.
    #[error("version is below zero")]
    Version,
}

/// An account whose balance only [`transfer`](crate::transfer::transfer) changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account(AccountRecord);

impl Account {
    /// The treasury, empty.
    pub const fn treasury() -> Self {
        Self::empty(AccountId::TREASURY, AccountKind::Treasury, None)
    }

    /// The account for fees, empty.
    pub const fn fees() -> Self {
        Self::empty(AccountId::FEES, AccountKind::Fees, None)
    }

    /// A user's account, empty.
    pub const fn user(id: AccountId, owner: UserId) -> Self {
        Self::empty(id, AccountKind::User, Some(owner))
    }

    /// A market's pot, empty.
    pub const fn pot(market: MarketId) -> Self {
        Self::empty(AccountId::of_market(market), AccountKind::Market, None)
    }

    const fn empty(id: AccountId, kind: AccountKind, owner: Option<UserId>) -> Self {
        let (status, balance) = (AccountStatus::Open, Balance::ZERO);
        Self(AccountRecord { id, kind, owner, status, balance, version: 0 })
    }

    /// The account that storage holds.
    ///
    /// # Errors
    /// The rule of [`AccountRecordError`] that the record breaks.
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

    /// The parts, for storage.
    pub const fn record(&self) -> &AccountRecord {
        &self.0
    }

    /// Names the account.
    pub const fn id(&self) -> AccountId {
        self.0.id
    }

    /// What the account is for.
    pub const fn kind(&self) -> AccountKind {
        self.0.kind
    }

    /// Whose it is, if a user's.
    pub const fn owner(&self) -> Option<UserId> {
        self.0.owner
    }

    /// What it holds.
    pub const fn balance(&self) -> Balance {
        self.0.balance
    }

    /// How many transfers have touched it; each leaves the next number on its side of the row.
    pub const fn version(&self) -> i64 {
        self.0.version
    }

    /// Whether it still takes part in payments.
    pub const fn is_open(&self) -> bool {
        matches!(self.0.status, AccountStatus::Open)
    }

    /// The same account, closed; its money stays in it.
    #[must_use]
    pub const fn close(mut self) -> Self {
        self.0.status = AccountStatus::Closed;
        self
    }

    /// The account after paying `amount`. The treasury pays until `circulation_limit` minor units are in
    /// circulation, all others until they hold nothing.
    pub(crate) fn debited(mut self, amount: Amount, circulation_limit: i64) -> Result<Self, TransferError> {
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

    /// The account after receiving `amount`.
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
