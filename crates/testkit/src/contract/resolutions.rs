//! Resolutions, their disputes, and what undoing a settlement reads and deletes.

use std::slice::from_ref;
use std::time::Duration;

use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{
    Dispute, Evidence, MarketOutcome, Payout, Resolution, ResolutionStatus, Settlement,
    SettlementTerms, SettlementUndo,
};
use foretell_domain::money::Balance;
use foretell_domain::text::{EvidenceText, EvidenceUrl, Reason};
use foretell_domain::transfer::{TransferKind, TransferOrder, reversal_of_payment};
use foretell_ports::market::{Debt, PaidSet, ProposalKey};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, after, first, lock_market, move_money};
use crate::builders::amount;

fn reason() -> Reason {
    Reason::new("Rain is\nnot what the \"gauge\" counts.").expect("a reason")
}

/// Returns a proposal of a new market, which takes effect at `after(seconds)`.
async fn proposal(fixture: &Fixture, seconds: i64) -> Resolution {
    let (market, by) = (fixture.market(|market| market).await, fixture.user().await.id);
    let evidence = Evidence {
        text: EvidenceText::new("3 mm\nat the harbour").ok(),
        url: EvidenceUrl::new("https://example.org/rain?day=1").ok(),
    };
    let outcome = MarketOutcome::Payouts { basis_points: vec![2_500, 7_500] };
    let times = (after(seconds), Duration::ZERO);
    Resolution::propose(market.market.id(), 1, outcome, evidence, by, times)
}

async fn save(fixture: &Fixture, resolution: &Resolution) {
    let resolution = resolution.clone();
    let save = move |tx: &mut dyn Tx| {
        lock_market(tx, resolution.market_id)?;
        tx.save_resolutions(&[&resolution])
    };
    fixture.commit(save).await;
}

async fn newest(fixture: &Fixture, market: MarketId) -> Option<Resolution> {
    let find = move |tx: &mut dyn Tx| {
        let market = lock_market(tx, market)?;
        tx.find_newest_resolution(&market)
    };
    fixture.commit(find).await
}

/// Resolutions are returned with every field, newest first, and saving one replaces it.
pub async fn resolutions_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let proposed = proposal(&fixture, 60).await;
    let (market, by) = (proposed.market_id, fixture.user().await.id);
    assert_eq!(newest(&fixture, market).await, None);
    save(&fixture, &proposal(&fixture, 1).await).await;
    save(&fixture, &proposed).await;
    assert_eq!(newest(&fixture, market).await.as_ref(), Some(&proposed));

    let mut rejected = proposed;
    rejected.dispute().expect("it waits");
    rejected.close(ResolutionStatus::Rejected, by, after(61)).expect("it waits");
    save(&fixture, &rejected).await;
    assert_eq!(newest(&fixture, market).await.as_ref(), Some(&rejected));
    let (cancelled, evidence) = (MarketOutcome::Cancellation, Evidence::default());
    let mut undone = Resolution::decide(market, 2, cancelled, evidence, by, after(62));
    undone.undo(by, reason(), after(63)).expect("once");
    save(&fixture, &undone).await;
    undone.complete_undo(Balance::from_minor(77), after(64));
    save(&fixture, &undone).await;
    assert_eq!(newest(&fixture, market).await.as_ref(), Some(&undone));

    let list =
        async |page| fixture.ports.markets.list_resolutions(market, page).await.expect("an answer");
    assert_eq!(list(first(10)).await, [undone.clone(), rejected.clone()]);
    assert_eq!(list(first(1)).await, from_ref(&undone));
    let after_second = PageRequest { start: PageStart::After(2), limit: 10 };
    assert_eq!(list(after_second).await, [rejected]);
}

