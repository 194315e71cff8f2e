//! Request and response types of resolutions, proposals and disputes.

use foretell_domain::id::{MarketId, OptionId, UserId};
use foretell_domain::market::{Dispute, Evidence, MarketOutcome, OptionState, Resolution};
use foretell_domain::money::Currency;
use foretell_domain::text::{EvidenceText, EvidenceUrl, Reason};
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dto::market::decided::{PartView, parts_of, winner_of};
use crate::dto::money::Money;
use crate::dto::parsed::{Parsed, optional, required};
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::extract::{RequestContext, RequestDto};
use crate::openapi::names::{Id, ResolutionStatusName};

/// Evidence for a resolution.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvidenceBody {
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    text: Option<Parsed<EvidenceText>>,
    /// Absolute `http` or `https` URL.
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    url: Option<Parsed<EvidenceUrl>>,
}

impl From<EvidenceBody> for Evidence {
    fn from(body: EvidenceBody) -> Self {
        Self { text: optional(body.text), url: optional(body.url) }
    }
}

/// Reason for a change.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "reason": "The airport measured no rain on that day." }))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReasonBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 500)]
    reason: Option<Parsed<Reason>>,
}

impl RequestDto for ReasonBody {
    type Input = Reason;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Reason {
        required(valid.into_inner().reason)
    }
}

/// A resolution of a market: made, proposed, or undone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResolutionView<'a> {
    #[schema(value_type = Id)]
    market_id: Text<MarketId>,
    /// Number in the market, from 1.
    number: i64,
    #[schema(value_type = ResolutionStatusName)]
    status: &'static str,
    outcome: OutcomeView,
    evidence: EvidenceView<'a>,
    #[schema(value_type = Id)]
    proposed_by: Text<UserId>,
    proposed_at: Time,
    /// Time from which an undisputed proposal takes effect; `null` for a resolution that took
    /// effect at once.
    #[schema(required)]
    takes_effect_at: Option<Time>,
    /// Number of users who have disputed it. A disputed proposal takes effect only if a moderator
    /// or admin without a part in the market confirms it.
    dispute_count: i64,
    /// User who has made, confirmed, rejected or withdrawn it; `null` while it waits, and if it
    /// took effect by time.
    #[schema(required, value_type = Option<Id>)]
    closed_by: Option<Text<UserId>>,
    #[schema(required)]
    closed_at: Option<Time>,
    /// The undoing of its settlement; `null` without one.
    #[schema(required)]
    undo: Option<UndoView<'a>>,
    /// The first disputes, at most 100, oldest first; only in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    disputes: Vec<DisputeView<'a>>,
}

/// Outcome of a market.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum OutcomeView {
    /// One option has won: each of its shares pays in full.
    #[serde(rename_all = "camelCase")]
    Winner {
        #[schema(value_type = Id)]
        option_id: Text<OptionId>,
    },
    /// Each share pays the part of its option.
    Split { split: Vec<PartView> },
    /// The stakes are refunded.
    Cancellation,
}

/// Evidence for a resolution.
#[derive(Debug, Serialize, ToSchema)]
struct EvidenceView<'a> {
    #[schema(required)]
    text: Option<&'a str>,
    #[schema(required)]
    url: Option<&'a str>,
}

/// The undoing of a settlement.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UndoView<'a> {
    #[schema(value_type = Id)]
    by: Text<UserId>,
    reason: &'a str,
    at: Time,
    /// Money that the treasury has paid for recipients who no longer had it: they owe it. Known
    /// once the undoing is complete.
    covered: Money,
    /// Time at which all money was back in the pot; `null` before.
    #[schema(required)]
    completed_at: Option<Time>,
}

/// A dispute of a proposal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DisputeView<'a> {
    /// Number of the proposal in the market.
    number: i64,
    #[schema(value_type = Id)]
    user_id: Text<UserId>,
    reason: &'a str,
    created_at: Time,
}

impl<'a> ResolutionView<'a> {
    /// Creates the view of a resolution of a market with these options.
    pub(crate) fn new(
        resolution: &'a Resolution,
        options: &[OptionState],
        currency: &Currency,
    ) -> Self {
        let Evidence { text, url } = &resolution.evidence;
        Self {
            market_id: Text(resolution.market_id),
            number: resolution.number,
            status: resolution.status.as_str(),
            outcome: OutcomeView::new(&resolution.outcome, options),
            evidence: EvidenceView {
                text: text.as_ref().map(EvidenceText::as_str),
                url: url.as_ref().map(EvidenceUrl::as_str),
            },
            proposed_by: Text(resolution.proposed_by),
            proposed_at: Time(resolution.proposed_at),
            takes_effect_at: resolution.takes_effect_at.map(Time),
            dispute_count: resolution.dispute_count,
            closed_by: resolution.closed_by.map(Text),
            closed_at: resolution.closed_at.map(Time),
            undo: resolution.undo.as_ref().map(|undo| UndoView {
                by: Text(undo.by),
                reason: undo.reason.as_str(),
                at: Time(undo.at),
                covered: Money::new(currency, undo.covered.minor()),
                completed_at: undo.completed_at.map(Time),
            }),
            disputes: Vec::new(),
        }
    }

    /// Adds those of these disputes that are about this resolution.
    pub(crate) fn with_disputes(mut self, disputes: &'a [Dispute]) -> Self {
        let of_this = disputes.iter().filter(|dispute| {
            (dispute.market_id, dispute.number) == (self.market_id.0, self.number)
        });
        self.disputes = of_this.map(DisputeView::from).collect();
        self
    }
}

impl OutcomeView {
    fn new(outcome: &MarketOutcome, options: &[OptionState]) -> Self {
        match outcome {
            MarketOutcome::Payouts { basis_points } => match winner_of(basis_points, options) {
                Some(option_id) => Self::Winner { option_id },
                None => Self::Split { split: parts_of(basis_points, options) },
            },
            MarketOutcome::Cancellation => Self::Cancellation,
        }
    }
}

impl<'a> From<&'a Dispute> for DisputeView<'a> {
    fn from(dispute: &'a Dispute) -> Self {
        Self {
            number: dispute.number,
            user_id: Text(dispute.user_id),
            reason: dispute.reason.as_str(),
            created_at: Time(dispute.created_at),
        }
    }
}
