//! Transfers: immutable rows, found by id and paged by account.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::slice::from_ref;

use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, ClientId, TransferId};
use foretell_domain::text::Memo;
use foretell_domain::transfer::{Transfer, TransferKind, TransferOrder, TransferRecord, reversal};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, after, move_money, page};
use crate::clock::START;

/// A transfer is returned with every field, to units and to queries, with the owners of its
/// accounts.
pub async fn transfers_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (from, to) = (fixture.funded(1_000).await, fixture.account().await);
    let plain = fixture.make.order(TransferKind::Payment, 1);
    let market_id = Some(fixture.make.ids().market());
    let memo = Some(Memo::new("für \"dich\"; 感谢 🎁").unwrap());
    let noted =
        TransferOrder { market_id, memo, at: after(3), ..fixture.make.order(TransferKind::Bet, 5) };
    for order in [plain, noted] {
        let written = fixture.transfer([from.id(), to.id()], order).await;
        let stored = fixture
            .ports
            .ledger
            .find_transfer(written.id, None)
            .await
            .unwrap()
            .expect("the transfer");
        assert_eq!(stored.transfer, written);
        assert_eq!((stored.debit_owner, stored.credit_owner), (from.owner(), to.owner()));
        let id = written.id;
        assert_eq!(fixture.commit(move |tx| tx.find_transfers(&[id])).await, [written]);
    }
}

/// The sides of the treasury and of pots have no owner.
pub async fn only_users_own_sides(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, fees) = (fixture.funded(10).await, Account::fees());
    fixture.store_account(fees).await;
    let paid = fixture
        .transfer([user.id(), fees.id()], fixture.make.order(TransferKind::Payment, 1))
        .await;
    let stored =
        fixture.ports.ledger.find_transfer(paid.id, None).await.unwrap().expect("the transfer");
    assert_eq!((stored.debit_owner, stored.credit_owner), (user.owner(), None));
}

/// Absent transfers are left out, and not found by a query.
pub async fn absent_transfers_are_left_out(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (from, to) = (fixture.funded(10).await, fixture.account().await);
    let [first, second] = [4, 5].map(|minor| fixture.make.order(TransferKind::Payment, minor));
    let first = fixture.transfer([from.id(), to.id()], first).await;
    let second = fixture.transfer([from.id(), to.id()], second).await;
    let unknown = fixture.make.ids().transfer();
    let ids = [second.id, unknown, first.id];
    let mut found = fixture.commit(move |tx| tx.find_transfers(&ids)).await;
    found.sort_by_key(|transfer| transfer.id);
    assert_eq!(found, [first, second]);
    assert!(fixture.commit(|tx| tx.find_transfers(&[])).await.is_empty());
    assert_eq!(fixture.ports.ledger.find_transfer(unknown, None).await.unwrap(), None);
}

/// Accounts may pay under the same client id, once each, and each finds its own by it.
pub async fn client_ids_of_transfers_are_per_payer(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (payer, other) = (fixture.funded(100).await.id(), fixture.funded(100).await.id());
    let (chosen, unused) = (fixture.make.ids().client(), fixture.make.ids().client());
    let named = || TransferOrder {
        client_id: Some(chosen),
        ..fixture.make.order(TransferKind::Payment, 4)
    };
    let unnamed =
        fixture.transfer([payer, other], fixture.make.order(TransferKind::Payment, 1)).await;
    let own = fixture.transfer([payer, other], named()).await;
    let others = fixture.transfer([other, payer], named()).await;
    let by = async |account| {
        let id = TransferId::from_u128(chosen.as_u128());
        fixture.ports.ledger.find_transfer(id, account).await.unwrap().map(|found| found.transfer)
    };
    assert_eq!(by(Some(payer)).await, Some(own.clone()));
    assert_eq!(by(Some(other)).await, Some(others));
    assert_eq!(by(None).await, None);
    let by_id = fixture.ports.ledger.find_transfer(own.id, Some(other)).await.unwrap();
    assert_eq!(by_id.map(|found| found.transfer), Some(own));
    // A transfer stored before client ids existed may have one as its id.
    let of_before = ClientId::from_u128(unnamed.id.as_u128());
    let asked = [(payer, chosen), (payer, unused), (payer, of_before), (other, of_before)];
    let taken = fixture.commit(move |tx| tx.find_paid_as(&asked)).await;
    assert_eq!(BTreeSet::from_iter(taken), BTreeSet::from([(payer, chosen), (payer, of_before)]));
    let again = named();
    fixture.check_rejected(move |tx| move_money(tx, [payer, other], &again)).await;
}

