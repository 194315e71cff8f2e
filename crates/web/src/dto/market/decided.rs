//! Response types of closed and decided markets: the terms, and the progress of their settlement.

use foretell_application::writer::MarketState;
use foretell_domain::id::{MarketId, OptionId, UserId};
use foretell_domain::market::{
    Evidence, Market, OptionState, Phase, Settlement, SettlementTerms, WHOLE_BPS,
};
use foretell_domain::money::Currency;
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dto::market::resolution::EvidenceBody;
use crate::dto::money::Money;
use crate::dto::probability::Rounded;
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::error::ApiError;
use crate::extract::{Object, RequestContext, RequestDto};
use crate::openapi::names::{Id, PhaseName};

/// Body of a cancellation.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[serde(rename_all = "camelCase")]
pub(crate) struct CancellationBody {
    #[garde(dive)]
    #[schema(value_type = Option<EvidenceBody>)]
    evidence: Option<Object<EvidenceBody>>,
}

impl RequestDto for CancellationBody {
    type Input = Evidence;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Evidence {
        valid.into_inner().evidence.map(|Object(body)| body.into()).unwrap_or_default()
    }
}

/// Empty body of a request.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
pub(crate) struct NoFields {}

impl RequestDto for NoFields {
    type Input = ();

    fn into_input(_: Valid<Self>, _: &RequestContext) {}
}

/// A market after it was closed, resolved or cancelled.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketStateView {
    #[schema(value_type = Id)]
    id: Text<MarketId>,
    #[schema(value_type = PhaseName)]
    status: &'static str,
    version: i64,
    options: Vec<LastPrice>,
    /// Terms by which the holders are paid; `null` until the market is resolved or cancelled.
    terms: Option<TermsView>,
    at: Time,
}

/// An option and its last probability.
#[derive(Debug, Serialize, ToSchema)]
struct LastPrice {
    #[schema(value_type = Id)]
    id: Text<OptionId>,
    probability: Rounded,
}

impl MarketStateView {
    /// Creates the response. It depends on the receipt alone, so a repetition is equal.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` for an invalid record.
    pub(crate) fn new(state: MarketState, currency: &Currency) -> Result<Self, ApiError> {
        let MarketState { record, terms, at } = state;
        let market = Market::restore(record).map_err(ApiError::internal)?;
        let record = market.record();
        let options = record.options.iter().zip(market.probabilities());
        Ok(Self {
            id: Text(record.id),
            status: record.phase.as_str(),
            version: record.version,
            options: options
                .map(|(o, now)| LastPrice { id: Text(o.id), probability: Rounded(now) })
                .collect(),
            terms: terms.map(|terms| TermsView::new(&terms, &record.options, currency)),
            at: Time(at),
        })
    }
}

/// Terms by which the holders of a decided market are paid.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum TermsView {
    /// One option has won: each of its shares pays in full.
    #[serde(rename_all = "camelCase")]
    Winner {
        #[schema(value_type = Id)]
        option_id: Text<OptionId>,
    },
    /// Each share pays the part of its option.
    Split { split: Vec<PartView> },
    /// The net stakes are refunded: in full, or the same fraction of each if the pot has less.
    Refunds { available: Money, stakes: Money },
}

/// The part that the shares of one option pay.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartView {
    #[schema(value_type = Id)]
    option_id: Text<OptionId>,
    basis_points: u16,
}

/// Returns the option that has won everything, if one has.
pub(super) fn winner_of(basis_points: &[u16], options: &[OptionState]) -> Option<Text<OptionId>> {
    let mut parts = options.iter().zip(basis_points);
    parts.find(|(_, bps)| **bps == WHOLE_BPS).map(|(option, _)| Text(option.id))
}

/// Returns the part of each option.
pub(super) fn parts_of(basis_points: &[u16], options: &[OptionState]) -> Vec<PartView> {
    let parts = options.iter().zip(basis_points.iter().copied());
    parts
        .map(|(option, basis_points)| PartView { option_id: Text(option.id), basis_points })
        .collect()
}

impl TermsView {
    fn new(terms: &SettlementTerms, options: &[OptionState], currency: &Currency) -> Self {
        match terms {
            SettlementTerms::Payouts { basis_points } => match winner_of(basis_points, options) {
                Some(option_id) => Self::Winner { option_id },
                None => Self::Split { split: parts_of(basis_points, options) },
            },
            SettlementTerms::Refunds { available, stakes } => Self::Refunds {
                available: Money::new(currency, available.minor()),
                stakes: Money::new(currency, stakes.minor()),
            },
        }
    }
}

/// Progress of the payments to the holders of a decided market.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SettlementView {
    #[schema(value_type = Id)]
    market_id: Text<MarketId>,
    #[schema(value_type = PhaseName)]
    status: &'static str,
    terms: TermsView,
    #[schema(value_type = Id)]
    decided_by: Text<UserId>,
    decided_at: Time,
    holders_paid: i64,
    paid: Money,
    completed: bool,
    completed_at: Option<Time>,
    /// `true` while the payments are taken back.
    being_undone: bool,
}

impl SettlementView {
    /// Creates the response for the settlement of a market with these options.
    pub(crate) fn new(
        settlement: &Settlement,
        options: &[OptionState],
        currency: &Currency,
    ) -> Self {
        let status = match settlement.terms {
            SettlementTerms::Payouts { .. } => Phase::Resolved,
            SettlementTerms::Refunds { .. } => Phase::Cancelled,
        };
        Self {
            market_id: Text(settlement.market_id),
            status: status.as_str(),
            terms: TermsView::new(&settlement.terms, options, currency),
            decided_by: Text(settlement.decided_by),
            decided_at: Time(settlement.decided_at),
            holders_paid: settlement.holders_paid,
            paid: Money::new(currency, settlement.paid.minor()),
            completed: settlement.completed_at.is_some() && settlement.undo.is_none(),
            completed_at: settlement.completed_at.map(Time),
            being_undone: settlement.undo.is_some(),
        }
    }
}
