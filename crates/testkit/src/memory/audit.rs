//! Audit of the in-memory store: every invariant, computed again from the rows.

use std::collections::{BTreeMap, BTreeSet};

use foretell_domain::account::{Account, AccountKind};
use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{Market, Phase};
use foretell_domain::money::Balance;
use foretell_domain::transfer::Transfer;
use foretell_ports::ledger::AuditReport;

use super::count;
use super::tables::Tables;

/// Returns the report on the committed rows.
pub(super) fn report(tables: &Tables) -> AuditReport {
    let mut report = AuditReport {
        accounts: count(tables.accounts.committed().len()),
        transfers: count(tables.transfers.committed().len()),
        markets: count(tables.markets.committed().len()),
        bets: count(tables.bets.committed().len()),
        ..AuditReport::default()
    };
    for row in tables.accounts.committed().values() {
        audit_account(&mut report, tables, &row.account);
    }
    let held = sums_of_positions(tables);
    for row in tables.markets.committed().values() {
        audit_market(&mut report, tables, &held, &row.market);
    }
    let complete = tables
        .settlements
        .committed()
        .values()
        .filter(|row| row.completed_at.is_some() && row.undo.is_none());
    let left = complete.filter(|row| tables.pot(row.market_id).minor() != 0);
    report.unsettled_remainders = count(left.count() + pots_without_market(tables));
    report
}

/// Returns the number of pots that hold money of an absent market.
fn pots_without_market(tables: &Tables) -> usize {
    let accounts = tables.accounts.committed().values().map(|row| &row.account);
    let pots = accounts.filter(|account| account.kind() == AccountKind::Market);
    let mut filled: BTreeSet<_> =
        pots.filter(|pot| pot.balance() != Balance::ZERO).map(Account::id).collect();
    for market in tables.markets.committed().keys() {
        filled.remove(&AccountId::of_market(*market));
    }
    filled.len()
}

fn audit_account(report: &mut AuditReport, tables: &Tables, account: &Account) {
    let id = account.id();
    let versions = tables.account_versions.committed().range((id, i64::MIN)..=(id, i64::MAX));
    let (mut sum, mut last, mut is_chain) = (0_i128, (0_i128, 0_i64), true);
    for (_, transfer) in versions {
        let Some(transfer) = tables.transfers.committed().get(transfer) else { continue };
        let side = transfer.side_of(id);
        sum += signed_amount(transfer, id);
        let balance = i128::from(side.balance_after.minor());
        is_chain &= side.version == last.1 + 1 && balance == last.0 + signed_amount(transfer, id);
        last = (balance, side.version);
    }
    let balance = i128::from(account.balance().minor());
    report.sum_of_balances += balance;
    report.balance_drift += i64::from(balance != sum);
    report.last_row_drift += i64::from((balance, account.version()) != last);
    report.broken_chains += i64::from(!is_chain);
    report.below_floor += i64::from(account.kind() != AccountKind::Treasury && balance < 0);
}

fn signed_amount(transfer: &Transfer, account: AccountId) -> i128 {
    let amount = i128::from(transfer.amount.minor());
    if transfer.debit.account_id == account { -amount } else { amount }
}

/// Sums of a market's positions.
#[derive(Default)]
struct Held {
    shares: BTreeMap<usize, i128>,
    net_by_account: BTreeMap<AccountId, i128>,
}

impl Held {
    fn stakes(&self) -> i128 {
        self.net_by_account.values().map(|net| *net.max(&0)).sum()
    }
}

fn sums_of_positions(tables: &Tables) -> BTreeMap<MarketId, Held> {
    let mut sums: BTreeMap<MarketId, Held> = BTreeMap::new();
    for ((market, account, option), position) in tables.positions.committed() {
        let held = sums.entry(*market).or_default();
        *held.shares.entry(*option).or_default() += i128::from(position.shares.units());
        let net = i128::from(position.spent.minor()) - i128::from(position.received.minor());
        *held.net_by_account.entry(*account).or_default() += net;
    }
    sums
}

fn audit_market(
    report: &mut AuditReport,
    tables: &Tables,
    held: &BTreeMap<MarketId, Held>,
    market: &Market,
) {
    let (id, record) = (market.id(), market.record());
    let takes_part = matches!(record.phase, Phase::Open | Phase::Closed);
    report.uncovered_markets += i64::from(takes_part && !market.is_covered_by(tables.pot(id)));
    let none = Held::default();
    let held = held.get(&id).unwrap_or(&none);
    let is_outstanding = record.options.iter().enumerate().all(|(index, option)| {
        i128::from(option.outstanding.units()) == held.shares.get(&index).copied().unwrap_or(0)
    });
    let bets = tables.bets_by_sequence.committed().range((id, i64::MIN)..=(id, i64::MAX)).count();
    let follows = is_outstanding
        && i128::from(record.stakes.minor()) == held.stakes()
        && record.bet_count == count(bets);
    report.market_drift += i64::from(!follows);
}
