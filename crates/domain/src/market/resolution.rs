//! Resolutions: how a market was decided, or is proposed to be.
//!
//! Users with a part in a market cannot decide it alone: their resolution is a proposal, which takes
//! effect after a challenge time unless a holder disputes it. Then staff without a part in the market
//! decide.

use std::time::Duration;

use super::{Market, MarketError};
use crate::error::DomainError;
use crate::id::{MarketId, UserId};
use crate::money::Balance;
use crate::policy::{self, Actor, Denied};
use crate::text::{EvidenceText, EvidenceUrl, Reason};
use crate::time::Timestamp;

/// Rules that the operator sets for all markets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketRules {
    /// `true` if every resolution is a proposal at first.
    pub always_propose: bool,
    /// Time during which holders can dispute a proposal.
    pub challenge: Duration,
    /// `true` if creators may buy shares in their own markets.
    pub creator_may_trade: bool,
}

impl Default for MarketRules {
    /// A challenge time of 24 hours; only those with a part in a market propose.
    fn default() -> Self {
        Self { always_propose: false, challenge: Duration::from_hours(24), creator_may_trade: true }
    }
}

impl MarketRules {
    /// Checks that an actor may buy shares of a market. Everyone may sell those that they hold.
    ///
    /// # Errors
    /// [`MarketError::CreatorMayNotTrade`].
    pub fn check_buyer(&self, actor: Actor, market: &Market) -> Result<(), MarketError> {
        if !self.creator_may_trade && actor.is_user(market.record().creator_id) {
            return Err(MarketError::CreatorMayNotTrade);
        }
        Ok(())
    }
}

/// Outcome of a market: the use of its pot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MarketOutcome {
    /// Each share pays this part of one unit, in basis points, one number for each option, 10,000
    /// in total.
    Payouts {
        /// One number for each option.
        basis_points: Vec<u16>,
    },
    /// The stakes are refunded.
    Cancellation,
}

/// Evidence for a resolution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evidence {
    /// Explanation.
    pub text: Option<EvidenceText>,
    /// Source.
    pub url: Option<EvidenceUrl>,
}

/// Status of a resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum ResolutionStatus {
    /// A proposal that has not taken effect.
    Proposed,
    /// It has taken effect.
    Applied,
    /// A proposal that staff have rejected.
    Rejected,
    /// A proposal that its proposer has taken back.
    Withdrawn,
    /// It had taken effect, and its settlement was undone.
    Undone,
}

impl ResolutionStatus {
    const ALL: [Self; 5] =
        [Self::Proposed, Self::Applied, Self::Rejected, Self::Withdrawn, Self::Undone];

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Undone => "undone",
        }
    }

    /// Returns the status with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The undoing of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Undo {
    /// Admin who has ordered it.
    pub by: UserId,
    /// Why.
    pub reason: Reason,
    /// Time of the order.
    pub at: Timestamp,
    /// Money that the treasury has paid so far for holders who no longer had it, in minor units:
    /// they owe it.
    pub covered: Balance,
    /// Time at which all money was back in the pot.
    pub completed_at: Option<Timestamp>,
}

/// One resolution of a market. Only the newest one of a market can change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Resolution {
    /// The market.
    pub market_id: MarketId,
    /// Number in the market, from 1 without gaps.
    pub number: i64,
    /// Outcome.
    pub outcome: MarketOutcome,
    /// Evidence.
    pub evidence: Evidence,
    /// User who has proposed or made it.
    pub proposed_by: UserId,
    /// Time of the proposal or decision.
    pub proposed_at: Timestamp,
    /// Time from which an undisputed proposal takes effect; `None` for a resolution that took
    /// effect at once.
    pub takes_effect_at: Option<Timestamp>,
    /// Status.
    pub status: ResolutionStatus,
    /// Number of users who have disputed it.
    pub dispute_count: i64,
    /// User who has confirmed, rejected or withdrawn the proposal; `None` while it waits, and if it
    /// took effect by time.
    pub closed_by: Option<UserId>,
    /// Time at which it took effect, or was rejected or withdrawn.
    pub closed_at: Option<Timestamp>,
    /// The undoing of its settlement, if there was one.
    pub undo: Option<Undo>,
}

impl Resolution {
    /// Proposes how to decide a market.
    pub fn propose(
        market_id: MarketId,
        number: i64,
        outcome: MarketOutcome,
        evidence: Evidence,
        by: UserId,
        (now, challenge): (Timestamp, Duration),
    ) -> Self {
        Self {
            market_id,
            number,
            outcome,
            evidence,
            proposed_by: by,
            proposed_at: now,
            takes_effect_at: Some(now.plus(challenge)),
            status: ResolutionStatus::Proposed,
            dispute_count: 0,
            closed_by: None,
            closed_at: None,
            undo: None,
        }
    }

    /// Records a decision that takes effect at once.
    pub fn decide(
        market_id: MarketId,
        number: i64,
        outcome: MarketOutcome,
        evidence: Evidence,
        by: UserId,
        now: Timestamp,
    ) -> Self {
        let proposal =
            Self::propose(market_id, number, outcome, evidence, by, (now, Duration::ZERO));
        Self {
            takes_effect_at: None,
            status: ResolutionStatus::Applied,
            closed_by: Some(by),
            closed_at: Some(now),
            ..proposal
        }
    }

