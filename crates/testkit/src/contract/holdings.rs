//! Holdings: positions of traders, saved one by one and listed by holder or by size.

use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, MarketId, UserId};
use foretell_domain::market::{Holding, Position};
use foretell_domain::money::Balance;
use foretell_domain::shares::Shares;
use foretell_ports::market::{PositionRow, WantedHolding};
use foretell_ports::page::Page;

use super::Harness;
use super::fixture::{Fixture, find_holding, lock_market, page};

fn position(shares: i64) -> Position {
    let (spent, received) = (Balance::from_minor(shares + 3), Balance::from_minor(2));
    Position { shares: Shares::new(shares).expect("shares"), spent, received }
}

/// Stores all positions of a holding with these shares.
async fn hold(
    fixture: &Fixture,
    market_id: MarketId,
    account: &Account,
    shares: &[i64],
) -> Holding {
    let positions = shares.iter().copied().map(position).collect();
    let holding = Holding { market_id, account_id: account.id(), positions };
    let saved = holding.clone();
    fixture
        .commit(move |tx| {
            lock_market(tx, market_id)?;
            let positions: Vec<_> =
                (0..saved.positions.len()).map(|index| (&saved, index)).collect();
            tx.save_positions(&positions)
        })
        .await;
    holding
}

async fn find(fixture: &Fixture, market: MarketId, account: AccountId) -> Holding {
    let stored = fixture
        .commit(move |tx| {
            let market = lock_market(tx, market)?;
            find_holding(tx, &market, account)
        })
        .await;
    let option_count = stored.positions.len();
    let wanted = [WantedHolding { market_id: market, account_id: account, option_count }];
    let read = fixture.ports.markets.find_holdings(&wanted).await.unwrap().pop();
    let read = read.unwrap_or_else(|| Holding::empty(market, account, option_count));
    assert_eq!(read, stored, "a query and a unit read the same");
    stored
}

/// Only the given position of a holding is inserted, and only it is replaced later.
pub async fn positions_are_saved_one_by_one(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market_id = fixture.market(|market| market.options(3)).await.market.id();
    let account_id = fixture.account().await.id();
    let mut expected = Holding::empty(market_id, account_id, 3);
    for (index, shares) in [(2, 7), (0, 5), (2, 0), (2, i64::MAX - 3)] {
        let mut saved = Holding { positions: vec![position(99); 3], ..expected.clone() };
        saved.positions[index] = position(shares);
        expected.positions[index] = position(shares);
        fixture
            .commit(move |tx| {
                lock_market(tx, market_id)?;
                tx.save_positions(&[(&saved, index)])
            })
            .await;
        assert_eq!(find(&fixture, market_id, account_id).await, expected);
    }
}

/// Holdings are found for several traders and markets at once; a trader without trades has none.
pub async fn existing_holdings_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (one, two) =
        (fixture.market(|market| market).await, fixture.market(|market| market.options(4)).await);
    let (one, two) = (one.market.id(), two.market.id());
    let (first, second) = (fixture.account().await, fixture.account().await);
    let mut expected = vec![
        hold(&fixture, one, &first, &[1, 2]).await,
        hold(&fixture, two, &first, &[0, 3, 0, 4]).await,
        hold(&fixture, two, &second, &[5, 0, 0, 0]).await,
    ];
    let stranger = fixture.account().await.id();
    let wanted = [(one, 2), (two, 4)].into_iter().flat_map(|(market_id, option_count)| {
        let accounts = [first.id(), second.id(), stranger];
        accounts.map(|account_id| WantedHolding { market_id, account_id, option_count })
    });
    let wanted: Vec<_> = wanted.collect();
    let mut found = fixture
        .commit(move |tx| {
            tx.lock_markets(&[one, two].into())?;
            tx.find_holdings(&wanted)
        })
        .await;
    found.sort_by_key(|holding| (holding.market_id, holding.account_id));
    expected.sort_by_key(|holding| (holding.market_id, holding.account_id));
    assert_eq!(found, expected);
    assert!(fixture.commit(|tx| tx.find_holdings(&[])).await.is_empty());
}

