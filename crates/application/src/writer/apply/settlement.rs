//! Closes and deletes markets, and pays their holders set by set, or takes the payments back.

use std::collections::BTreeSet;

use foretell_domain::error::DomainError;
use foretell_domain::event::DomainEvent;
use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{
    HOLDERS_PER_SET, Holding, Market, Phase, Settlement, SettlementTerms,
};
use foretell_domain::policy::{self, Actor};
use foretell_domain::transfer::{TransferKind, reversal_of_payment, shortfall};
use foretell_ports::error::StoreError;
use foretell_ports::market::{Debt, PaidSet};
use foretell_ports::unit::Tx;

use super::CommandHandler;
use crate::error::AppError;
use crate::writer::batch_state::{NextSet, UndoneSet, invariant_violation};
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

    /// Pays the next set of holders, and empties the pot after the last one; or takes the next set
    /// of payments back. Returns `true` if nothing is left to do.
    pub(super) fn settle(&mut self, tx: &mut dyn Tx, id: MarketId) -> Result<bool, AppError> {
        // Two steps of one market may meet in a batch. The set is read once and given to the first,
        // so that no holder is paid twice (ADR 0006).
        let Some(set) = self.state.take_set(id) else { return Ok(false) };
        if set.settlement.undo.is_some() {
            return self.take_back(tx, set);
        }
        if set.settlement.completed_at.is_some() {
            return Ok(true);
        }
        Ok(self.pay_holders(set)?)
    }

    fn pay_holders(&mut self, set: NextSet) -> Result<bool, StoreError> {
        let NextSet { mut settlement, holdings, .. } = set;
        let id = settlement.market_id;
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

    /// Takes a set of payments back into the pot. What a recipient no longer has is paid by the
    /// treasury and recorded as a debt (ADR 0041).
    fn take_back(&mut self, tx: &mut dyn Tx, set: NextSet) -> Result<bool, AppError> {
        let NextSet { mut settlement, payments, .. } = set;
        let (id, now) = (settlement.market_id, self.context.now);
        let mut undone = UndoneSet { market_id: id, holders: Vec::new(), debts: Vec::new() };
        for payment in &payments {
            let account_id = payment.credit.account_id;
            let covered = shortfall(&self.state.account(account_id)?, payment.amount);
            if let Some(amount) = covered {
                let order = self.order(TransferKind::Cover, amount).about(id);
                let cover = self.state.post(AccountId::TREASURY, account_id, order);
                let transfer_id = cover.map_err(|refusal| invariant_violation(&refusal.into()))?.id;
                let debt = Debt { transfer_id, account_id, market_id: id, amount, created_at: now };
                undone.debts.push(debt);
            }
            let order = reversal_of_payment(payment, self.next_transfer_id(), now);
            let order = order.ok_or(AppError::Internal("a payment that no settlement makes"))?;
            self.state
                .post(account_id, AccountId::of_market(id), order)
                .map_err(|refusal| invariant_violation(&refusal.into()))?;
            let recorded = settlement.record_undone(payment, covered);
            recorded.map_err(|refusal| invariant_violation(&refusal.into()))?;
            undone.holders.extend(payment.kind.pays_holders().then_some(account_id));
        }
        let is_last = payments.len() < HOLDERS_PER_SET;
        if is_last {
            self.complete_undo(tx, &settlement)?;
            self.state.delete_settlement(settlement, undone);
        } else {
            self.state.put_undone_set(settlement, undone);
        }
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

    pub(super) fn managed_market(&self, actor: Actor, id: MarketId) -> Result<Market, DomainError> {
        let market = self.state.market(id)?;
        policy::may_manage_market(actor, market.record().creator_id)?;
        Ok(market.clone())
    }

    /// Stores a market in its new phase.
    pub(super) fn keep(
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
