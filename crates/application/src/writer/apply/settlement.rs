//! Closes, resolves, cancels and deletes markets, and pays their holders set by set.

use std::collections::BTreeSet;

use foretell_domain::error::DomainError;
use foretell_domain::event::DomainEvent;
use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{
    HOLDERS_PER_SET, Holding, Market, MarketError, Phase, Settlement, SettlementTerms, SplitError,
};
use foretell_domain::policy::{self, Actor, Denied};
use foretell_domain::transfer::TransferKind;
use foretell_ports::error::StoreError;
use foretell_ports::market::PaidSet;

use super::CommandHandler;
use crate::writer::batch_state::{NextSet, invariant_violation};
use crate::writer::command::Decision;
use crate::writer::outcome::MarketState;

impl CommandHandler<'_> {
    pub(super) fn close(
        &mut self,
        actor: Actor,
        id: MarketId,
    ) -> Result<Box<MarketState>, DomainError> {
        let market = self.managed_market(actor, id)?.close()?;
        Ok(self.keep(Phase::Open, market, None))
    }

    /// Closes a market for the process itself; its end date may have been moved since the job
    /// became due.
    pub(super) fn close_ended(&mut self, id: MarketId) -> Result<Box<MarketState>, DomainError> {
        let market = self.state.market(id)?.clone().close_ended(self.context.now)?;
        Ok(self.keep(Phase::Open, market, None))
    }

    pub(super) fn decide(
        &mut self,
        actor: Actor,
        id: MarketId,
        decision: &Decision,
    ) -> Result<Box<MarketState>, DomainError> {
        let decided_by = actor.user_id().ok_or(Denied::NotTheCreator)?;
        let market = self.managed_market(actor, id)?;
        let from = market.record().phase;
        // Read under the lock: the refunds of a cancellation are a fraction of exactly this
        // balance.
        let pot = self.state.account(AccountId::of_market(id))?.balance();
        let (market, terms) = match decision {
            Decision::Winner(option) => {
                let basis_points = market.winner(*option)?;
                market.resolve(basis_points)?
            }
            Decision::Split(parts) => {
                let basis_points = split(&market, parts)?;
                market.resolve(basis_points)?
            }
            Decision::Cancel => market.cancel(pot)?,
        };
        let settlement = Settlement::begin(id, terms.clone(), decided_by, self.context.now);
        self.state.add_settlement(settlement);
        Ok(self.keep(from, market, Some(terms)))
    }

    /// Refunds the subsidy to the creator, and deletes the market.
    pub(super) fn delete(&mut self, actor: Actor, id: MarketId) -> Result<(), DomainError> {
        let market = self.managed_market(actor, id)?;
        market.check_deletion()?;
        let pot_id = AccountId::of_market(id);
        if let Some(subsidy) = self.state.account(pot_id)?.balance().to_amount() {
            let order = self.order(TransferKind::Remainder, subsidy).about(id);
            self.state.post(pot_id, market.record().creator_account_id, order)?;
        }
        self.state.delete_market(id);
        Ok(())
    }

    /// Pays the next set of holders, and empties the pot after the last one. Returns `true` if
    /// nothing is left to pay.
    pub(super) fn settle(&mut self, id: MarketId) -> Result<bool, StoreError> {
        // Two steps of one market may meet in a batch. The set is read once and given to the first,
        // so that no holder is paid twice (ADR 0006).
        let Some(NextSet { mut settlement, holdings }) = self.state.take_set(id) else {
            return Ok(false);
        };
        if settlement.completed_at.is_some() {
            return Ok(true);
        }
        let payouts = settlement.payouts(&holdings);
        let kind = match settlement.terms {
            SettlementTerms::Payouts { .. } => TransferKind::Payout,
            SettlementTerms::Refunds { .. } => TransferKind::Refund,
        };
        let pot_id = AccountId::of_market(id);
        for payout in &payouts {
            let order = self.order(kind, payout.amount).about(id);
            // The pot covers every payout, so a rejection is a program error and must end the
            // batch.
            self.state
                .post(pot_id, payout.account_id, order)
                .map_err(|refusal| invariant_violation(&refusal.into()))?;
        }
        if let Some(last) = holdings.last() {
            let recorded = settlement.record_set(last.account_id, &payouts);
            recorded.map_err(|refusal| invariant_violation(&refusal.into()))?;
        }
        let owner = |holding: &Holding| self.state.account(holding.account_id).ok()?.owner();
        // A user with several accounts is named once.
        let users: BTreeSet<_> = holdings.iter().filter_map(owner).collect();
        self.state
            .emit(DomainEvent::HoldersPaid { market: id, users: users.into_iter().collect() });
        // A full last set is followed by an empty one, which saves a count of the holders.
        let is_last = holdings.len() < HOLDERS_PER_SET;
        if is_last {
            let pot =
                self.empty_pot(id, &settlement).map_err(|refusal| invariant_violation(&refusal))?;
            settlement.complete(pot, self.context.now);
        }
        let paid = PaidSet { market_id: id, payouts, at: self.context.now };
        self.state.put_set(settlement, paid);
        Ok(is_last)
    }

    /// Pays the due fees and then the remainder to the creator; returns the final balance of the
    /// pot.
    fn empty_pot(
        &mut self,
        id: MarketId,
        settlement: &Settlement,
    ) -> Result<foretell_domain::money::Balance, DomainError> {
        let pot_id = AccountId::of_market(id);
        let (fees, creator) = {
            let record = self.state.market(id)?.record();
            (settlement.fees_due(record.fees), record.creator_account_id)
        };
        if let Some(fees) = fees {
            self.state.post(
                pot_id,
                AccountId::FEES,
                self.order(TransferKind::Fee, fees).about(id),
            )?;
        }
        // Read after the fees were posted: the creator gets the fractions that the rounding left.
        if let Some(rest) = self.state.account(pot_id)?.balance().to_amount() {
            self.state.post(
                pot_id,
                creator,
                self.order(TransferKind::Remainder, rest).about(id),
            )?;
        }
        Ok(self.state.account(pot_id)?.balance())
    }

    fn managed_market(&self, actor: Actor, id: MarketId) -> Result<Market, DomainError> {
        let market = self.state.market(id)?;
        policy::may_manage_market(actor, market.record().creator_id)?;
        Ok(market.clone())
    }

    /// Stores a market in its new phase.
    fn keep(
        &mut self,
        from: Phase,
        market: Market,
        terms: Option<SettlementTerms>,
    ) -> Box<MarketState> {
        let (id, sequence) = (market.id(), market.record().bet_count);
        self.state.emit(DomainEvent::PhaseChanged { market: id, from, sequence });
        let state = MarketState { record: market.record().clone(), terms, at: self.context.now };
        self.state.put_market(market);
        Box::new(state)
    }
}

/// Returns the basis points of each option in the market's order; options left out get none.
fn split(
    market: &Market,
    parts: &[(foretell_domain::id::OptionId, u16)],
) -> Result<Vec<u16>, MarketError> {
    let mut basis_points = vec![None; market.record().options.len()];
    for (option, bps) in parts {
        let index = market.option_index(*option)?;
        let slot = basis_points.get_mut(index).ok_or(SplitError::Options)?;
        if slot.replace(*bps).is_some() {
            return Err(SplitError::Options.into());
        }
    }
    Ok(basis_points.into_iter().map(Option::unwrap_or_default).collect())
}