/// A user disputes a proposal once; disputes are listed by proposal, oldest first.
pub async fn user_disputes_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (proposal, other) = (proposal(&fixture, 60).await, proposal(&fixture, 60).await);
    save(&fixture, &proposal).await;
    save(&fixture, &other).await;
    let dispute = async |of: &Resolution, seconds| {
        let (market_id, number) = (of.market_id, of.number);
        let user_id = fixture.user().await.id;
        Dispute { market_id, number, user_id, reason: reason(), created_at: after(seconds) }
    };
    let insert = async |dispute: &Dispute| {
        let dispute = dispute.clone();
        let insert = move |tx: &mut dyn Tx| {
            lock_market(tx, dispute.market_id)?;
            tx.insert_dispute(&dispute)
        };
        fixture.commit(insert).await
    };
    let (second, earliest) = (dispute(&proposal, 9).await, dispute(&proposal, 8).await);
    let elsewhere = dispute(&other, 7).await;
    for dispute in [&second, &earliest, &elsewhere] {
        assert!(insert(dispute).await);
    }
    assert!(!insert(&Dispute { created_at: after(10), ..second.clone() }).await);
    let markets = &fixture.ports.markets;
    let list = async |limit| {
        markets.list_disputes(proposal.market_id, &[1, 2], limit).await.expect("an answer")
    };
    assert_eq!(list(10).await, [earliest.clone(), second]);
    assert_eq!(list(1).await, [earliest]);
}

/// Proposals are due at their time unless they were disputed, and wait until they are closed.
pub async fn undisputed_proposals_become_due(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (late, early) = (proposal(&fixture, 60).await, proposal(&fixture, 50).await);
    let mut disputed = proposal(&fixture, 40).await;
    disputed.dispute().expect("it waits");
    let mut closed = proposal(&fixture, 30).await;
    closed.close(ResolutionStatus::Withdrawn, closed.proposed_by, after(31)).expect("it waits");
    for resolution in [&late, &early, &disputed, &closed] {
        save(&fixture, resolution).await;
    }
    let due = async |seconds, limit| {
        let due = fixture.ports.markets.list_due_proposals(after(seconds), limit).await;
        due.expect("an answer")
    };
    assert_eq!(due(49, 10).await, []);
    assert_eq!(due(50, 10).await, [early.market_id]);
    assert_eq!(due(60, 10).await, [early.market_id, late.market_id]);
    assert_eq!(due(60, 1).await, [early.market_id]);

    let waiting = [disputed.clone(), early, late];
    let markets = &fixture.ports.markets;
    assert_eq!(markets.list_proposals(first(10)).await.expect("an answer"), waiting);
    assert_eq!(markets.count_proposals().await.expect("an answer"), 3);
    let key = ProposalKey::of(&disputed);
    let rest = PageRequest { start: PageStart::After(key), limit: 1 };
    assert_eq!(markets.list_proposals(rest).await.expect("an answer"), waiting[1..2]);
    let offset = PageRequest { start: PageStart::Offset(2), limit: 10 };
    assert_eq!(markets.list_proposals(offset).await.expect("an answer"), waiting[2..]);
}

