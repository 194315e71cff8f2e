//! `POST /markets/{id}/sales`: sells shares of an option.

use actix_web::web::Data;
use foretell_application::TradeTarget;
use foretell_domain::id::{ClientId, MarketId, OptionId};
use foretell_domain::market::{Quantity, SellOrder};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::dto::money::{AmountText, is_amount};
use crate::dto::parsed::{Parsed, if_valid, optional, required};
use crate::error::ErrorCode;
use crate::extract::{Body, IdempotencyKey, PathId, RequestContext, RequestDto, SignedIn, Trade};
use crate::openapi::names::{Id, SharesText};
use crate::reply::{self, HandlerResult};

/// Value for all shares that the trader holds, in place of a number.
const ALL: &str = "all";

/// A sale: the number of shares, or all, and the minimum proceeds, fee deducted.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "optionId": "019a0000-0000-7000-8000-000000000003", "shares": "all" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct SaleBody {
    /// Identifier unique among your own bets and sales; other users may choose the same. `id` is
    /// accepted as its older name.
    #[garde(dive)]
    #[serde(alias = "id")]
    #[schema(value_type = Option<Id>)]
    client_id: Option<Parsed<ClientId>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = Id)]
    option_id: Option<Parsed<OptionId>>,
    #[garde(required, dive, custom(if_valid(is_quantity)))]
    #[schema(required = true, value_type = SharesText)]
    shares: Option<Parsed<AmountText>>,
    #[garde(dive, custom(if_valid(is_amount)))]
    #[schema(value_type = Option<AmountText>)]
    min_proceeds: Option<Parsed<AmountText>>,
}

fn is_quantity(text: &AmountText, context: &RequestContext) -> garde::Result {
    if text.as_str() == ALL { Ok(()) } else { is_amount(text, context) }
}

impl RequestDto for SaleBody {
    type Input = (Option<ClientId>, SellOrder);

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Self::Input {
        let Self { client_id, option_id, shares, min_proceeds } = valid.into_inner();
        let quantity = match required(shares) {
            text if text.as_str() == ALL => Quantity::All,
            text => Quantity::Shares(text.to_shares(context)),
        };
        let min_proceeds = optional(min_proceeds).map(|money| money.to_amount(context));
        (optional(client_id), SellOrder { option_id: required(option_id), quantity, min_proceeds })
    }
}

/// Sells shares of the caller's account, once per idempotency key.
#[utoipa::path(
    post,
    path = "/markets/{id}/sales",
    operation_id = "createSale",
    tag = "markets",
    request_body = SaleBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = BetView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([
        ErrorCode::MarketClosed,
        ErrorCode::Slippage,
        ErrorCode::InsufficientShares,
        ErrorCode::TradeTooSmall,
        ErrorCode::TradeTooLarge,
        ErrorCode::Duplicate,
    ]))),
)]
pub(super) async fn create_sale(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Trade>,
    market_id: PathId<MarketId>,
    key: IdempotencyKey,
    body: Body<SaleBody>,
) -> HandlerResult {
    let (market_id, key, (client_id, order)) = state.validate((market_id, key, body))?;
    let target = TradeTarget { market_id, client_id };
    let receipt = state.application.trading.sell_shares(&caller, key, target, order).await?;
    let currency = &state.application.settings().currency;
    reply::receipt(receipt, |traded| {
        let location = format_args!("/bets/{}", traded.bet.id);
        reply::created(location, BetView::own(&traded, currency))
    })
}
