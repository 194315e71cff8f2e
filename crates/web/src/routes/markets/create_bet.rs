//! `POST /markets/{id}/bets`: buys shares of an option.

use actix_web::web::Data;
use foretell_application::TradeTarget;
use foretell_domain::id::{ClientId, MarketId, OptionId};
use foretell_domain::market::BuyOrder;
use foretell_domain::probability::Probability;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::dto::money::AmountText;
use crate::extract::{Body, IdempotencyKey, ParseContext, ParseRequest, PathId, SignedIn, Trade};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// A bet: the amount to pay, fee included, and its limits.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "optionId": "019a0000-0000-7000-8000-000000000003", "amount": "10.00", "maxPrice": 0.6 }))]
#[serde(rename_all = "camelCase")]
pub(super) struct BetOrderBody {
    /// Identifier unique among your own bets and sales; other users may choose the same. `id` is
    /// accepted as its older name.
    #[garde(skip)]
    #[serde(alias = "id")]
    #[schema(value_type = Option<Id>)]
    client_id: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = Id)]
    option_id: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = AmountText)]
    amount: Option<AmountText>,
    #[garde(skip)]
    min_shares: Option<AmountText>,
    #[garde(skip)]
    #[schema(exclusive_minimum = 0, maximum = 1)]
    max_price: Option<f64>,
}

impl ParseRequest for BetOrderBody {
    type Input = (Option<ClientId>, BuyOrder);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        let currency = context.currency();
        let client_id = errors.optional("clientId", self.client_id, |id| id.parse::<ClientId>());
        let option_id = errors.required("optionId", self.option_id, |id| id.parse::<OptionId>());
        let amount = errors.required("amount", self.amount, |amount| amount.to_amount(currency));
        let min_shares = errors.optional("minShares", self.min_shares, |shares| shares.to_shares(currency));
        let max_price = self.max_price.map_or(Some(None), |price| price_limit(price, errors).map(Some));
        let (min_shares, max_price) = (min_shares?, max_price?);
        Some((client_id?, BuyOrder { option_id: option_id?, amount: amount?, min_shares, max_price }))
    }
}

fn price_limit(price: f64, errors: &mut ValidationErrors) -> Option<Probability> {
    let limit = Probability::new(price).ok().filter(|limit| limit.get() > 0.0);
    if limit.is_none() {
        errors.add("maxPrice", FieldErrorCode::Range, "must be above 0 and at most 1");
    }
    limit
}

/// Buys shares with money of the caller's account, once per idempotency key. 201, 400
/// `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409 `MARKET_CLOSED`,
/// `SLIPPAGE`, `INSUFFICIENT_FUNDS`, `TRADE_TOO_SMALL`, `TRADE_TOO_LARGE` or `DUPLICATE`, 422
/// `IDEMPOTENCY_MISMATCH`, 503 `UNAVAILABLE`.
#[utoipa::path(
    post,
    path = "/markets/{id}/bets",
    operation_id = "createBet",
    tag = "markets",
    request_body = BetOrderBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = BetView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
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
