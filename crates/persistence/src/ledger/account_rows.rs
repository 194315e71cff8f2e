//! Rows of the table `accounts`.

use diesel::prelude::*;
use foretell_domain::account::{Account, AccountKind, AccountRecord, AccountStatus};
use foretell_domain::id::UserId;
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_ports::ledger::AccountDetails;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::accounts;

#[derive(Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub(crate) struct AccountRow {
    pub(crate) id: DbId,
    pub(crate) kind: String,
    pub(crate) owner_id: Option<DbId>,
    pub(crate) status: String,
    pub(crate) balance_minor: i64,
    pub(crate) version: i64,
    pub(crate) created_at_us: i64,
}

impl TryFrom<AccountRow> for AccountDetails {
    type Error = Failure;

    fn try_from(row: AccountRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "accounts", id: row.id };
        let record = AccountRecord {
            id: row.id.into(),
            kind: stored.named("kind", AccountKind::from_name(&row.kind))?,
            owner: row.owner_id.map(UserId::from),
            status: stored.named("status", AccountStatus::from_name(&row.status))?,
            balance: Balance::from_minor(row.balance_minor),
            version: row.version,
        };
        let account = stored.convert("balance_minor", Account::restore(record))?;
        Ok(Self { account, created_at: stored.time("created_at_us", row.created_at_us)? })
    }
}

/// Inserted and saved columns of an account.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub(crate) struct NewAccountRow {
    pub(crate) id: DbId,
    pub(crate) kind: &'static str,
    pub(crate) owner_id: Option<DbId>,
    pub(crate) status: &'static str,
    pub(crate) balance_minor: i64,
    pub(crate) version: i64,
    pub(crate) created_at_us: i64,
}

impl NewAccountRow {
    pub(crate) fn new(account: &Account, at: Timestamp) -> Self {
        let record = account.record();
        Self {
            id: record.id.into(),
            kind: record.kind.as_str(),
            owner_id: record.owner.map(DbId::from),
            status: record.status.as_str(),
            balance_minor: record.balance.minor(),
            version: record.version,
            created_at_us: at.micros(),
        }
    }
}
