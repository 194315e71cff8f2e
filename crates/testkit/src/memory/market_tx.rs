//! Writes of markets, bets, holdings and settlements in memory.

use std::collections::BTreeSet;
use std::ops::Bound;

use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, UserId};
use foretell_domain::market::{
    Bet, Dispute, Holding, Market, MarketRecord, MarketRevision, MarketTexts, OptionState,
    Resolution, Settlement, Stakes,
};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::error::StoreError;
use foretell_ports::market::{Debt, MarketDetails, MarketTx, NewMarket, PaidSet, WantedHolding};
use foretell_ports::unit::Locked;

use super::posts::delete_comments;
use super::table::rejected;
use super::tables::{MarketRow, Tables};
use super::tx::MemoryTx;

impl MarketTx for MemoryTx<'_> {
    fn insert_markets(&mut self, markets: &[NewMarket]) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            for new in markets {
                insert_market(tables, new)?;
                locked.markets.insert(new.market.id());
            }
            Ok(())
        })
    }

    fn lock_markets(
        &mut self,
        ids: &BTreeSet<MarketId>,
    ) -> Result<Vec<Locked<Market>>, StoreError> {
        self.step(|tables, locked| {
            let rows = ids.iter().filter_map(|id| tables.markets.get(id));
            let rows: Vec<_> = rows.map(|row| Locked::assume(row.market.clone())).collect();
            locked.markets.extend(rows.iter().map(|market| market.id()));
            Ok(rows)
        })
    }

    fn save_markets(
        &mut self,
        markets: &[&Locked<Market>],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            for market in markets {
                locked.check_market(market.id())?;
                let stored = tables.markets.require(&market.id())?;
                let market = changed(&stored.market, market)?;
                let row = MarketRow { market, updated_at: at, ..stored.clone() };
                tables.markets.put(row.market.id(), row);
            }
            Ok(())
        })
    }

    fn get_details(&mut self, market: &Locked<Market>) -> Result<MarketDetails, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            let row = tables.markets.require(&market.id())?.clone();
            let pot = tables.accounts.get(&AccountId::of_market(market.id()));
            let pot = pot.map_or(Balance::ZERO, |row| row.account.balance());
            let MarketRow { market, texts, created_at, updated_at } = row;
            Ok(MarketDetails { market, texts, pot, created_at, updated_at })
        })
    }

    fn save_market_texts(
        &mut self,
        market: &Locked<Market>,
        texts: &MarketTexts,
    ) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            let mut row = tables.markets.require(&market.id())?.clone();
            (row.texts.name, row.texts.description) =
                (texts.name.clone(), texts.description.clone());
            let record =
                MarketRecord { ends_at: market.record().ends_at, ..row.market.record().clone() };
            row.market = restored(record)?;
            tables.markets.put(market.id(), row);
            Ok(())
        })
    }

    fn insert_revisions(&mut self, revisions: &[MarketRevision]) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            for revision in revisions {
                locked.check_market(revision.market_id)?;
                tables.revisions.insert((revision.market_id, revision.number), revision.clone())?;
            }
            Ok(())
        })
    }

    fn first_end_date(&mut self, market: &Locked<Market>) -> Result<Timestamp, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            let first = tables.revisions.get(&(market.id(), 1));
            Ok(first.map_or(market.record().ends_at, |revision| revision.ends_at))
        })
    }

    fn find_stakes(
        &mut self,
        market: &Locked<Market>,
        actor: UserId,
    ) -> Result<Stakes, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            let id = market.id();
            let all = (id, AccountId::from_u128(0), 0)
                ..=(id, AccountId::from_u128(u128::MAX), usize::MAX);
            let owner = |account: AccountId| tables.accounts.get(&account)?.account.owner();
            let holders: Vec<_> = tables
                .positions
                .range(all)
                .filter_map(|((_, account, _), _)| owner(*account))
                .collect();
            let creator = market.record().creator_id;
            Ok(Stakes {
                of_actor: holders.contains(&actor),
                of_others: holders.iter().any(|holder| *holder != creator),
            })
        })
    }

    fn delete_markets(&mut self, markets: Vec<Locked<Market>>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            for id in markets.iter().map(|market| market.id()) {
                locked.check_market(id)?;
                tables.markets.require(&id)?;
                if tables.settlements.get(&id).is_some() {
                    return Err(rejected(format!("{id:?} has a settlement")));
                }
                delete_comments(tables, |comment| comment.subject == id.into());
                let revisions = tables.revisions.range((id, 0)..=(id, i64::MAX));
                let revisions: Vec<_> = revisions.map(|(key, _)| *key).collect();
                for key in revisions {
                    tables.revisions.remove(key);
                }
                let resolutions = tables.resolutions.range((id, 0)..=(id, i64::MAX));
                let resolutions: Vec<_> = resolutions.map(|(key, _)| *key).collect();
                for key in resolutions {
                    tables.resolutions.remove(key);
                }
                tables.markets.remove(id);
            }
            Ok(())
        })
    }

    fn find_holdings(&mut self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError> {
        let wanted: BTreeSet<_> = wanted.iter().collect();
        self.step(|tables, locked| {
            let mut found = Vec::new();
            for WantedHolding { market_id, account_id, option_count } in wanted {
                locked.check_market(*market_id)?;
                let from = (*market_id, *account_id, 0);
                let rows = tables.positions.range(from..=(*market_id, *account_id, usize::MAX));
                let holding =
                    rows.fold(None, |holding: Option<Holding>, ((_, _, index), position)| {
                        let empty = || Holding::empty(*market_id, *account_id, *option_count);
                        let mut holding = holding.unwrap_or_else(empty);
                        holding.positions[*index] = *position;
                        Some(holding)
                    });
                found.extend(holding);
            }
            Ok(found)
        })
    }

    fn save_positions(&mut self, positions: &[(&Holding, usize)]) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            for (holding, index) in positions {
                locked.check_market(holding.market_id)?;
                tables.accounts.require(&holding.account_id)?;
                let market = &tables.markets.require(&holding.market_id)?.market;
                let position = holding
                    .positions
                    .get(*index)
                    .filter(|_| *index < market.record().options.len());
                let position =
                    *position.ok_or_else(|| rejected(format!("no option {index} to hold")))?;
                tables.positions.put((holding.market_id, holding.account_id, *index), position);
            }
            Ok(())
        })
    }

    fn list_holdings_after(
        &mut self,
        market: &Locked<Market>,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Holding>, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            Ok(holdings_after(tables, market, after, limit))
        })
    }

    fn find_bets(&mut self, ids: &[BetId]) -> Result<Vec<Bet>, StoreError> {
        let ids: BTreeSet<_> = ids.iter().collect();
        self.step(|tables, _| {
            Ok(ids.into_iter().filter_map(|id| tables.bets.get(id)).cloned().collect())
        })
    }

    fn find_traded_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError> {
        self.step(|tables, _| {
            let has_traded = |(account, id): &(AccountId, ClientId)| {
                let by_id = tables.bets.get(&BetId::from_u128(id.as_u128()));
                tables.traded_as.get(&(*account, *id)).is_some()
                    || by_id.is_some_and(|bet| bet.account_id == *account)
            };
            Ok(names.iter().copied().filter(has_traded).collect())
        })
    }

    fn insert_bets(&mut self, bets: &[Bet]) -> Result<(), StoreError> {
        self.step(|tables, _| bets.iter().try_for_each(|bet| insert_bet(tables, bet)))
    }

    fn insert_settlement(&mut self, settlement: &Settlement) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_market(settlement.market_id)?;
            tables.users.require(&settlement.decided_by)?;
            tables.settlements.insert(settlement.market_id, settlement.clone())
        })
    }

    fn lock_settlement(
        &mut self,
        market: &Locked<Market>,
    ) -> Result<Option<Locked<Settlement>>, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            Ok(tables.settlements.get(&market.id()).cloned().map(Locked::assume))
        })
    }

    fn save_settlement(&mut self, settlement: &Locked<Settlement>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_market(settlement.market_id)?;
            let stored = tables.settlements.require(&settlement.market_id)?.clone();
            let Settlement { cursor, holders_paid, paid, completed_at, undo, .. } = **settlement;
            let row = Settlement { cursor, holders_paid, paid, completed_at, undo, ..stored };
            tables.settlements.put(row.market_id, row);
            Ok(())
        })
    }

    fn insert_payouts(&mut self, set: &PaidSet) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_market(set.market_id)?;
            for payout in &set.payouts {
                tables.accounts.require(&payout.account_id)?;
                tables.payouts.insert((set.market_id, payout.account_id), (*payout, set.at))?;
            }
            Ok(())
        })
    }

    fn list_payments_before(
        &mut self,
        market: &Locked<Market>,
        before: i64,
        limit: usize,
    ) -> Result<Vec<Transfer>, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            let pot = AccountId::of_market(market.id());
            let ids = tables.account_versions.range((pot, 0)..(pot, before));
            let mut payments: Vec<_> = ids
                .filter_map(|(_, id)| tables.transfers.get(id))
                .filter(|payment| payment.debit.account_id == pot && payment.kind.settles())
                .filter(|payment| tables.reversals.get(&payment.id).is_none())
                .cloned()
                .collect();
            payments.reverse();
            payments.truncate(limit);
            Ok(payments)
        })
    }

    fn delete_payouts(
        &mut self,
        market: &Locked<Market>,
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            for account in accounts {
                let key = (market.id(), *account);
                tables.payouts.require(&key)?;
                tables.payouts.remove(key);
            }
            Ok(())
        })
    }

    fn delete_settlement(&mut self, settlement: Locked<Settlement>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_market(settlement.market_id)?;
            tables.settlements.require(&settlement.market_id)?;
            tables.settlements.remove(settlement.market_id);
            Ok(())
        })
    }

    fn insert_debts(&mut self, debts: &[Debt]) -> Result<(), StoreError> {
        self.step(|tables, _| {
            debts.iter().try_for_each(|debt| tables.debts.insert(debt.transfer_id, *debt))
        })
    }

    fn find_newest_resolution(
        &mut self,
        market: &Locked<Market>,
    ) -> Result<Option<Resolution>, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            let id = market.id();
            let newest = tables.resolutions.range((id, 0)..=(id, i64::MAX)).last();
            Ok(newest.map(|(_, resolution)| resolution.clone()))
        })
    }

    fn save_resolutions(&mut self, resolutions: &[&Resolution]) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            for resolution in resolutions {
                locked.check_market(resolution.market_id)?;
                tables.users.require(&resolution.proposed_by)?;
                let key = (resolution.market_id, resolution.number);
                tables.resolutions.put(key, (*resolution).clone());
            }
            Ok(())
        })
    }

    fn insert_dispute(&mut self, dispute: &Dispute) -> Result<bool, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(dispute.market_id)?;
            tables.resolutions.require(&(dispute.market_id, dispute.number))?;
            let key = (dispute.market_id, dispute.number, dispute.user_id);
            if tables.disputes.get(&key).is_some() {
                return Ok(false);
            }
            tables.disputes.insert(key, dispute.clone())?;
            Ok(true)
        })
    }
}

