//! Resources created by a history so far, for later steps.

use std::collections::HashSet;

use foretell_application::Caller;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, OptionId, TransferId};
use foretell_domain::market::{MarketRecord, Phase};
use foretell_testkit::SeededIds;

use super::action::{Action, Answer, Effect, Step};
use super::world::World;

/// Resources in the order of their creation.
pub(super) struct State {
    pub(super) users: Vec<Caller>,
    pub(super) markets: Vec<MarketRecord>,
    pub(super) transfers: Vec<TransferId>,
    pub(super) bets: Vec<BetId>,
    /// Users who bought something, and what.
    pub(super) buyers: Vec<(Caller, MarketId, OptionId)>,
    /// Markets whose outcome was proposed, and markets that were decided, the newest last.
    pub(super) proposed: Vec<MarketId>,
    pub(super) decisions: Vec<MarketId>,
    /// Markets that are decided or deleted.
    pub(super) decided: HashSet<MarketId>,
    pub(super) steps: Vec<Step>,
    /// Source of client ids.
    pub(super) chosen: SeededIds,
    /// Client ids used so far, by anyone.
    pub(super) client_ids: Vec<ClientId>,
    /// Number of keys and names generated.
    pub(super) made: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            markets: Vec::new(),
            transfers: Vec::new(),
            bets: Vec::new(),
            buyers: Vec::new(),
            proposed: Vec::new(),
            decisions: Vec::new(),
            decided: HashSet::new(),
            steps: Vec::new(),
            chosen: SeededIds::new(1 << 40),
            client_ids: Vec::new(),
            made: 0,
        }
    }
}

impl State {
    /// Remembers the result of a step.
    pub(super) fn learn(&mut self, step: &Step, answer: &Answer) {
        self.steps.push(step.clone());
        match &step.action {
            Action::Bet(target, order) if answer.is_done => {
                self.buyers.push((step.caller.clone(), target.market_id, order.option_id));
            }
            Action::Decide(market, _) if answer.is_done => {
                let is_proposal = answer.text.contains("Proposed(");
                let made = if is_proposal { &mut self.proposed } else { &mut self.decisions };
                made.push(*market);
                self.decided.insert(*market);
            }
            Action::Delete(market) if answer.is_done => {
                self.decided.insert(*market);
            }
            _ => {}
        }
        self.users.extend(Step::caller_of(&answer.effect));
        match &answer.effect {
            Effect::Transfers(ids) => {
                let new: Vec<_> =
                    ids.iter().filter(|id| !self.transfers.contains(id)).copied().collect();
                self.transfers.extend(new);
            }
            Effect::Market(record) if self.markets.iter().all(|state| state.id != record.id) => {
                self.markets.push((**record).clone());
            }
            Effect::Bet(bet, transfer) if !self.bets.contains(bet) => {
                self.bets.push(*bet);
                self.transfers.push(*transfer);
            }
            _ => {}
        }
    }

    /// Returns every account.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        let users = self.users.iter().map(|user| user.account_id);
        let pots = self.markets.iter().map(|market| AccountId::of_market(market.id));
        [AccountId::TREASURY, AccountId::FEES].into_iter().chain(users).chain(pots).collect()
    }

    /// Returns the markets that are neither decided nor deleted.
    pub(super) async fn undecided(&self, world: &World) -> Vec<MarketId> {
        let mut undecided = Vec::new();
        for market in &self.markets {
            let found = world.markets.find_market(market.id).await.unwrap();
            let phase = found.map(|found| found.market.record().phase);
            if matches!(phase, Some(Phase::Open | Phase::Closed)) {
                undecided.push(market.id);
            }
        }
        undecided
    }
}
