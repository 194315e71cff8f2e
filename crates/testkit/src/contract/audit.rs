//! The audit: no findings for sound data, and one for each kind of inconsistency.
//!
//! Only inconsistencies that the ports allow are tested: only a failure of storage causes a
//! negative balance.

use std::slice::from_ref;

use foretell_domain::account::{Account, AccountRecord};
use foretell_domain::id::AccountId;
use foretell_domain::market::{
    Market, MarketRecord, OptionState, Phase, Settlement, SettlementTerms,
};
use foretell_domain::money::Balance;
use foretell_domain::shares::Shares;
use foretell_domain::transfer::{Side as TransferSide, Transfer, TransferKind};
use foretell_ports::ledger::AuditReport;

use super::Harness;
use super::fixture::{Fixture, Side, Trade, after, lock_market, renumbered};

/// An empty ledger is sound and empty.
pub async fn empty_ledger_is_sound(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    assert_eq!(fixture.ports.ledger.audit().await.unwrap(), AuditReport::default());
}

/// Creates a market with two bets and a sale by two traders.
async fn traded_market(fixture: &Fixture) -> Market {
    let market_id = fixture.market(|market| market.fee_bps(100)).await.market.id();
    let (one, two) = (fixture.funded(5_000).await, fixture.funded(5_000).await);
    for (account, option_index, side, second) in
        [(one, 0, Side::Buy(5_000), 1), (two, 1, Side::Buy(400), 2), (one, 0, Side::SellAll, 3)]
    {
        fixture.trade(Trade { market_id, account, option_index, side, at: after(second) }).await;
    }
    fixture.stored_market(market_id).await.market
}

/// The money writer leaves the ledger sound, and the audit counts the rows.
pub async fn ledger_in_use_is_sound(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = traded_market(&fixture).await;
    let (pot, creator) = (AccountId::of_market(market.id()), market.record().creator_account_id);
    check_sound(&fixture).await;
    decide(&fixture, &market).await;
    check_sound(&fixture).await;
    let left = fixture.stored(pot).await.account.balance().minor();
    fixture
        .transfer(
            [pot, creator],
            fixture.make.order(TransferKind::Remainder, left).about(market.id()),
        )
        .await;
    complete(&fixture, &market).await;
    let report = check_sound(&fixture).await;
    let counts = (report.accounts, report.transfers, report.markets, report.bets);
    assert_eq!(counts, (5, 8, 1, 3));
}

async fn check_sound(fixture: &Fixture) -> AuditReport {
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    report
}

/// Checks that the audit counts one finding of a kind.
async fn check_found(fixture: &Fixture, count: impl FnOnce(&AuditReport) -> i64) {
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert_eq!(count(&report), 1, "{report:?}");
    assert!(!report.is_sound(), "{report:?}");
}

/// Decides a market for its first option, without paying anybody.
async fn decide(fixture: &Fixture, market: &Market) {
    let id = market.id();
    let terms = SettlementTerms::Payouts { basis_points: vec![10_000, 0] };
    let settlement = Settlement::begin(id, terms, market.record().creator_id, after(60));
    fixture
        .alter_market(id, |market| altered(market, |record| record.phase = Phase::Resolved))
        .await;
    fixture
        .commit(move |tx| {
            lock_market(tx, id)?;
            tx.insert_settlement(&settlement)
        })
        .await;
}

/// Marks a settlement as complete.
async fn complete(fixture: &Fixture, market: &Market) {
    let id = market.id();
    fixture
        .commit(move |tx| {
            let market = lock_market(tx, id)?;
            let mut settlement = tx.lock_settlement(&market)?.expect("a settlement");
            settlement.completed_at = Some(after(61));
            tx.save_settlement(&settlement)
        })
        .await;
}

fn altered(market: &Market, change: impl FnOnce(&mut MarketRecord)) -> Market {
    let mut record = market.record().clone();
    change(&mut record);
    Market::restore(record).expect("a market")
}

async fn alter_record(
    fixture: &Fixture,
    account: &Account,
    change: impl Fn(&mut AccountRecord) + Send + 'static,
) {
    fixture
        .alter_account(account.id(), move |account| {
            let mut record = *account.record();
            change(&mut record);
            *account = Account::restore(record).expect("an account");
        })
        .await;
}