/// Returns an order that reverses `original`.
fn sent_back(fixture: &Fixture, original: &Transfer) -> TransferOrder {
    reversal(original, fixture.make.ids().transfer(), after(1)).expect("payments can be reversed")
}

/// Reversed transfers are distinguished from others, and a reversal references its original.
pub async fn reversed_transfers_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (from, to) = (fixture.funded(10).await, fixture.account().await);
    let [first, second] = [4, 5].map(|minor| fixture.make.order(TransferKind::Payment, minor));
    let first = fixture.transfer([from.id(), to.id()], first).await;
    let second = fixture.transfer([from.id(), to.id()], second).await;
    let back = fixture.transfer([to.id(), from.id()], sent_back(&fixture, &first)).await;
    let ids = [second.id, first.id, fixture.make.ids().transfer(), back.id];
    assert_eq!(fixture.commit(move |tx| tx.find_reversed(&ids)).await, [first.id]);
    let stored =
        fixture.ports.ledger.find_transfer(back.id, None).await.unwrap().expect("the reversal");
    assert_eq!(stored.transfer.reversal_of, Some(first.id));
}

/// A second reversal of one transfer is rejected.
pub async fn second_reversal_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (from, to) = (fixture.funded(10).await, fixture.funded(10).await);
    let paid =
        fixture.transfer([from.id(), to.id()], fixture.make.order(TransferKind::Payment, 4)).await;
    fixture.transfer([to.id(), from.id()], sent_back(&fixture, &paid)).await;
    let again = sent_back(&fixture, &paid);
    fixture.check_rejected(move |tx| move_money(tx, [to.id(), from.id()], &again)).await;
    assert_eq!(fixture.stored(to.id()).await.account.balance().minor(), 10);
}

/// An existing id is rejected, in a later unit and twice in one call, and its unit is rolled back.
pub async fn existing_transfer_id_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (from, to) = (fixture.funded(100).await, fixture.account().await);
    let order = fixture.make.order(TransferKind::Payment, 4);
    fixture.transfer([from.id(), to.id()], order.clone()).await;
    let fresh = fixture.make.order(TransferKind::Payment, 1);
    fixture
        .check_rejected(move |tx| {
            move_money(tx, [from.id(), to.id()], &fresh)?;
            move_money(tx, [to.id(), from.id()], &order)
        })
        .await;
    let (mut debit, mut credit) =
        (fixture.stored(from.id()).await.account, fixture.stored(to.id()).await.account);
    let first = fixture.make.payment(&mut debit, &mut credit, 1);
    let second = fixture.make.payment(&mut debit, &mut credit, 1).into_record();
    let second = TransferRecord { id: first.id, ..second };
    let second = Transfer::restore(second).expect("a transfer");
    fixture.check_rejected(move |tx| tx.insert_transfers(&[first.clone(), second.clone()])).await;
    assert_eq!(fixture.stored(to.id()).await.account.balance().minor(), 4);
}