fn insert_market(tables: &mut Tables, new: &NewMarket) -> Result<(), StoreError> {
    let NewMarket { market, texts, created_at } = new;
    let record = market.record();
    tables.users.require(&record.creator_id)?;
    tables.accounts.require(&record.creator_account_id)?;
    if record.options.len() != texts.options().len() {
        return Err(rejected(format!("{:?} has other options than its texts", record.id)));
    }
    let (created_at, updated_at) = (*created_at, *created_at);
    let row = MarketRow { market: market.clone(), texts: texts.clone(), created_at, updated_at };
    tables.markets.insert(record.id, row)
}

/// Returns the stored market with the fields that a save changes: phase, outstanding shares, sums,
/// counts and version.
fn changed(stored: &Market, saved: &Market) -> Result<Market, StoreError> {
    let (stored, saved) = (stored.record(), saved.record().clone());
    let options = stored.options.iter().zip(&saved.options);
    let record = MarketRecord {
        options: options
            .map(|(old, new)| OptionState { outstanding: new.outstanding, ..*old })
            .collect(),
        creator_id: stored.creator_id,
        creator_account_id: stored.creator_account_id,
        ends_at: stored.ends_at,
        subsidy: stored.subsidy,
        fee_bps: stored.fee_bps,
        ..saved
    };
    restored(record)
}