    /// Returns `true` if it is a proposal that waits.
    pub fn is_pending(&self) -> bool {
        self.status == ResolutionStatus::Proposed
    }

    /// Returns `true` if it is a proposal that nobody has disputed and whose challenge time has
    /// passed.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let is_over = self.takes_effect_at.is_none_or(|at| at <= now);
        self.is_pending() && self.dispute_count == 0 && is_over
    }

    /// Ends the proposal for the user who decides it.
    ///
    /// # Errors
    /// [`MarketError::NoProposal`] if it waits no longer.
    pub fn close(
        &mut self,
        status: ResolutionStatus,
        by: UserId,
        now: Timestamp,
    ) -> Result<(), MarketError> {
        if !self.is_pending() {
            return Err(MarketError::NoProposal);
        }
        (self.status, self.closed_by, self.closed_at) = (status, Some(by), Some(now));
        Ok(())
    }

    /// Ends the proposal without deciding the market: withdraws it for its proposer, rejects it for
    /// staff without a part in the market.
    ///
    /// # Errors
    /// [`Denied::NotAJudge`] for everyone else, [`MarketError::NoProposal`] if it waits no longer.
    pub fn end(
        &mut self,
        actor: Actor,
        market: &Market,
        has_stake: bool,
        now: Timestamp,
    ) -> Result<(), DomainError> {
        let by = actor.user_id().ok_or(Denied::NotAJudge)?;
        let status = if by == self.proposed_by {
            ResolutionStatus::Withdrawn
        } else if policy::is_uninvolved_staff(actor, market.record().creator_id, has_stake) {
            ResolutionStatus::Rejected
        } else {
            return Err(Denied::NotAJudge.into());
        };
        Ok(self.close(status, by, now)?)
    }

    /// Lets the proposal take effect because nobody has disputed it in time.
    ///
    /// # Errors
    /// [`MarketError::NoProposal`] if it waits no longer, [`MarketError::ProposalNotDue`] if it is
    /// disputed or its challenge time has not passed.
    pub fn take_effect(&mut self, now: Timestamp) -> Result<(), MarketError> {
        if !self.is_pending() {
            return Err(MarketError::NoProposal);
        }
        if !self.is_due(now) {
            return Err(MarketError::ProposalNotDue);
        }
        (self.status, self.closed_at) = (ResolutionStatus::Applied, Some(now));
        Ok(())
    }

    /// Counts a dispute, after which only staff without a part in the market can let the proposal
    /// take effect.
    ///
    /// # Errors
    /// [`MarketError::NoProposal`] if it waits no longer.
    pub fn dispute(&mut self) -> Result<(), MarketError> {
        if !self.is_pending() {
            return Err(MarketError::NoProposal);
        }
        self.dispute_count += 1;
        Ok(())
    }

    /// Orders the undoing of its settlement.
    ///
    /// # Errors
    /// [`MarketError::BeingUndone`] if that is ordered already.
    pub fn undo(&mut self, by: UserId, reason: Reason, now: Timestamp) -> Result<(), MarketError> {
        if self.undo.is_some() {
            return Err(MarketError::BeingUndone);
        }
        self.status = ResolutionStatus::Undone;
        let (covered, completed_at) = (Balance::ZERO, None);
        self.undo = Some(Undo { by, reason, at: now, covered, completed_at });
        Ok(())
    }

    /// Records that all money is back in the pot, of which the treasury has covered this part.
    pub const fn complete_undo(&mut self, covered: Balance, now: Timestamp) {
        if let Some(undo) = &mut self.undo {
            (undo.covered, undo.completed_at) = (covered, Some(now));
        }
    }
}

/// A dispute of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dispute {
    /// The market.
    pub market_id: MarketId,
    /// Number of the proposal.
    pub number: i64,
    /// User who disputes.
    pub user_id: UserId,
    /// Why.
    pub reason: Reason,
    /// Time of the dispute.
    pub created_at: Timestamp,
}

/// Right of an actor who may manage a market to decide its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionRight {
    /// Decide at once, also about a proposal that waits.
    Decide,
    /// Propose.
    Propose,
}

impl DecisionRight {
    /// Returns the right of an actor. `has_stake` is `true` if they hold or have held shares,
    /// `is_propose_only` if their credential or the operator allows only proposals, each for its
    /// reason.
    ///
    /// # Errors
    /// [`MarketError::ProposalPending`] if a proposal waits that the actor cannot decide: that is
    /// for staff other than the market's creator and the proposer, and without a stake.
    pub fn of(
        actor: Actor,
        market: &Market,
        pending: Option<&Resolution>,
        has_stake: bool,
        is_propose_only: bool,
        rules: &MarketRules,
    ) -> Result<Self, MarketError> {
        let Some(pending) = pending else {
            let is_proposal = has_stake || is_propose_only || rules.always_propose;
            return Ok(if is_proposal { Self::Propose } else { Self::Decide });
        };
        let is_judge = policy::is_uninvolved_staff(actor, market.record().creator_id, has_stake)
            && !actor.is_user(pending.proposed_by);
        if is_judge && !is_propose_only {
            Ok(Self::Decide)
        } else {
            Err(MarketError::ProposalPending)
        }
    }
}
