//! `POST /markets/{id}/resolution`: resolves a market.

use actix_web::web::Data;
use foretell_application::writer::{Decided, Decision, Receipt};
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::market::{Evidence, MAX_OPTIONS, OptionState, SplitError, WHOLE_BPS};
use garde::rules::length::HasSimpleLength;
use garde::util::nested_path;
use garde::{Path, Report, Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::decided::MarketStateView;
use crate::dto::market::resolution::{EvidenceBody, ResolutionView};
use crate::dto::parsed::{Parsed, is_repeated, repeated, required, validated};
use crate::error::{ApiError, ErrorCode};
use crate::extract::{
    Body, Decide, IdempotencyKey, Object, PathId, RequestContext, RequestDto, SignedIn,
};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, invalid};

/// Resolution of a market: one winning option, or parts of several.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "optionId": "019a0000-0000-7000-8000-000000000003" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct ResolutionBody {
    #[garde(dive, custom(|_, _| self.check_choice()))]
    #[schema(value_type = Option<Id>)]
    option_id: Option<Parsed<OptionId>>,
    #[garde(length(min = 1, max = MAX_OPTIONS), dive)]
    #[schema(value_type = Option<Vec<PartBody>>, min_items = 1, max_items = 10)]
    split: Option<Split>,
    #[garde(dive)]
    #[schema(value_type = Option<EvidenceBody>)]
    evidence: Option<Object<EvidenceBody>>,
}

/// Part that the shares of one option pay.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[serde(rename_all = "camelCase")]
pub(super) struct PartBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = Id)]
    option_id: Option<Parsed<OptionId>>,
    #[garde(required, dive, range(min = 0, max = WHOLE_BPS.into()))]
    #[schema(required = true, value_type = i64, minimum = 0, maximum = 10000)]
    basis_points: Option<Parsed<i64>>,
}

/// Parts of different options, which sum to the whole.
#[derive(Debug, Deserialize)]
struct Split(Vec<Object<PartBody>>);

impl HasSimpleLength for Split {
    fn length(&self) -> usize {
        self.0.len()
    }
}

impl Validate for Split {
    type Context = RequestContext;

    fn validate_into(
        &self,
        context: &RequestContext,
        mut parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        self.0.validate_into(context, parent, report);
        let ids = self.0.iter().map(|Object(part)| part.option_id.as_ref().and_then(Parsed::valid));
        for index in repeated(ids) {
            let mut path = nested_path!(parent, index);
            report.append(path().join("option_id"), is_repeated());
        }
        let basis_points =
            self.0.iter().map(|Object(part)| part.basis_points.as_ref().and_then(Parsed::valid));
        let sum: Option<i128> = basis_points.map(|points| points.copied().map(i128::from)).sum();
        if !self.0.is_empty() && sum.is_some_and(|sum| sum != WHOLE_BPS.into()) {
            report.append(parent(), invalid(FieldErrorCode::Invalid, SplitError::Sum));
        }
    }
}

impl ResolutionBody {
    fn check_choice(&self) -> garde::Result {
        match (&self.option_id, &self.split) {
            (None, None) => {
                Err(invalid(FieldErrorCode::Required, "is required, unless a split is given"))
            }
            (Some(_), Some(_)) => {
                Err(invalid(FieldErrorCode::Invalid, "must not be given together with a split"))
            }
            _ => Ok(()),
        }
    }
}

impl RequestDto for ResolutionBody {
    type Input = (Decision, Evidence);

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> (Decision, Evidence) {
        let Self { option_id, split, evidence } = valid.into_inner();
        let evidence = evidence.map(|Object(body)| body.into()).unwrap_or_default();
        let decision = match split {
            Some(Split(parts)) => {
                Decision::Split(parts.into_iter().map(|Object(part)| part.into_part()).collect())
            }
            None => Decision::Winner(required(option_id)),
        };
        (decision, evidence)
    }
}

impl PartBody {
    fn into_part(self) -> (OptionId, u16) {
        (required(self.option_id), validated(u16::try_from(required(self.basis_points)).ok()))
    }
}

/// Resolves a market and pays its holders, once per idempotency key; for its creator, moderators and
/// admins. It becomes a proposal (202) if the caller holds or has held shares of the market, uses an
/// API key without the scope `trade`, or the operator requires it (`markets.always_propose`): the
/// market is closed, and the proposal takes effect after `markets.challenge_hours` unless a holder
/// disputes it. Moderators and admins who are neither the market's creator nor the proposer nor have
/// held its shares confirm a proposal with the same outcome, or overrule it with another; for others
/// this fails with `PROPOSAL_PENDING`. Fails with `CONFLICT` if already decided.
#[utoipa::path(
    post,
    path = "/markets/{id}/resolution",
    operation_id = "resolveMarket",
    tag = "markets",
    request_body = ResolutionBody,
    params(("Idempotency-Key" = String, Header)),
    responses(
        (status = 200, description = "Done.", body = MarketStateView),
        (status = 202, description = "Proposed.", body = ResolutionView<'static>),
    ),
    security(("bearer" = ["resolve"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict, ErrorCode::ProposalPending]))),
)]
pub(super) async fn resolve(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Decide>,
    market_id: PathId<MarketId>,
    key: IdempotencyKey,
    body: Body<ResolutionBody>,
) -> HandlerResult {
    let (market_id, key, (decision, evidence)) = state.validate((market_id, key, body))?;
    let markets = &state.application.markets;
    let receipt = markets.decide_market(&caller, key, market_id, decision, evidence).await?;
    decided(&state, market_id, receipt).await
}

/// Returns 200 for a decision, 202 for a proposal.
pub(super) async fn decided(
    state: &WebState,
    market_id: MarketId,
    receipt: Receipt<Decided>,
) -> HandlerResult {
    let currency = &state.application.settings().currency;
    let is_proposal = matches!(receipt.result, Ok(Decided::Proposed(_)));
    let options = if is_proposal { options_of(state, market_id).await? } else { Vec::new() };
    reply::receipt(receipt, |decided| match decided {
        Decided::Now(market) => reply::ok(MarketStateView::new(*market, currency)?),
        Decided::Proposed(proposal) => {
            reply::accepted(ResolutionView::new(&proposal, &options, currency))
        }
    })
}

/// Returns the options of a market for a view of its resolution. They never change, so the response
/// to a repeated request is equal.
pub(super) async fn options_of(
    state: &WebState,
    market_id: MarketId,
) -> Result<Vec<OptionState>, ApiError> {
    let details = state.application.markets.get_market(market_id).await?;
    Ok(details.market.record().options.clone())
}
