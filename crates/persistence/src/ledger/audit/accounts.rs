//! The chain of each account's transfers: versions from 1 without gaps, each balance consistent
//! with the previous one, and the last one equal to the account's.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use foretell_domain::market::Difference;
use foretell_ports::ledger::AuditReport;

use super::rows::{Listed, for_each_row};
use crate::connection::Connection;
use crate::error::Failure;
use crate::id::{DbId, Id};

/// Both sides of all transfers by account and version, followed by the account itself. This is the
/// order of three indexes, so neither database needs to sort.
const SIDES: &str = "SELECT id, credit_account_id AS account_id, credit_version AS place,
        credit_version AS version, credit_balance_minor AS balance_minor,
        amount_minor AS change_minor,
        0 AS is_account FROM transfers
    UNION ALL SELECT id, debit_account_id, debit_version, debit_version, debit_balance_minor,
        -amount_minor, 0 FROM transfers
    UNION ALL SELECT id, id, 9223372036854775807, version, balance_minor, 0, 1 FROM accounts
    ORDER BY account_id, place";

#[derive(QueryableByName)]
struct SideRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Id)]
    account_id: DbId,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    balance_minor: i64,
    #[diesel(sql_type = BigInt)]
    change_minor: i64,
    #[diesel(sql_type = Integer)]
    is_account: i32,
}

/// The transfers of one account so far.
#[derive(Default)]
struct Chain {
    account_id: Option<DbId>,
    sum: i128,
    version: i64,
    balance: i64,
    is_broken: bool,
    has_account: bool,
}

/// Checks the chains of all accounts.
pub(super) fn check(
    connection: &mut Connection<'_>,
    report: &mut AuditReport,
) -> Result<(), Failure> {
    // Before the first row there is no account that could be missing.
    let mut chain = Chain { has_account: true, ..Chain::default() };
    for_each_row(connection, SIDES, |row: SideRow| {
        if chain.account_id != Some(row.account_id) {
            chain.end(report);
            chain = Chain { account_id: Some(row.account_id), ..Chain::default() };
        }
        if row.is_account == 1 {
            chain.check_account(&row, report);
        } else {
            chain.add(&row, report);
        }
        Ok(())
    })?;
    chain.end(report);
    Ok(())
}

impl Chain {
    fn add(&mut self, row: &SideRow, report: &mut AuditReport) {
        let balance = i128::from(self.balance) + i128::from(row.change_minor);
        let version = Difference::between("version", row.version, self.version.saturating_add(1));
        let balance = Difference::between("balance_minor", i128::from(row.balance_minor), balance);
        if let Some(difference) = version.or(balance) {
            self.is_broken = true;
            report.list(Listed { table: "transfers", id: row.id }.finding(difference));
        }
        // Independent of the chain, which may be broken although the sum is right.
        self.sum += i128::from(row.change_minor);
        // Continues with the stored values, so that one damaged row is one finding and not one for
        // each row after it.
        (self.version, self.balance) = (row.version, row.balance_minor);
    }

    fn check_account(&mut self, row: &SideRow, report: &mut AuditReport) {
        self.has_account = true;
        let sum = Difference::between("balance_minor", i128::from(row.balance_minor), self.sum);
        let balance = Difference::between("balance_minor", row.balance_minor, self.balance);
        let version = Difference::between("version", row.version, self.version);
        report.balance_drift += i64::from(sum.is_some());
        report.last_row_drift += i64::from(balance.is_some() || version.is_some());
        let listed = Listed { table: "accounts", id: row.account_id };
        for difference in sum.or(balance).into_iter().chain(version) {
            report.list(listed.finding(difference));
        }
    }

    /// Counts the chain, and reports an account that its transfers reference but that does not
    /// exist.
    fn end(&self, report: &mut AuditReport) {
        report.broken_chains += i64::from(self.is_broken);
        if let Some(id) = self.account_id.filter(|_| !self.has_account) {
            report.balance_drift += i64::from(self.sum != 0);
            report.last_row_drift += 1;
            let missing = Difference::between("id", "missing", "an account of these transfers");
            report
                .findings
                .extend(missing.map(|missing| Listed { table: "accounts", id }.finding(missing)));
        }
    }
}