/// Money from nowhere: the sum of balances is not zero, and one balance is not the sum of its
/// transfers.
pub async fn money_from_nowhere_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let account = fixture.funded(100).await;
    alter_record(&fixture, &account, |record| record.balance = Balance::from_minor(107)).await;
    let report = fixture.ports.ledger.audit().await.unwrap();
    let found = (report.sum_of_balances, report.balance_drift, report.last_row_drift);
    assert_eq!(found, (7, 1, 1), "{report:?}");
    assert_eq!(fixture.ports.ledger.sum_balances().await.unwrap(), 7);
    assert!(!report.is_sound());
}

/// The sum of all balances may exceed 64 bits.
pub async fn sum_beyond_64_bits_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for _ in 0..3 {
        let account = fixture.account().await;
        alter_record(&fixture, &account, |record| record.balance = Balance::from_minor(i64::MAX))
            .await;
    }
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert_eq!(report.sum_of_balances, 3 * i128::from(i64::MAX), "{report:?}");
    assert_eq!(fixture.ports.ledger.sum_balances().await.unwrap(), 3 * i128::from(i64::MAX));
    assert_eq!(report.balance_drift, 3, "{report:?}");
}

/// A version without a transfer.
pub async fn version_without_transfer_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let account = fixture.funded(100).await;
    alter_record(&fixture, &account, |record| record.version += 1).await;
    check_found(&fixture, |report| report.last_row_drift).await;
}

/// A transfer that its accounts do not reflect.
pub async fn transfer_without_effect_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (mut from, mut to) = (fixture.funded(100).await, fixture.account().await);
    let transfer = fixture.make.payment(&mut from, &mut to, 5);
    fixture.commit(move |tx| tx.insert_transfers(from_ref(&transfer))).await;
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert_eq!((report.balance_drift, report.last_row_drift), (2, 2), "{report:?}");
    assert_eq!((report.sum_of_balances, report.is_sound()), (0, false), "{report:?}");
}

/// Stores a payment whose credit side `change` has altered, and the accounts after it.
async fn pay_wrongly(fixture: &Fixture, change: impl FnOnce(&mut TransferSide)) {
    let (mut from, mut to) = (fixture.funded(100).await, fixture.account().await);
    let mut record = fixture.make.payment(&mut from, &mut to, 5).into_record();
    change(&mut record.credit);
    let transfer = Transfer::restore(record).expect("a transfer");
    let (debit, credit) = (transfer.debit, transfer.credit);
    fixture.commit(move |tx| tx.insert_transfers(from_ref(&transfer))).await;
    for side in [debit, credit] {
        fixture
            .alter_account(side.account_id, move |account| {
                let (balance, version) = (side.balance_after, side.version);
                let record = AccountRecord { balance, version, ..*account.record() };
                *account = Account::restore(record).expect("an account");
            })
            .await;
    }
}

/// A gap between the versions of an account's transfers.
pub async fn gap_between_versions_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    pay_wrongly(&fixture, |credit| credit.version = 2).await;
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert_eq!((report.broken_chains, report.balance_drift), (1, 0), "{report:?}");
    assert!(!report.is_sound(), "{report:?}");
}

/// A running balance inconsistent with the previous one and the amount.
pub async fn inconsistent_running_balance_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    pay_wrongly(&fixture, |credit| credit.balance_after = Balance::from_minor(6)).await;
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert_eq!(
        (report.broken_chains, report.balance_drift, report.last_row_drift),
        (1, 1, 0),
        "{report:?}"
    );
}

/// An open or closed market whose pot cannot pay the largest payout; decided ones are paying it
/// out.
pub async fn uncovered_market_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = traded_market(&fixture).await;
    let pot = fixture.stored(AccountId::of_market(market.id())).await.account.balance().minor();
    let keep = 1 + fixture.stored_market(market.id()).await.market.record().fees.minor();
    let sides = [AccountId::of_market(market.id()), market.record().creator_account_id];
    let order = fixture.make.order(TransferKind::Remainder, pot - keep).about(market.id());
    fixture.transfer(sides, order).await;
    for phase in [Phase::Open, Phase::Closed] {
        fixture
            .alter_market(market.id(), move |market| altered(market, |record| record.phase = phase))
            .await;
        check_found(&fixture, |report| report.uncovered_markets).await;
    }
    for phase in [Phase::Resolved, Phase::Cancelled] {
        fixture
            .alter_market(market.id(), move |market| altered(market, |record| record.phase = phase))
            .await;
        check_sound(&fixture).await;
    }
}

