//! Bets, positions and profits of traders in all markets.

use std::slice::from_ref;

use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, BetId, MarketId};
use foretell_domain::market::{Bet, Settlement, SettlementTerms};
use foretell_domain::transfer::{TransferKind, TransferOrder};
use foretell_domain::user::UserStatus;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::portfolio::{BetKey, HeldKey, HeldPosition, Profit};

use super::Harness;
use super::fixture::{Fixture, Side, Trade, after, first, lock_market, renumbered};
use crate::clock::START;

/// Creates two markets, the newer one first.
async fn markets(fixture: &Fixture) -> [MarketId; 2] {
    let older = fixture.market(|market| market.options(3)).await.market.id();
    let newer = fixture.market(|market| market.options(3)).await.market.id();
    [newer, older]
}

async fn trade(
    fixture: &Fixture,
    account: Account,
    place: (MarketId, usize),
    what: (Side, i64),
) -> Bet {
    let ((market_id, option_index), (side, second)) = (place, what);
    fixture.trade(Trade { market_id, account, option_index, side, at: after(second) }).await.0
}

/// The bets and sales of a user are listed newest first, whatever their market and id; those of the
/// same time by descending id.
pub async fn bets_of_user_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let ([one, two], ann) = (markets(&fixture).await, fixture.funded(10_000).await);
    let (ben, user) = (fixture.funded(10_000).await, ann.owner().expect("a user"));
    let mut expected = Vec::new();
    for (market, second) in [(one, 3), (two, 3), (one, 4), (two, 6), (one, 6)] {
        expected.insert(0, trade(&fixture, ann, (market, 0), (Side::Buy(100), second)).await);
        trade(&fixture, ben, (market, 0), (Side::Buy(100), second)).await;
    }
    expected.insert(0, trade(&fixture, ann, (one, 0), (Side::SellAll, 7)).await);
    // Its client has chosen an id that is unrelated to the time.
    let like = expected[0].clone();
    let fill = renumbered(&like.fill, 99);
    let chosen = Bet { id: BetId::from_u128(1), created_at: after(5), fill, ..like };
    let stored = chosen.clone();
    fixture.commit(move |tx| tx.insert_bets(from_ref(&stored))).await;
    expected.insert(3, chosen);
    assert!(expected.is_sorted_by_key(|bet| std::cmp::Reverse(BetKey::from(bet))), "{expected:?}");
    let list = async |start, limit| {
        let page = PageRequest { start, limit };
        fixture.ports.markets.list_bets_of(user, page).await.expect("an answer")
    };
    assert_eq!(list(PageStart::Offset(0), 100).await, expected);
    for (index, bet) in expected.iter().enumerate() {
        let rest = &expected[index + 1..];
        assert_eq!(
            list(PageStart::After(bet.into()), 2).await,
            rest[..rest.len().min(2)],
            "after {index}"
        );
        let offset = i64::try_from(index).expect("few") + 1;
        assert_eq!(
            list(PageStart::Offset(offset), 2).await,
            rest[..rest.len().min(2)],
            "offset {index}"
        );
    }
    let gone = BetKey { created_at: after(5), id: BetId::from_u128(2) };
    assert_eq!(list(PageStart::After(gone), 1).await, expected[3..4], "a key need not be there");
    assert_eq!(fixture.ports.markets.count_bets_of(user).await.unwrap(), 7);
    let nobody = fixture.make.ids().user();
    assert_eq!(fixture.ports.markets.count_bets_of(nobody).await.unwrap(), 0);
    assert_eq!(fixture.ports.markets.list_bets_of(nobody, first(5)).await.unwrap(), []);
}

/// The positions of an account are listed by market, newest first, and by option, including those
/// sold completely.
pub async fn positions_of_account_are_listed_by_market(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let ([newer, older], ann) = (markets(&fixture).await, fixture.funded(10_000).await);
    let ben = fixture.funded(10_000).await;
    for (market, option) in [(older, 2), (newer, 1), (older, 0), (newer, 0)] {
        trade(&fixture, ann, (market, option), (Side::Buy(100), 3)).await;
        trade(&fixture, ben, (market, 1), (Side::Buy(100), 3)).await;
    }
    let sold = trade(&fixture, ann, (newer, 1), (Side::SellAll, 4)).await;
    let list = async |start, limit| {
        let page = PageRequest { start, limit };
        fixture.ports.markets.list_positions_of(ann.id(), page).await.expect("an answer")
    };
    let all = list(PageStart::Offset(0), 100).await;
    let places: Vec<_> = all.iter().map(|held| (held.market_id, held.option_index)).collect();
    assert_eq!(places, [(newer, 0), (newer, 1), (older, 0), (older, 2)]);
    let position = all[1].position;
    assert!(position.shares.is_zero());
    assert_eq!((position.spent.minor(), position.received.minor()), (100, sold.fill.cash.minor()));
    for (index, held) in all.iter().map(HeldPosition::key).enumerate() {
        let rest = &all[index + 1..];
        assert_eq!(
            list(PageStart::After(held), 2).await,
            rest[..rest.len().min(2)],
            "after {index}"
        );
        let offset = i64::try_from(index).expect("few") + 1;
        assert_eq!(
            list(PageStart::Offset(offset), 1).await,
            rest[..rest.len().min(1)],
            "offset {index}"
        );
    }
    let gone = HeldKey { market_id: older, option_index: 1 };
    assert_eq!(list(PageStart::After(gone), 9).await, all[3..], "a key need not be there");
    assert_eq!(fixture.ports.markets.count_positions_of(ann.id()).await.unwrap(), 4);
    assert_eq!(
        fixture.ports.markets.count_positions_of(fixture.make.ids().account()).await.unwrap(),
        0
    );
}

