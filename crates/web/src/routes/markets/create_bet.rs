//! `POST /markets/{id}/bets`: buys shares of an option.

use actix_web::web::Data;
use foretell_application::TradeTarget;
use foretell_domain::id::{ClientId, MarketId, OptionId};
use foretell_domain::market::BuyOrder;
use foretell_domain::probability::Probability;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::dto::money::{AmountText, is_amount};
use crate::dto::parsed::{Parsed, if_valid, optional, required};
use crate::error::ErrorCode;
use crate::extract::{Body, IdempotencyKey, PathId, RequestContext, RequestDto, SignedIn, Trade};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, invalid};

/// A bet: the amount to pay, fee included, and its limits.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "optionId": "019a0000-0000-7000-8000-000000000003",
    "amount": "10.00",
    "maxPrice": 0.6,
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct BetOrderBody {
    /// Identifier unique among your own bets and sales; other users may choose the same. `id` is
    /// accepted as its older name.
    #[garde(dive)]
    #[serde(alias = "id")]
    #[schema(value_type = Option<Id>)]
    client_id: Option<Parsed<ClientId>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = Id)]
    option_id: Option<Parsed<OptionId>>,
    #[garde(required, dive, custom(if_valid(is_amount)))]
    #[schema(required = true, value_type = AmountText)]
    amount: Option<Parsed<AmountText>>,
    #[garde(dive, custom(if_valid(is_amount)))]
    #[schema(value_type = Option<AmountText>)]
    min_shares: Option<Parsed<AmountText>>,
    #[garde(dive, custom(if_valid(is_above_zero)))]
    #[schema(value_type = Option<f64>, exclusive_minimum = 0, maximum = 1)]
    max_price: Option<Parsed<Probability>>,
}

impl RequestDto for BetOrderBody {
    type Input = (Option<ClientId>, BuyOrder);

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Self::Input {
        let Self { client_id, option_id, amount, min_shares, max_price } = valid.into_inner();
        let order = BuyOrder {
            option_id: required(option_id),
            amount: required(amount).to_amount(context),
            min_shares: optional(min_shares).map(|shares| shares.to_shares(context)),
            max_price: optional(max_price),
        };
        (optional(client_id), order)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes values by reference")]
fn is_above_zero(price: &Probability, _: &RequestContext) -> garde::Result {
    if price.get() > 0.0 {
        Ok(())
    } else {
        Err(invalid(FieldErrorCode::Range, "must be above 0 and at most 1"))
    }
}

/// Buys shares with money of the caller's account, once per idempotency key.
#[utoipa::path(
    post,
    path = "/markets/{id}/bets",
    operation_id = "createBet",
    tag = "markets",
    request_body = BetOrderBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = BetView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([
        ErrorCode::MarketClosed,
        ErrorCode::Slippage,
        ErrorCode::InsufficientFunds,
        ErrorCode::TradeTooSmall,
        ErrorCode::TradeTooLarge,
        ErrorCode::Duplicate,
    ]))),
)]
pub(super) async fn create_bet(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Trade>,
    market_id: PathId<MarketId>,
    key: IdempotencyKey,
    body: Body<BetOrderBody>,
) -> HandlerResult {
    let (market_id, key, (client_id, order)) = state.validate((market_id, key, body))?;
    let target = TradeTarget { market_id, client_id };
    let receipt = state.application.trading.place_bet(&caller, key, target, order).await?;
    let currency = &state.application.settings().currency;
    reply::receipt(receipt, |traded| {
        let location = format_args!("/bets/{}", traded.bet.id);
        reply::created(location, BetView::own(&traded, currency))
    })
}
