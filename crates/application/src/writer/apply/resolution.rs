//! Decides markets, proposes their outcomes, and orders the undoing of their settlements.

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, MarketId, UserId};
use foretell_domain::market::{
    DecisionRight, Evidence, Market, MarketError, MarketOutcome, Phase, Resolution,
    ResolutionStatus, Settlement,
};
use foretell_domain::policy::{self, Actor, Denied};
use foretell_ports::unit::Tx;

use super::CommandHandler;
use crate::error::AppError;
use crate::writer::batch_state::invariant_violation;
use crate::writer::command::{DecideMarket, UndoSettlement};
use crate::writer::outcome::{MarketState, Outcome};

impl CommandHandler<'_> {
    /// Decides a market, confirms or overrules a proposal, or proposes.
    pub(super) fn decide(
        &mut self,
        tx: &mut dyn Tx,
        actor: Actor,
        command: &DecideMarket,
    ) -> Result<Outcome, AppError> {
        let DecideMarket { market_id, decision, evidence, is_propose_only } = command;
        let by = actor.user_id().ok_or(Denied::NotTheCreator)?;
        let market = self.managed_market(actor, *market_id)?;
        let outcome = decision.outcome_for(&market)?;
        // A proposal that could never take effect is rejected as well.
        self.check_outcome(&market, &outcome)?;
        let newest = self.state.newest_resolution(tx, *market_id)?.cloned();
        let has_stake = self.state.has_stake(tx, *market_id, by)?;
        let number = newest.as_ref().map_or(1, |newest| newest.number + 1);
        let pending = newest.filter(Resolution::is_pending);
        let rules = &self.context.rules;
        let right = DecisionRight::of(
            actor,
            &market,
            pending.as_ref(),
            has_stake,
            *is_propose_only,
            rules,
        )?;
        let (now, evidence) = (self.context.now, evidence.clone());
        if right == DecisionRight::Propose {
            let times = (now, rules.challenge);
            let proposal = Resolution::propose(*market_id, number, outcome, evidence, by, times);
            return Ok(Outcome::ResolutionChanged(self.propose(market, proposal)?));
        }
        match pending {
            Some(mut proposal) if proposal.outcome == outcome => {
                proposal.close(ResolutionStatus::Applied, by, now)?;
                self.state.put_resolution(proposal);
            }
            pending => {
                if let Some(mut proposal) = pending {
                    proposal.close(ResolutionStatus::Rejected, by, now)?;
                    self.state.put_resolution(proposal);
                }
                let made =
                    Resolution::decide(*market_id, number, outcome.clone(), evidence, by, now);
                self.state.put_resolution(made);
            }
        }
        Ok(Outcome::MarketChanged(self.settle_by(market, &outcome, by)?))
    }

    /// Lets a proposal take effect whose challenge time has passed without a dispute.
    pub(super) fn apply_proposal(
        &mut self,
        tx: &mut dyn Tx,
        id: MarketId,
    ) -> Result<Box<MarketState>, AppError> {
        let market = self.state.market(id)?.clone();
        let newest = self.state.newest_resolution(tx, id)?.cloned();
        let mut proposal = newest.ok_or(MarketError::NoProposal)?;
        proposal.take_effect(self.context.now)?;
        let (outcome, by) = (proposal.outcome.clone(), proposal.proposed_by);
        let state = self.settle_by(market, &outcome, by)?;
        self.state.put_resolution(proposal);
        Ok(state)
    }

    /// Orders the undoing of a settlement; the payments are taken back set by set.
    pub(super) fn undo(
        &mut self,
        tx: &mut dyn Tx,
        actor: Actor,
        command: &UndoSettlement,
    ) -> Result<Box<Resolution>, AppError> {
        let UndoSettlement { market_id, reason } = command;
        policy::may_administer(actor)?;
        let by = actor.user_id().ok_or(Denied::AdminsOnly)?;
        let phase = self.state.market(*market_id)?.record().phase;
        let (now, not_decided) = (self.context.now, MarketError::NotDecided { phase });
        if !matches!(phase, Phase::Resolved | Phase::Cancelled) {
            return Err(DomainError::from(not_decided).into());
        }
        let newest = self.state.newest_resolution(tx, *market_id)?.cloned();
        let undone = self.state.change_settlement(tx, *market_id, |settlement| {
            settlement.undo(now).map(|()| settlement.clone())
        })?;
        let settlement = undone.ok_or(not_decided)??;
        let next_number = newest.as_ref().map_or(1, |newest| newest.number + 1);
        // A program of the version before decides without storing a resolution.
        let mut resolution = newest
            .filter(|newest| newest.status == ResolutionStatus::Applied)
            .unwrap_or_else(|| resolution_of(&settlement, next_number));
        resolution.undo(by, reason.clone(), now)?;
        self.state.put_resolution(resolution.clone());
        Ok(Box::new(resolution))
    }

    /// Stores a proposal. Trading ends: from now on, whoever trades would know the outcome.
    fn propose(
        &mut self,
        market: Market,
        proposal: Resolution,
    ) -> Result<Box<Resolution>, DomainError> {
        if market.record().phase == Phase::Open {
            self.keep(Phase::Open, market.close()?, None);
        }
        self.state.put_resolution(proposal.clone());
        Ok(Box::new(proposal))
    }

    fn check_outcome(&self, market: &Market, outcome: &MarketOutcome) -> Result<(), DomainError> {
        let pot = self.state.account(AccountId::of_market(market.id()))?.balance();
        Ok(market.clone().decide(outcome, pot).map(drop)?)
    }

    /// Decides a market and begins its settlement.
    fn settle_by(
        &mut self,
        market: Market,
        outcome: &MarketOutcome,
        by: UserId,
    ) -> Result<Box<MarketState>, DomainError> {
        let (id, from) = (market.id(), market.record().phase);
        // Read under the lock: the refunds of a cancellation are a fraction of exactly this
        // balance.
        let pot = self.state.account(AccountId::of_market(id))?.balance();
        let (market, terms) = market.decide(outcome, pot)?;
        let settlement = Settlement::begin(id, terms.clone(), by, self.context.now);
        self.state.add_settlement(settlement);
        Ok(self.keep(from, market, Some(terms)))
    }

    /// Records that all payments of a settlement are back in the pot, after which the market waits
    /// for another decision.
    pub(super) fn complete_undo(
        &mut self,
        tx: &mut dyn Tx,
        settlement: &Settlement,
    ) -> Result<(), AppError> {
        let id = settlement.market_id;
        let market = self.state.market(id)?.clone();
        let from = market.record().phase;
        let undone = market.into_undecided();
        let market = undone.map_err(|refusal| invariant_violation(&refusal.into()))?;
        if let Some(mut resolution) = self.state.newest_resolution(tx, id)?.cloned() {
            let covered = settlement.undo.map(|undo| undo.covered).unwrap_or_default();
            resolution.complete_undo(covered, self.context.now);
            self.state.put_resolution(resolution);
        }
        self.keep(from, market, None);
        Ok(())
    }
}

/// Returns the resolution that a settlement carries out.
fn resolution_of(settlement: &Settlement, number: i64) -> Resolution {
    let Settlement { market_id, terms, decided_by, decided_at, .. } = settlement;
    let (outcome, evidence) = (terms.outcome(), Evidence::default());
    Resolution::decide(*market_id, number, outcome, evidence, *decided_by, *decided_at)
}