/// Several markets and their settlements are found at once; duplicates and absent ones are
/// harmless.
pub async fn several_markets_and_settlements_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let ([one, two], ids) = (markets(&fixture).await, fixture.make.ids());
    let creator_id = fixture.stored_market(one).await.market.record().creator_id;
    let terms = SettlementTerms::Payouts { basis_points: vec![0, 10_000, 0] };
    let settlement = Settlement::begin(one, terms, creator_id, START);
    let stored = settlement.clone();
    fixture
        .commit(move |tx| {
            lock_market(tx, one)?;
            tx.insert_settlement(&stored)
        })
        .await;
    let wanted = [two, ids.market(), one, two];
    let mut found = fixture.ports.markets.find_markets(&wanted).await.unwrap();
    found.sort_by_key(|details| details.market.id());
    assert_eq!(found, [fixture.stored_market(two).await, fixture.stored_market(one).await]);
    assert_eq!(fixture.ports.markets.find_settlements(&wanted).await.unwrap(), [settlement]);
    assert_eq!(fixture.ports.markets.find_markets(&[]).await.unwrap(), []);
    assert_eq!(fixture.ports.markets.find_settlements(&[]).await.unwrap(), []);
}

/// Profits are payouts, refunds and sales minus bets, and no other transfers.
pub async fn profits_are_sums_of_market_transfers(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let pot =
        AccountId::of_market(fixture.market(|market| market.subsidy(100_000)).await.market.id());
    let [ann, ben, cem] =
        [fixture.funded(9_000).await, fixture.funded(9_000).await, fixture.funded(9_000).await];
    let pay = async |sides, kind, minor: i64, second| {
        let order = TransferOrder { at: after(second), ..fixture.make.order(kind, minor) };
        fixture.transfer(sides, order).await;
    };
    for (kind, minor) in [
        (TransferKind::Sale, 1),
        (TransferKind::Payout, 20),
        (TransferKind::Refund, 300),
        (TransferKind::Remainder, 5_000),
    ] {
        pay([pot, ann.id()], kind, minor, 10).await;
    }
    pay([ann.id(), pot], TransferKind::Bet, 100, 9).await;
    for kind in [TransferKind::Subsidy, TransferKind::Payment] {
        pay([ann.id(), pot], kind, 7, 10).await;
    }
    pay([ben.id(), pot], TransferKind::Bet, 40, 10).await;
    pay([cem.id(), pot], TransferKind::Bet, 40, 10).await;
    let profit = |account: Account, profit_minor| Profit {
        user_id: account.owner().expect("a user"),
        profit_minor,
    };
    let rank = async |since, limit| {
        fixture.ports.ledger.rank_profits(since, limit).await.expect("an answer")
    };
    let all = [profit(ann, 221), profit(ben, -40), profit(cem, -40)];
    assert_eq!(rank(None, 10).await, all);
    assert_eq!(rank(Some(after(9)), 10).await, all);
    assert_eq!(
        rank(Some(after(10)), 10).await,
        [profit(ann, 321), profit(ben, -40), profit(cem, -40)]
    );
    assert_eq!(rank(Some(after(11)), 10).await, []);
    assert_eq!(rank(None, 2).await, all[..2]);
}

/// Suspended and erased users are not ranked.
pub async fn profits_are_those_of_active_users(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let pot = AccountId::of_market(fixture.market(|market| market).await.market.id());
    let accounts =
        [fixture.funded(100).await, fixture.funded(100).await, fixture.funded(100).await];
    for account in accounts {
        fixture.transfer([account.id(), pot], fixture.make.order(TransferKind::Bet, 10)).await;
    }
    let owners = accounts.map(|account| account.owner().expect("a user"));
    let [stays, suspended, erased] = owners;
    fixture
        .commit(move |tx| {
            for (id, status) in [(suspended, UserStatus::Suspended), (erased, UserStatus::Erased)] {
                let mut locked = tx.lock_user(id)?.expect("the user is stored");
                locked.user.status = status;
                tx.save_user(&locked, START)?;
            }
            Ok(())
        })
        .await;
    let ranked = fixture.ports.ledger.rank_profits(None, 10).await.unwrap();
    assert_eq!(ranked, [Profit { user_id: stays, profit_minor: -10 }]);
}
