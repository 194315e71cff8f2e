//! Rows of the tables `market_resolutions`, `market_disputes` and `market_debts`.

#![allow(clippy::ref_option_ref, reason = "the code that Diesel derives for an optional text")]

use diesel::prelude::*;
use foretell_domain::market::{
    Dispute, Evidence, MarketOutcome, Resolution, ResolutionStatus, Undo,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::text::{EvidenceText, EvidenceUrl, Reason};
use foretell_domain::time::Timestamp;
use foretell_ports::error::Cause;
use foretell_ports::market::{Debt, ProposalKey};

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::market::settlement_rows::{parse_basis_points, write_basis_points};
use crate::schema::{market_debts, market_disputes, market_resolutions};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = market_resolutions,
    primary_key(market_id, number),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(crate) struct ResolutionRow {
    market_id: DbId,
    pub(crate) number: i64,
    basis_points: Option<String>,
    evidence_text: Option<String>,
    evidence_url: Option<String>,
    proposed_by: DbId,
    proposed_at_us: i64,
    takes_effect_at_us: Option<i64>,
    status: String,
    dispute_count: i64,
    closed_by: Option<DbId>,
    closed_at_us: Option<i64>,
    undone_by: Option<DbId>,
    undo_reason: Option<String>,
    undone_at_us: Option<i64>,
    undo_covered_minor: Option<i64>,
    undo_completed_at_us: Option<i64>,
}

impl ResolutionRow {
    /// Returns the cursor of a proposal.
    pub(crate) fn proposal_key(&self) -> ProposalKey {
        let takes_effect_at_us = self.takes_effect_at_us.unwrap_or(self.proposed_at_us);
        ProposalKey {
            takes_effect_at: Timestamp::from_micros(takes_effect_at_us),
            market_id: self.market_id.into(),
        }
    }
}

impl TryFrom<ResolutionRow> for Resolution {
    type Error = Failure;

    fn try_from(row: ResolutionRow) -> Result<Self, Failure> {
        let id = format_args!("{}, {}", row.market_id, row.number);
        let stored = StoredRow { table: "market_resolutions", id };
        let outcome = match row.basis_points {
            Some(text) => MarketOutcome::Payouts {
                basis_points: stored.convert("basis_points", parse_basis_points(&text))?,
            },
            None => MarketOutcome::Cancellation,
        };
        let undo = match (row.undone_by, row.undo_reason, row.undone_at_us, row.undo_covered_minor)
        {
            (None, None, None, None) => None,
            (Some(by), Some(reason), Some(at_us), Some(covered_minor)) => Some(Undo {
                by: by.into(),
                reason: Reason::restore(reason),
                at: stored.time("undone_at_us", at_us)?,
                covered: Balance::from_minor(covered_minor),
                completed_at: stored
                    .optional_time("undo_completed_at_us", row.undo_completed_at_us)?,
            }),
            _ => stored.convert("undone_by", Err(Cause::from("some columns of undo are empty")))?,
        };
        Ok(Self {
            market_id: row.market_id.into(),
            number: row.number,
            outcome,
            evidence: Evidence {
                text: row.evidence_text.map(EvidenceText::restore),
                url: row.evidence_url.map(EvidenceUrl::restore),
            },
            proposed_by: row.proposed_by.into(),
            proposed_at: stored.time("proposed_at_us", row.proposed_at_us)?,
            takes_effect_at: stored.optional_time("takes_effect_at_us", row.takes_effect_at_us)?,
            status: stored.named("status", ResolutionStatus::from_name(&row.status))?,
            dispute_count: row.dispute_count,
            closed_by: row.closed_by.map(Into::into),
            closed_at: stored.optional_time("closed_at_us", row.closed_at_us)?,
            undo,
        })
    }
}

impl From<&Resolution> for ResolutionRow {
    fn from(resolution: &Resolution) -> Self {
        let undo = resolution.undo.as_ref();
        Self {
            market_id: resolution.market_id.into(),
            number: resolution.number,
            basis_points: match &resolution.outcome {
                MarketOutcome::Payouts { basis_points } => Some(write_basis_points(basis_points)),
                MarketOutcome::Cancellation => None,
            },
            evidence_text: resolution.evidence.text.as_ref().map(ToString::to_string),
            evidence_url: resolution.evidence.url.as_ref().map(ToString::to_string),
            proposed_by: resolution.proposed_by.into(),
            proposed_at_us: resolution.proposed_at.micros(),
            takes_effect_at_us: resolution.takes_effect_at.map(Timestamp::micros),
            status: resolution.status.as_str().to_owned(),
            dispute_count: resolution.dispute_count,
            closed_by: resolution.closed_by.map(DbId::from),
            closed_at_us: resolution.closed_at.map(Timestamp::micros),
            undone_by: undo.map(|undo| undo.by.into()),
            undo_reason: undo.map(|undo| undo.reason.to_string()),
            undone_at_us: undo.map(|undo| undo.at.micros()),
            undo_covered_minor: undo.map(|undo| undo.covered.minor()),
            undo_completed_at_us: undo.and_then(|undo| undo.completed_at).map(Timestamp::micros),
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = market_disputes)]
pub(crate) struct DisputeRow {
    market_id: DbId,
    number: i64,
    user_id: DbId,
    reason: String,
    created_at_us: i64,
}

impl TryFrom<DisputeRow> for Dispute {
    type Error = Failure;

    fn try_from(row: DisputeRow) -> Result<Self, Failure> {
        let id = format_args!("{}, {}, {}", row.market_id, row.number, row.user_id);
        let stored = StoredRow { table: "market_disputes", id };
        Ok(Self {
            market_id: row.market_id.into(),
            number: row.number,
            user_id: row.user_id.into(),
            reason: Reason::restore(row.reason),
            created_at: stored.time("created_at_us", row.created_at_us)?,
        })
    }
}

impl From<&Dispute> for DisputeRow {
    fn from(dispute: &Dispute) -> Self {
        Self {
            market_id: dispute.market_id.into(),
            number: dispute.number,
            user_id: dispute.user_id.into(),
            reason: dispute.reason.to_string(),
            created_at_us: dispute.created_at.micros(),
        }
    }
}

#[derive(Queryable, Selectable, Insertable, Clone, Copy)]
#[diesel(table_name = market_debts)]
pub(crate) struct DebtRow {
    pub(crate) transfer_id: DbId,
    pub(crate) account_id: DbId,
    pub(crate) market_id: DbId,
    pub(crate) amount_minor: i64,
    pub(crate) created_at_us: i64,
}

impl TryFrom<DebtRow> for Debt {
    type Error = Failure;

    fn try_from(row: DebtRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "market_debts", id: row.transfer_id };
        Ok(Self {
            transfer_id: row.transfer_id.into(),
            account_id: row.account_id.into(),
            market_id: row.market_id.into(),
            amount: stored.convert("amount_minor", Amount::new(row.amount_minor))?,
            created_at: stored.time("created_at_us", row.created_at_us)?,
        })
    }
}

impl From<&Debt> for DebtRow {
    fn from(debt: &Debt) -> Self {
        Self {
            transfer_id: debt.transfer_id.into(),
            account_id: debt.account_id.into(),
            market_id: debt.market_id.into(),
            amount_minor: debt.amount.minor(),
            created_at_us: debt.created_at.micros(),
        }
    }
}
