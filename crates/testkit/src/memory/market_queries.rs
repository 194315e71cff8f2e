//! Queries of markets, bets, positions and settlements in memory.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, TransferId, UserId};
use foretell_domain::market::{Bet, Dispute, Holding, MarketRevision, Resolution, Settlement};
use foretell_domain::probability::Probability;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::market::{
    Debt, MarketDetails, MarketFilter, MarketKey, MarketQueries, MarketSort, PositionKey,
    PositionRow, PricePoint, PriceWindow, ProposalKey, WantedHolding,
};
use foretell_ports::page::{NumberedPage, Page, PageRequest};
use foretell_ports::portfolio::{BetKey, HeldKey, HeldPosition};

use super::tables::{MarketRow, Tables};
use super::{MemoryStore, count, cut_page, page_of};

fn details(tables: &Tables, row: &MarketRow) -> MarketDetails {
    let MarketRow { market, texts, created_at, updated_at } = row.clone();
    MarketDetails { pot: tables.pot(market.id()), market, texts, created_at, updated_at }
}

pub(super) fn is_wanted(filter: &MarketFilter, row: &MarketRow) -> bool {
    filter.wants(&row.market, &row.texts)
}

/// Sort key that ascends along a list of this order.
fn place(sort: MarketSort, key: MarketKey) -> (i64, Reverse<MarketId>) {
    let is_descending = matches!(sort, MarketSort::Volume);
    (if is_descending { -key.rank } else { key.rank }, Reverse(key.id))
}

/// Returns the bets of a market whose numbers are after `after` up to `last`, in order.
fn bets_between(
    tables: &Tables,
    market: MarketId,
    after: i64,
    last: i64,
) -> impl DoubleEndedIterator<Item = &Bet> {
    let range = (Bound::Excluded((market, after)), Bound::Included((market, last.max(after))));
    let ids = (last > after).then(|| tables.bets_by_sequence.committed().range(range));
    ids.into_iter().flatten().filter_map(|(_, id)| tables.bets.committed().get(id))
}

fn price_point(bet: &Bet) -> (i64, PricePoint) {
    let prices = bet.fill.prices_after.clone();
    (bet.fill.sequence, PricePoint { at: bet.created_at, prices, volume: bet.fill.cash.into() })
}