/// The payments of a settlement are found until they are reversed; its claims and itself are
/// deleted, after which there can be another.
pub async fn undone_settlement_makes_room_for_another(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = fixture.market(|market| market).await.market.id();
    let (pot, decided_by) = (AccountId::of_market(market), fixture.user().await.id);
    let (ann, ben) = (fixture.account().await.id(), fixture.account().await.id());
    let pay = async |to, kind, minor| {
        fixture.transfer([pot, to], fixture.make.order(kind, minor).about(market)).await
    };
    let sale = pay(ann, TransferKind::Sale, 1).await;
    let first_payout = pay(ann, TransferKind::Payout, 20).await;
    let second_payout = pay(ben, TransferKind::Payout, 30).await;
    let remainder = pay(ann, TransferKind::Remainder, 40).await;
    assert!(sale.debit.version < first_payout.debit.version);
    let terms = SettlementTerms::Payouts { basis_points: vec![0, 10_000] };
    let settlement = Settlement::begin(market, terms, decided_by, after(60));
    let payouts = vec![
        Payout { account_id: ann, amount: amount(20) },
        Payout { account_id: ben, amount: amount(30) },
    ];
    let set = PaidSet { market_id: market, payouts, at: after(60) };
    let begin = {
        let (settlement, set) = (settlement.clone(), set.clone());
        move |tx: &mut dyn Tx| {
            lock_market(tx, market)?;
            tx.insert_settlement(&settlement)?;
            tx.insert_payouts(&set)
        }
    };
    fixture.commit(begin).await;
    assert_eq!(fixture.ports.markets.list_unsettled(None, 10).await.unwrap(), [market]);

    let list = async |before, limit| {
        let list = move |tx: &mut dyn Tx| {
            let market = lock_market(tx, market)?;
            tx.list_payments_before(&market, before, limit)
        };
        fixture.commit(list).await
    };
    let all = [remainder.clone(), second_payout.clone(), first_payout.clone()];
    assert_eq!(list(i64::MAX, 10).await, all);
    assert_eq!(list(i64::MAX, 1).await, all[..1]);
    assert_eq!(list(remainder.debit.version, 10).await, all[1..]);
    for payment in &all {
        let id = fixture.make.ids().transfer();
        let order: TransferOrder = reversal_of_payment(payment, id, after(61)).expect("a payment");
        let sides = [payment.credit.account_id, pot];
        fixture.commit(move |tx| move_money(tx, sides, &order)).await;
    }
    assert_eq!(list(i64::MAX, 10).await, [], "a second undoing takes nothing back twice");

    let order = fixture.make.order(TransferKind::Cover, 5);
    let debt = Debt {
        transfer_id: order.id,
        account_id: ben,
        market_id: market,
        amount: amount(5),
        created_at: after(61),
    };
    let undo = move |tx: &mut dyn Tx| {
        let locked = lock_market(tx, market)?;
        let mut settlement = tx.lock_settlement(&locked)?.expect("a settlement");
        settlement.undo(after(61)).expect("once");
        let undo = SettlementUndo { cursor: 7, covered: Balance::from_minor(5) };
        settlement.undo = Some(undo);
        tx.save_settlement(&settlement)?;
        tx.insert_debts(&[debt])?;
        tx.delete_payouts(&locked, &[ann])
    };
    fixture.commit(undo).await;
    let stored = fixture.ports.markets.find_settlement(market).await.unwrap().expect("one");
    assert_eq!(stored.undo.map(|undo| (undo.cursor, undo.covered.minor())), Some((7, 5)));
    assert_eq!(stored.completed_at, Some(after(61)));
    let unsettled = fixture.ports.markets.list_unsettled(None, 10).await.unwrap();
    assert_eq!(unsettled, [market], "it is resumed although no holder is paid any more");
    assert_eq!(fixture.ports.markets.list_debts(first(10)).await.unwrap(), [debt]);
    assert_eq!(fixture.ports.markets.count_debts().await.unwrap(), 1);

    let finish = move |tx: &mut dyn Tx| {
        let locked = lock_market(tx, market)?;
        let undone = tx.lock_settlement(&locked)?.expect("a settlement");
        tx.delete_payouts(&locked, &[ben])?;
        tx.delete_settlement(undone)?;
        tx.insert_settlement(&settlement)?;
        tx.insert_payouts(&set)
    };
    fixture.commit(finish).await;
    let stored = fixture.ports.markets.find_settlement(market).await.unwrap().expect("one");
    assert_eq!((stored.undo, stored.completed_at), (None, None));
}

/// A market that is deleted takes its resolutions with it.
pub async fn deleted_market_has_no_resolutions(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let proposal = proposal(&fixture, 60).await;
    save(&fixture, &proposal).await;
    let market = proposal.market_id;
    let delete = move |tx: &mut dyn Tx| {
        let locked = lock_market(tx, market)?;
        tx.delete_markets(vec![locked])
    };
    fixture.commit(delete).await;
    assert_eq!(fixture.ports.markets.list_resolutions(market, first(10)).await.unwrap(), []);
    assert_eq!(fixture.ports.markets.count_proposals().await.unwrap(), 0);
}
