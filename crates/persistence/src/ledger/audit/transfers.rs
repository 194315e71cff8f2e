//! Transfers by kind: the accounts that they may join, and the transfers that reversals reverse.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use foretell_domain::market::Difference;
use foretell_ports::ledger::AuditReport;

use super::rows::{Listed, for_each_row};
use crate::connection::Connection;
use crate::error::Failure;
use crate::id::{DbId, Id};

/// Transfers that their kind does not allow. Both databases find the accounts and the original by
/// primary key.
// A missing account or original makes its conditions NULL, which `COALESCE` counts as a misfit.
const MISFITS: &str =
    "SELECT transfers.id AS id, transfers.kind AS kind, debits.kind AS debit_kind,
        credits.kind AS credit_kind
    FROM transfers
    LEFT JOIN accounts AS debits ON debits.id = transfers.debit_account_id
    LEFT JOIN accounts AS credits ON credits.id = transfers.credit_account_id
    LEFT JOIN transfers AS originals ON originals.id = transfers.reversal_of
    WHERE COALESCE(CASE WHEN CASE
        WHEN transfers.kind IN ('mint', 'grant') THEN debits.kind = 'treasury'
            AND credits.kind = 'user' AND transfers.market_id IS NULL
        WHEN transfers.kind = 'cover' THEN debits.kind = 'treasury' AND credits.kind = 'user'
        WHEN transfers.kind = 'burn' THEN debits.kind = 'user' AND credits.kind = 'treasury'
            AND transfers.market_id IS NULL
        WHEN transfers.kind = 'payment' THEN debits.kind = 'user' AND credits.kind = 'user'
            AND transfers.market_id IS NULL
        WHEN transfers.kind IN ('subsidy', 'bet') THEN debits.kind = 'user'
            AND credits.kind = 'market' AND transfers.market_id = transfers.credit_account_id
        WHEN transfers.kind IN ('sale', 'payout', 'refund', 'remainder') THEN debits.kind = 'market'
            AND credits.kind = 'user' AND transfers.market_id = transfers.debit_account_id
        WHEN transfers.kind = 'fee' THEN debits.kind = 'market' AND credits.kind = 'fees'
            AND transfers.market_id = transfers.debit_account_id
        WHEN transfers.kind = 'reversal' THEN CASE
            WHEN originals.kind IN ('mint', 'grant', 'payment', 'burn')
                THEN transfers.market_id IS NULL
            WHEN originals.kind IN ('payout', 'refund', 'fee', 'remainder')
                THEN transfers.market_id = originals.market_id
            END
            AND originals.debit_account_id = transfers.credit_account_id
            AND originals.credit_account_id = transfers.debit_account_id
            AND originals.amount_minor = transfers.amount_minor
        END AND (transfers.kind = 'reversal') = (transfers.reversal_of IS NOT NULL)
        THEN 1 ELSE 0 END, 0) = 0";

#[derive(QueryableByName)]
struct Misfit {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    debit_kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    credit_kind: Option<String>,
}

/// Checks the kinds of all transfers.
pub(super) fn check(
    connection: &mut Connection<'_>,
    report: &mut AuditReport,
) -> Result<(), Failure> {
    for_each_row(connection, MISFITS, |row: Misfit| {
        report.transfer_drift += 1;
        let side = |kind: Option<String>| kind.unwrap_or_else(|| "no".to_owned());
        let stored = format!(
            "{} from {} account to {} account",
            row.kind,
            side(row.debit_kind),
            side(row.credit_kind)
        );
        let expected = "accounts, a market and an original that the kind allows".to_owned();
        let difference = Difference { column: "kind", stored, expected };
        report.list(Listed { table: "transfers", id: row.id }.finding(difference));
        Ok(())
    })
}