/// A version of an account already used on the same side is rejected.
pub async fn existing_account_version_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (mut from, to, other) =
        (fixture.funded(100).await, fixture.account().await, fixture.account().await);
    let (mut same_from, mut to, mut other) = (from, to, other);
    let first = fixture.make.payment(&mut from, &mut to, 1);
    let second = fixture.make.payment(&mut same_from, &mut other, 1);
    fixture.commit(move |tx| tx.insert_transfers(from_ref(&first))).await;
    fixture.check_rejected(move |tx| tx.insert_transfers(from_ref(&second))).await;
    let (mut third, mut empty) =
        (fixture.funded(100).await, Account::user(to.id(), to.owner().unwrap()));
    let third = fixture.make.payment(&mut third, &mut empty, 1);
    fixture.check_rejected(move |tx| tx.insert_transfers(from_ref(&third))).await;
}

/// A version already used on the other side is rejected too, or at least found by the audit.
pub async fn version_used_on_other_side_is_noticed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (mut payer, mut paid, mut third) =
        (fixture.funded(100).await, fixture.funded(100).await, fixture.account().await);
    let mut same = paid;
    let first = fixture.make.payment(&mut payer, &mut paid, 1);
    let second = fixture.make.payment(&mut same, &mut third, 1);
    fixture.commit(move |tx| tx.insert_transfers(from_ref(&first))).await;
    let result =
        fixture.ports.uow.run("contract", move |tx| tx.insert_transfers(from_ref(&second))).await;
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert!(result.is_err() || report.broken_chains > 0, "{result:?} and {report:?}");
}

/// Creates an account that pays and receives in turn, in 25 transfers a second apart after its
/// first one.
async fn statement(fixture: &Fixture) -> (Account, Vec<Transfer>) {
    let account = fixture.funded(1_000).await;
    let other = fixture.funded(1_000).await;
    let page_of_first =
        fixture.ports.ledger.page_transfers(account.id(), page(1, 1).into()).await.unwrap();
    let mut transfers = page_of_first.rows;
    for second in 1..=25 {
        let order = TransferOrder {
            at: after(second),
            ..fixture.make.order(TransferKind::Payment, 10 + second)
        };
        let there = [account.id(), other.id()];
        let sides = if second % 3 == 0 { [other.id(), account.id()] } else { there };
        transfers.push(fixture.transfer(sides, order).await);
    }
    (account, transfers)
}

/// The transfers of an account are listed newest first, with their number, on pages down to the
/// last.
pub async fn transfers_of_account_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (account, mut transfers) = statement(&fixture).await;
    transfers.reverse();
    for (number, expected) in [
        (1, &transfers[..10]),
        (2, &transfers[10..20]),
        (3, &transfers[20..]),
        (4, &[]),
        (u32::MAX, &[]),
    ] {
        let found = fixture
            .ports
            .ledger
            .page_transfers(account.id(), page(number, 10).into())
            .await
            .unwrap();
        assert_eq!(found.total, 26, "page {number}");
        assert_eq!(found.rows, expected, "page {number}");
    }
    let whole =
        fixture.ports.ledger.page_transfers(account.id(), page(1, 100).into()).await.unwrap();
    assert_eq!(whole.rows, transfers);
    for (version, expected) in
        [(27, &transfers[..10]), (17, &transfers[10..20]), (2, &transfers[25..]), (1, &[])]
    {
        let page = PageRequest { start: PageStart::After(version), limit: 10 };
        let found = fixture.ports.ledger.page_transfers(account.id(), page).await.unwrap();
        assert_eq!(found.rows, expected, "after version {version}");
    }
}

/// All transfers are listed by descending id, for all accounts, by number or after one that may be
/// absent.
pub async fn all_transfers_are_listed_in_pages(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (_, mut transfers) = statement(&fixture).await;
    transfers.sort_by_key(|transfer| Reverse(transfer.id));
    let list = async |start: PageStart<TransferId>, limit: u32| {
        fixture.ports.ledger.list_transfers(PageRequest { start, limit }).await.unwrap()
    };
    let all = list(PageStart::Offset(0), 1_000).await;
    assert!(all.is_sorted_by(|one, next| one.id > next.id));
    assert!(transfers.iter().all(|transfer| all.contains(transfer)));
    assert_eq!(list(PageStart::Offset(3), 5).await, all[3..8]);
    assert_eq!(list(PageStart::After(all[7].id), 5).await, all[8..13]);
    assert_eq!(list(PageStart::After(all[all.len() - 1].id), 5).await, []);
}