/// The holdings of a market are listed by ascending account, complete, in sets after a given
/// account.
pub async fn holdings_are_listed_set_by_set(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = fixture.market(|market| market.options(3)).await.market.id();
    let other = fixture.market(|market| market.options(3)).await.market.id();
    let mut expected = Vec::new();
    for shares in 0..5 {
        let account = fixture.account().await;
        expected.push(hold(&fixture, market, &account, &[shares, 1, 0]).await);
        hold(&fixture, other, &account, &[9, 9, 9]).await;
    }
    expected.sort_by_key(|holding| holding.account_id);
    let first = expected[0].account_id;
    let last = expected[4].account_id;
    let between = AccountId::from_u128(first.as_u128() + 1);
    for (after, limit, listed) in [
        (None, 2, &expected[..2]),
        (Some(expected[1].account_id), 2, &expected[2..4]),
        (Some(expected[3].account_id), 2, &expected[4..]),
        (Some(last), 2, &[]),
        (Some(between), 1, &expected[1..2]),
        (None, 500, &expected),
    ] {
        let found = fixture
            .commit(move |tx| {
                let market = lock_market(tx, market)?;
                tx.list_holdings_after(&market, after, limit)
            })
            .await;
        assert_eq!(found, listed, "{limit} after {after:?}");
    }
}

fn told(row: &PositionRow) -> (usize, i64, Option<UserId>, AccountId) {
    (row.option_index, row.position.shares.units(), Some(row.user_id), row.account_id)
}

/// Positions are listed by option and then by descending shares, or by holder; those without shares
/// are left out.
pub async fn positions_are_listed_by_option_and_size(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = fixture.market(|market| market).await.market.id();
    let other = fixture.market(|market| market).await.market.id();
    let mut expected = Vec::new();
    for shares in [[5, 0], [9, 2], [7, 4], [0, 3]] {
        let account = fixture.account().await;
        hold(&fixture, market, &account, &shares).await;
        hold(&fixture, other, &account, &[1, 1]).await;
        let held = shares.into_iter().enumerate().filter(|(_, shares)| *shares > 0);
        expected
            .extend(held.map(|(option, shares)| (option, shares, account.owner(), account.id())));
    }
    expected.sort_by_key(|(option, shares, ..)| (*option, -shares));
    for (number, rows) in [(1, &expected[..4]), (2, &expected[4..]), (3, &[])] {
        let Page { rows: found, total } =
            fixture.ports.markets.page_positions(market, page(number, 4)).await.unwrap();
        let found: Vec<_> = found.iter().map(told).collect();
        assert_eq!((found.as_slice(), total), (rows, 6), "page {number}");
    }
    expected.sort_by_key(|(option, _, _, account)| (*account, *option));
    for limit in [1, 2, 3, 6] {
        let (mut after, mut walked) = (None, Vec::new());
        loop {
            let found = fixture.ports.markets.list_positions(market, after, limit).await.unwrap();
            let Some(last) = found.last() else { break };
            after = Some(last.key());
            walked.extend(found);
        }
        let walked: Vec<_> = walked.iter().map(told).collect();
        assert_eq!(walked, expected, "by {limit}");
    }
    let whole = fixture.ports.markets.page_positions(market, page(1, 1)).await.unwrap();
    assert_eq!(whole.rows[0].position, position(9));
    let unknown = fixture
        .ports
        .markets
        .page_positions(fixture.make.ids().market(), page(1, 9))
        .await
        .unwrap();
    assert_eq!((unknown.rows.len(), unknown.total), (0, 0));
}

/// As many positions as a batch of the money writer changes are saved and found in one call.
pub async fn full_batch_of_positions_is_saved(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market_id = fixture.market(|market| market).await.market.id();
    let owner = fixture.user().await.id;
    let accounts: Vec<_> = (0..1_000).map(|_| fixture.make.account(owner)).collect();
    let holdings = accounts.iter().zip(0..).map(|(account, shares)| {
        let positions = vec![position(shares), position(1)];
        Holding { market_id, account_id: account.id(), positions }
    });
    let holdings: Vec<_> = holdings.collect();
    let found = fixture
        .commit(move |tx| {
            tx.insert_accounts_once(&accounts, crate::clock::START)?;
            let market = lock_market(tx, market_id)?;
            let both = holdings.iter().flat_map(|holding| [(holding, 0), (holding, 1)]);
            tx.save_positions(&both.collect::<Vec<_>>())?;
            let wanted = accounts.iter().map(Account::id);
            let wanted =
                wanted.map(|account_id| WantedHolding { market_id, account_id, option_count: 2 });
            let found = tx.find_holdings(&wanted.collect::<Vec<_>>())?;
            assert_eq!(tx.list_holdings_after(&market, None, 2_000)?.len(), 1_000);
            Ok((found, holdings.clone()))
        })
        .await;
    let (mut found, stored) = found;
    found.sort_by_key(|holding| holding.account_id);
    assert_eq!(found, stored);
}