fn position_rows(tables: &Tables, market: MarketId) -> Vec<PositionRow> {
    let first = (market, AccountId::from_u128(0), 0);
    let last = (market, AccountId::from_u128(u128::MAX), usize::MAX);
    let positions = tables.positions.committed().range(first..=last);
    let held = positions.filter(|(_, position)| !position.shares.is_zero());
    let rows = held.filter_map(|((_, account_id, option_index), position)| {
        let user_id = tables.accounts.committed().get(account_id)?.account.owner()?;
        let (account_id, option_index, position) = (*account_id, *option_index, *position);
        Some(PositionRow { user_id, account_id, option_index, position })
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| (row.option_index, Reverse(row.position.shares), row.account_id));
    rows
}

fn bets_of(tables: &Tables, user: UserId) -> impl Iterator<Item = &Bet> {
    tables.bets.committed().values().filter(move |bet| bet.user_id == user)
}

fn positions_of(tables: &Tables, account: AccountId) -> impl Iterator<Item = HeldPosition> {
    let positions = tables.positions.committed().iter();
    positions.filter(move |((_, holder, _), _)| *holder == account).map(|(key, position)| {
        HeldPosition { market_id: key.0, option_index: key.2, position: *position }
    })
}

#[async_trait]
impl MarketQueries for MemoryStore {
    async fn find_market(&self, id: MarketId) -> Result<Option<MarketDetails>, StoreError> {
        let tables = self.read()?;
        Ok(tables.markets.committed().get(&id).map(|row| details(&tables, row)))
    }

    async fn find_market_version(&self, id: MarketId) -> Result<Option<i64>, StoreError> {
        let found = self.find_market(id).await?;
        Ok(found.map(|details| details.market.record().version))
    }

    async fn find_markets(&self, ids: &[MarketId]) -> Result<Vec<MarketDetails>, StoreError> {
        let tables = self.read()?;
        let ids: BTreeSet<_> = ids.iter().collect();
        let rows = ids.into_iter().filter_map(|id| tables.markets.committed().get(id));
        Ok(rows.map(|row| details(&tables, row)).collect())
    }

    async fn list_markets(
        &self,
        filter: &MarketFilter,
        sort: MarketSort,
        page: PageRequest<MarketKey>,
    ) -> Result<Vec<MarketDetails>, StoreError> {
        let tables = self.read()?;
        let rows = tables.markets.committed().values().filter(|row| is_wanted(filter, row));
        let mut rows: Vec<_> = rows.map(|row| details(&tables, row)).collect();
        rows.sort_by_key(|row| place(sort, sort.key_of(row)));
        Ok(cut_page(rows, page, |row, key| place(sort, sort.key_of(row)) > place(sort, key)))
    }

    async fn count_markets(&self, filter: &MarketFilter) -> Result<i64, StoreError> {
        let tables = self.read()?;
        Ok(count(tables.markets.committed().values().filter(|row| is_wanted(filter, row)).count()))
    }

    async fn list_revisions(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Vec<MarketRevision>, StoreError> {
        let tables = self.read()?;
        let rows = tables.revisions.committed().range((market, 0)..=(market, i64::MAX));
        let rows: Vec<_> = rows.rev().map(|(_, revision)| revision.clone()).collect();
        Ok(cut_page(rows, page, |row, number| row.number < number))
    }

    async fn list_resolutions(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Vec<Resolution>, StoreError> {
        let tables = self.read()?;
        let rows = tables.resolutions.committed().range((market, 0)..=(market, i64::MAX));
        let rows: Vec<_> = rows.rev().map(|(_, resolution)| resolution.clone()).collect();
        Ok(cut_page(rows, page, |row, number| row.number < number))
    }

    async fn list_disputes(
        &self,
        market: MarketId,
        numbers: &[i64],
        limit: u32,
    ) -> Result<Vec<Dispute>, StoreError> {
        let tables = self.read()?;
        let mut disputes = Vec::new();
        for number in numbers {
            let of_one =
                |dispute: &&Dispute| (dispute.market_id, dispute.number) == (market, *number);
            let rows = tables.disputes.committed().values().filter(of_one);
            let mut rows: Vec<_> = rows.cloned().collect();
            rows.sort_by_key(|dispute| (dispute.created_at, dispute.user_id));
            rows.truncate(limit as usize);
            disputes.extend(rows);
        }
        Ok(disputes)
    }

    async fn list_due_proposals(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError> {
        let tables = self.read()?;
        let rows = tables.resolutions.committed().values().filter(|row| row.is_due(now));
        let mut keys: Vec<_> = rows.map(ProposalKey::of).collect();
        keys.sort();
        Ok(keys.into_iter().map(|key| key.market_id).take(limit as usize).collect())
    }

    async fn list_proposals(
        &self,
        page: PageRequest<ProposalKey>,
    ) -> Result<Vec<Resolution>, StoreError> {
        let tables = self.read()?;
        let rows = tables.resolutions.committed().values().filter(|row| row.is_pending());
        let mut rows: Vec<_> = rows.cloned().collect();
        rows.sort_by_key(ProposalKey::of);
        Ok(cut_page(rows, page, |row, key| ProposalKey::of(row) > key))
    }

    async fn list_debts(&self, page: PageRequest<TransferId>) -> Result<Vec<Debt>, StoreError> {
        let tables = self.read()?;
        let rows: Vec<_> = tables.debts.committed().values().rev().copied().collect();
        Ok(cut_page(rows, page, |row, id| row.transfer_id < id))
    }

    async fn count_proposals(&self) -> Result<i64, StoreError> {
        let tables = self.read()?;
        let rows = tables.resolutions.committed().values();
        Ok(count(rows.filter(|row| row.is_pending()).count()))
    }

    async fn count_debts(&self) -> Result<i64, StoreError> {
        Ok(count(self.read()?.debts.committed().len()))
    }

    async fn find_bet(
        &self,
        id: BetId,
        trader: Option<AccountId>,
    ) -> Result<Option<Bet>, StoreError> {
        let tables = self.read()?;
        let client_id = ClientId::from_u128(id.as_u128());
        let own = trader.and_then(|trader| tables.traded_as.committed().get(&(trader, client_id)));
        let id = own.copied().unwrap_or(id);
        Ok(tables.bets.committed().get(&id).cloned())
    }

    async fn page_bets(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Page<Bet>, StoreError> {
        let tables = self.read()?;
        let total =
            tables.markets.committed().get(&market).map_or(0, |row| row.market.record().bet_count);
        let (_, newest) = page.numbers(total);
        let rows = bets_between(&tables, market, 0, newest).rev().take(page.limit as usize);
        Ok(Page { rows: rows.cloned().collect(), total })
    }

    async fn list_newest_bets(
        &self,
        markets: &[MarketId],
        limit: u32,
    ) -> Result<Vec<Bet>, StoreError> {
        let tables = self.read()?;
        let markets: BTreeSet<_> = markets.iter().copied().collect();
        let newest =
            |market| bets_between(&tables, market, 0, i64::MAX).rev().take(limit as usize).cloned();
        Ok(markets.into_iter().flat_map(newest).collect())
    }

    async fn page_positions(
        &self,
        market: MarketId,
        page: NumberedPage,
    ) -> Result<Page<PositionRow>, StoreError> {
        Ok(page_of(position_rows(&*self.read()?, market), page))
    }

    async fn list_positions(
        &self,
        market: MarketId,
        after: Option<PositionKey>,
        limit: u32,
    ) -> Result<Vec<PositionRow>, StoreError> {
        let mut rows = position_rows(&*self.read()?, market);
        rows.retain(|row| after.is_none_or(|after| row.key() > after));
        rows.sort_by_key(PositionRow::key);
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn list_bets_of(
        &self,
        user: UserId,
        page: PageRequest<BetKey>,
    ) -> Result<Vec<Bet>, StoreError> {
        let tables = self.read()?;
        let mut rows: Vec<_> = bets_of(&tables, user).cloned().collect();
        rows.sort_by_key(|bet| Reverse(BetKey::from(bet)));
        Ok(cut_page(rows, page, |bet, key| BetKey::from(bet) < key))
    }

    async fn count_bets_of(&self, user: UserId) -> Result<i64, StoreError> {
        Ok(count(bets_of(&*self.read()?, user).count()))
    }

    async fn find_holdings(&self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError> {
        let tables = self.read()?;
        let mut holdings = Vec::new();
        for WantedHolding { market_id, account_id, option_count } in wanted.iter().copied() {
            let mut holding = Holding::empty(market_id, account_id, option_count);
            let mut held = positions_of(&tables, account_id)
                .filter(|held| held.market_id == market_id)
                .peekable();
            if held.peek().is_none() {
                continue;
            }
            for HeldPosition { option_index, position, .. } in held {
                holding.positions[option_index] = position;
            }
            holdings.push(holding);
        }
        Ok(holdings)
    }

    async fn list_positions_of(
        &self,
        account: AccountId,
        page: PageRequest<HeldKey>,
    ) -> Result<Vec<HeldPosition>, StoreError> {
        let tables = self.read()?;
        let place = |key: HeldKey| (Reverse(key.market_id), key.option_index);
        let mut rows: Vec<_> = positions_of(&tables, account).collect();
        rows.sort_by_key(|held| place(held.key()));
        Ok(cut_page(rows, page, |held, key| place(held.key()) > place(key)))
    }

    async fn count_positions_of(&self, account: AccountId) -> Result<i64, StoreError> {
        Ok(count(positions_of(&*self.read()?, account).count()))
    }

    async fn find_prices_before(
        &self,
        market: MarketId,
        before: Timestamp,
    ) -> Result<Option<Vec<Probability>>, StoreError> {
        let tables = self.read()?;
        let last =
            bets_between(&tables, market, 0, i64::MAX).rev().find(|bet| bet.created_at < before);
        Ok(last.map(|bet| bet.fill.prices_after.clone()))
    }

    async fn list_prices(
        &self,
        window: PriceWindow,
        after_sequence: i64,
        limit: u32,
    ) -> Result<Vec<(i64, PricePoint)>, StoreError> {
        let tables = self.read()?;
        let PriceWindow { market_id, from, to } = window;
        let bets = bets_between(&tables, market_id, after_sequence, i64::MAX);
        let inside = bets.filter(|bet| (from..to).contains(&bet.created_at));
        Ok(inside.take(limit as usize).map(price_point).collect())
    }

    async fn find_settlement(&self, market: MarketId) -> Result<Option<Settlement>, StoreError> {
        Ok(self.read()?.settlements.committed().get(&market).cloned())
    }

    async fn find_settlements(&self, markets: &[MarketId]) -> Result<Vec<Settlement>, StoreError> {
        let tables = self.read()?;
        let markets: BTreeSet<_> = markets.iter().collect();
        let found = markets.into_iter().filter_map(|id| tables.settlements.committed().get(id));
        Ok(found.cloned().collect())
    }

    async fn list_unsettled(
        &self,
        after: Option<MarketId>,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError> {
        let tables = self.read()?;
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = tables.settlements.committed().range((first, Bound::Unbounded));
        let unsettled = rows.filter(|(_, settlement)| {
            settlement.completed_at.is_none() || settlement.undo.is_some()
        });
        Ok(unsettled.map(|(market, _)| *market).take(limit as usize).collect())
    }
}