/// Accounts without transfers, and those that do not exist, have an empty statement.
pub async fn untouched_account_has_no_transfers(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (untouched, _) = (fixture.account().await, fixture.funded(1).await);
    for id in [untouched.id(), fixture.make.ids().account()] {
        let found = fixture.ports.ledger.page_transfers(id, page(1, 10).into()).await.unwrap();
        assert_eq!((found.rows.len(), found.total), (0, 0));
    }
}

/// The balance at a time is the one after the last transfer up to and including that time.
pub async fn balance_is_known_for_every_time(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (account, transfers) = statement(&fixture).await;
    let ledger = &fixture.ports.ledger;
    let mut expected = 0;
    for (transfer, second) in transfers.iter().zip(0..) {
        let just_before = foretell_domain::time::Timestamp::from_micros(after(second).micros() - 1);
        assert_eq!(ledger.balance_at(account.id(), just_before).await.unwrap().minor(), expected);
        let is_debit = transfer.debit.account_id == account.id();
        expected += if is_debit { -transfer.amount.minor() } else { transfer.amount.minor() };
        assert_eq!(ledger.balance_at(account.id(), after(second)).await.unwrap().minor(), expected);
    }
    assert_eq!(ledger.balance_at(account.id(), after(10_000)).await.unwrap().minor(), expected);
    let unknown = fixture.make.ids().account();
    assert_eq!(ledger.balance_at(unknown, after(10_000)).await.unwrap().minor(), 0);
}

/// With several transfers at one time, the balance at that time is the one after the last of them.
pub async fn last_transfer_of_time_decides_balance(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (account, other) = (fixture.funded(100).await, fixture.account().await);
    let there = fixture.make.order(TransferKind::Payment, 60);
    fixture.transfer([account.id(), other.id()], there).await;
    let back = fixture.make.order(TransferKind::Payment, 5);
    fixture.transfer([other.id(), account.id()], back).await;
    let balance = fixture.ports.ledger.balance_at(account.id(), START).await.unwrap();
    assert_eq!(balance.minor(), 45);
}

/// As many transfers as in a batch of the money writer are written and found in one call.
pub async fn full_batch_of_transfers_is_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (from, to) = (fixture.funded(1_000).await.id(), fixture.account().await.id());
    let make = fixture.make.clone();
    let ids = fixture.commit(move |tx| write_batch(tx, [from, to], &make)).await;
    let known = ids.clone();
    assert_eq!(fixture.commit(move |tx| tx.find_transfers(&known)).await.len(), 1_000);
    assert!(fixture.commit(move |tx| tx.find_reversed(&ids)).await.is_empty());
    let account = fixture.stored(to).await.account;
    assert_eq!((account.balance().minor(), account.version()), (1_000, 1_000));
    let deep = fixture.ports.ledger.page_transfers(to, page(100, 10).into()).await.unwrap();
    assert_eq!(deep.rows.last().map(|transfer| transfer.credit.version), Some(1));
}

fn write_batch(
    tx: &mut dyn Tx,
    [from, to]: [AccountId; 2],
    make: &crate::builders::Factory,
) -> Result<Vec<TransferId>, foretell_ports::error::StoreError> {
    let mut debit = tx.lock_accounts(&BTreeSet::from([from]))?.remove(0);
    let mut credit = tx.lock_accounts(&BTreeSet::from([to]))?.remove(0);
    let transfers: Vec<_> = (0..1_000).map(|_| make.payment(&mut debit, &mut credit, 1)).collect();
    tx.insert_transfers(&transfers)?;
    tx.save_accounts(&[&debit, &credit])?;
    Ok(transfers.iter().map(|transfer| transfer.id).collect())
}