/// Fees in the pot cannot cover payouts.
pub async fn fees_missing_from_pot_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let id = fixture.market(|market| market.subsidy(10_000)).await.market.id();
    let with_fees = |minor| {
        move |market: &Market| altered(market, |record| record.fees = Balance::from_minor(minor))
    };
    fixture.alter_market(id, with_fees(10_000)).await;
    assert_eq!(fixture.ports.ledger.audit().await.unwrap().uncovered_markets, 0);
    fixture.alter_market(id, with_fees(10_001)).await;
    check_found(&fixture, |report| report.uncovered_markets).await;
}

async fn check_market_drift(
    harness: &dyn Harness,
    change: impl Fn(&mut MarketRecord) + Send + Copy + 'static,
) {
    let fixture = Fixture::open(harness).await;
    let market = traded_market(&fixture).await;
    fixture.alter_market(market.id(), move |market| altered(market, change)).await;
    check_found(&fixture, |report| report.market_drift).await;
}

/// Outstanding shares without a holder.
pub async fn shares_without_holder_are_found(harness: &dyn Harness) {
    check_market_drift(harness, |record| raise_shares(&mut record.options[0])).await;
}

fn raise_shares(option: &mut OptionState) {
    option.outstanding = Shares::new(option.outstanding.units() + 1).expect("shares");
}

/// Stakes without a trader.
pub async fn stakes_without_trader_are_found(harness: &dyn Harness) {
    check_market_drift(harness, |record| {
        record.stakes = Balance::from_minor(record.stakes.minor() + 1);
    })
    .await;
}

/// A wrong number of bets.
pub async fn wrong_count_of_bets_is_found(harness: &dyn Harness) {
    check_market_drift(harness, |record| record.bet_count += 1).await;
}

/// Positions of a market without trades.
pub async fn positions_without_bets_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let id = fixture.market(|market| market).await.market.id();
    let account_id = fixture.account().await.id();
    let mut holding = foretell_domain::market::Holding::empty(id, account_id, 2);
    holding.positions[1].shares = Shares::new(3).expect("shares");
    fixture
        .commit(move |tx| {
            lock_market(tx, id)?;
            tx.save_positions(&[(&holding, 1)])
        })
        .await;
    check_found(&fixture, |report| report.market_drift).await;
}

/// A bet that its market does not count.
pub async fn uncounted_bet_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = traded_market(&fixture).await;
    let page = super::fixture::page(1, 1);
    let mut bet =
        fixture.ports.markets.page_bets(market.id(), page.into()).await.unwrap().rows.remove(0);
    bet.id = fixture.make.ids().bet();
    bet.fill = renumbered(&bet.fill, bet.fill.sequence + 1);
    fixture.commit(move |tx| tx.insert_bets(from_ref(&bet))).await;
    check_found(&fixture, |report| report.market_drift).await;
}

/// Money in the pot of a market whose settlement is complete.
pub async fn remainder_in_settled_pot_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = traded_market(&fixture).await;
    decide(&fixture, &market).await;
    check_sound(&fixture).await;
    complete(&fixture, &market).await;
    check_found(&fixture, |report| report.unsettled_remainders).await;
}

/// A market deleted before its pot is empty.
pub async fn money_of_deleted_market_is_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = fixture.market(|market| market).await.market;
    let (id, creator) = (market.id(), market.record().creator_account_id);
    let left = market.record().subsidy.minor() - 1;
    let give_back = fixture.make.order(TransferKind::Remainder, left).about(id);
    fixture.transfer([AccountId::of_market(id), creator], give_back).await;
    fixture
        .commit(move |tx| lock_market(tx, id).and_then(|market| tx.delete_markets(vec![market])))
        .await;
    check_found(&fixture, |report| report.unsettled_remainders).await;
    let rest = fixture.make.order(TransferKind::Remainder, 1).about(id);
    fixture.transfer([AccountId::of_market(id), creator], rest).await;
    check_sound(&fixture).await;
}
