//! Format 1 of resolutions, in outcomes.

use std::borrow::Cow;

use foretell_domain::id::{MarketId, UserId};
use foretell_domain::market::{Evidence, MarketOutcome, Resolution, ResolutionStatus, Undo};
use foretell_domain::money::Balance;
use foretell_domain::text::{EvidenceText, EvidenceUrl, Reason};
use foretell_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct ResolutionV1<'a> {
    market_id: MarketId,
    number: i64,
    /// Absent for a cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    basis_points: Option<Cow<'a, [u16]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence_text: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence_url: Option<Cow<'a, str>>,
    proposed_by: UserId,
    proposed_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    takes_effect_at: Option<i64>,
    status: Cow<'a, str>,
    dispute_count: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<UndoV1<'a>>,
}

#[derive(Serialize, Deserialize)]
struct UndoV1<'a> {
    by: UserId,
    reason: Cow<'a, str>,
    at: i64,
    covered: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    completed_at: Option<i64>,
}

impl<'a> From<&'a Resolution> for ResolutionV1<'a> {
    fn from(resolution: &'a Resolution) -> Self {
        let Evidence { text, url } = &resolution.evidence;
        Self {
            market_id: resolution.market_id,
            number: resolution.number,
            basis_points: match &resolution.outcome {
                MarketOutcome::Payouts { basis_points } => Some(basis_points.into()),
                MarketOutcome::Cancellation => None,
            },
            evidence_text: text.as_ref().map(|text| text.as_str().into()),
            evidence_url: url.as_ref().map(|url| url.as_str().into()),
            proposed_by: resolution.proposed_by,
            proposed_at: resolution.proposed_at.micros(),
            takes_effect_at: resolution.takes_effect_at.map(Timestamp::micros),
            status: resolution.status.as_str().into(),
            dispute_count: resolution.dispute_count,
            closed_by: resolution.closed_by,
            closed_at: resolution.closed_at.map(Timestamp::micros),
            undo: resolution.undo.as_ref().map(|undo| UndoV1 {
                by: undo.by,
                reason: undo.reason.as_str().into(),
                at: undo.at.micros(),
                covered: undo.covered.minor(),
                completed_at: undo.completed_at.map(Timestamp::micros),
            }),
        }
    }
}

impl ResolutionV1<'_> {
    /// Returns the resolution; `None` if a value is not valid.
    pub(super) fn into_resolution(self) -> Option<Resolution> {
        Some(Resolution {
            market_id: self.market_id,
            number: self.number,
            outcome: match self.basis_points {
                Some(basis_points) => {
                    MarketOutcome::Payouts { basis_points: basis_points.into_owned() }
                }
                None => MarketOutcome::Cancellation,
            },
            evidence: Evidence {
                text: self.evidence_text.map(EvidenceText::restore),
                url: self.evidence_url.map(EvidenceUrl::restore),
            },
            proposed_by: self.proposed_by,
            proposed_at: Timestamp::from_micros(self.proposed_at),
            takes_effect_at: self.takes_effect_at.map(Timestamp::from_micros),
            status: ResolutionStatus::from_name(&self.status)?,
            dispute_count: self.dispute_count,
            closed_by: self.closed_by,
            closed_at: self.closed_at.map(Timestamp::from_micros),
            undo: self.undo.map(|undo| Undo {
                by: undo.by,
                reason: Reason::restore(undo.reason),
                at: Timestamp::from_micros(undo.at),
                covered: Balance::from_minor(undo.covered),
                completed_at: undo.completed_at.map(Timestamp::from_micros),
            }),
        })
    }
}