fn restored(record: MarketRecord) -> Result<Market, StoreError> {
    Market::restore(record).map_err(|error| StoreError::Rejected(error.into()))
}

fn holdings_after(
    tables: &Tables,
    market: &Market,
    after: Option<AccountId>,
    limit: usize,
) -> Vec<Holding> {
    let (id, options) = (market.id(), market.record().options.len());
    let first = match after {
        Some(account) => Bound::Excluded((id, account, usize::MAX)),
        None => Bound::Included((id, AccountId::from_u128(0), 0)),
    };
    let last = Bound::Included((id, AccountId::from_u128(u128::MAX), usize::MAX));
    let mut holdings: Vec<Holding> = Vec::new();
    for ((_, account, index), position) in tables.positions.range((first, last)) {
        if holdings.last().is_none_or(|holding| holding.account_id != *account) {
            if holdings.len() == limit {
                break;
            }
            holdings.push(Holding::empty(id, *account, options));
        }
        if let Some(holding) = holdings.last_mut() {
            holding.positions[*index] = *position;
        }
    }
    holdings
}

fn insert_bet(tables: &mut Tables, bet: &Bet) -> Result<(), StoreError> {
    let market = &tables.markets.require(&bet.market_id)?.market;
    market.option_index(bet.option_id).map_err(|error| StoreError::Rejected(error.into()))?;
    tables.users.require(&bet.user_id)?;
    tables.accounts.require(&bet.account_id)?;
    tables.transfers.require(&bet.transfer_id)?;
    if let Some(client_id) = bet.client_id {
        tables.traded_as.insert((bet.account_id, client_id), bet.id)?;
    }
    tables.bets_by_sequence.insert((bet.market_id, bet.fill.sequence), bet.id)?;
    tables.bets.insert(bet.id, bet.clone())
}
