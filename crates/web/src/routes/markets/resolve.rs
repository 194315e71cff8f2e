//! `POST /markets/{id}/resolution`: resolves a market.

use std::collections::HashSet;

use actix_web::web::Data;
use foretell_application::writer::Decision;
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::market::{MAX_OPTIONS, SplitError, WHOLE_BPS};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::decided::MarketStateView;
use crate::extract::{Body, IdempotencyKey, Object, ParseContext, ParseRequest, PathId, SignedIn, Trade};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Resolution of a market: one winning option, or parts of several.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "optionId": "019a0000-0000-7000-8000-000000000003" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct ResolutionBody {
    #[garde(skip)]
    #[schema(value_type = Option<Id>)]
    option_id: Option<String>,
    #[garde(skip)]
    #[schema(value_type = Option<Vec<PartBody>>, min_items = 1, max_items = 10)]
    split: Option<Vec<Object<PartBody>>>,
}

/// Part that the shares of one option pay.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartBody {
    #[garde(skip)]
    #[schema(required = true, value_type = Id)]
    option_id: Option<String>,
    #[garde(skip)]
    #[schema(required = true, value_type = i64, minimum = 0, maximum = 10000)]
    basis_points: Option<i64>,
}

impl ParseRequest for ResolutionBody {
    type Input = Decision;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<Decision> {
        match (&self.option_id, &self.split) {
            (None, None) => {
                errors.add("optionId", FieldErrorCode::Required, "is required, unless a split is given");
            }
            (Some(_), Some(_)) => {
                errors.add("optionId", FieldErrorCode::Invalid, "must not be given together with a split");
            }
            _ => {}
        }
        let option = self.option_id.and_then(|id| errors.check("optionId", id.parse::<OptionId>()));
        let split = self.split.and_then(|parts| split_of(parts, errors));
        option.map(Decision::Winner).or(split.map(Decision::Split))
    }
}

fn split_of(parts: Vec<Object<PartBody>>, errors: &mut ValidationErrors) -> Option<Vec<(OptionId, u16)>> {
    if !(1..=MAX_OPTIONS).contains(&parts.len()) {
        errors.add("split", FieldErrorCode::Length, format!("must have 1 to {MAX_OPTIONS} parts"));
    }
    let mut known = HashSet::new();
    let parts = parts.into_iter().enumerate().map(|(index, Object(part))| {
        errors.within(format_args!("split[{index}]"), |errors| part_of(part, &mut known, errors))
    });
    // All parts are parsed before the first missing one ends it, so that all errors are reported.
    let parts: Vec<_> = parts.collect();
    let parts: Vec<_> = parts.into_iter().collect::<Option<_>>()?;
    if parts.iter().map(|(_, bps)| u32::from(*bps)).sum::<u32>() != u32::from(WHOLE_BPS) {
        errors.add("split", FieldErrorCode::Invalid, SplitError::Sum.to_string());
    }
    Some(parts)
}

fn part_of(
    part: PartBody,
    known: &mut HashSet<OptionId>,
    errors: &mut ValidationErrors,
) -> Option<(OptionId, u16)> {
    let id = errors.required("optionId", part.option_id, |id| id.parse::<OptionId>());
    if id.is_some_and(|id| !known.insert(id)) {
        errors.add("optionId", FieldErrorCode::Repeated, SplitError::Options.to_string());
    }
    let given = errors.require("basisPoints", part.basis_points)?;
    let basis_points = u16::try_from(given).ok().filter(|bps| *bps <= WHOLE_BPS);
    if basis_points.is_none() {
        errors.add("basisPoints", FieldErrorCode::Range, format!("must be 0 to {WHOLE_BPS}"));
    }
    id.zip(basis_points)
}

/// Resolves a market and pays its holders, once per idempotency key. 200, 400 `VALIDATION_ERROR`,
/// 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409 `CONFLICT` if already decided, 422
/// `IDEMPOTENCY_MISMATCH`, 503 `UNAVAILABLE`.
#[utoipa::path(
    post,
    path = "/markets/{id}/resolution",
    operation_id = "resolveMarket",
    tag = "markets",
    request_body = ResolutionBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, description = "Done.", body = MarketStateView)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
)]
pub(super) async fn resolve(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Trade>,
    market_id: PathId<MarketId>,
    key: IdempotencyKey,
    body: Body<ResolutionBody>,
) -> HandlerResult {
    let (market_id, key, decision) = state.validate((market_id, key, body))?;
    let receipt = state.application.markets.decide_market(&caller, key, market_id, decision).await?;
    let currency = &state.application.settings().currency;
    reply::receipt(receipt, |market| reply::ok(MarketStateView::new(market, currency)?))
}
