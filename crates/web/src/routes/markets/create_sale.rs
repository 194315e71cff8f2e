//! `POST /markets/{id}/sales`: sells shares of an option.

use actix_web::web::Data;
use foretell_application::TradeTarget;
use foretell_domain::id::{ClientId, MarketId, OptionId};
use foretell_domain::market::{Quantity, SellOrder};
use foretell_domain::money::{Currency, MoneyError};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::dto::money::AmountText;
use crate::extract::{Body, IdempotencyKey, ParseContext, ParseRequest, PathId, SignedIn, Trade};
use crate::openapi::names::{Id, SharesText};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// Value for all shares that the trader holds, in place of a number.
const ALL: &str = "all";

/// A sale: the number of shares, or all, and the minimum proceeds, fee deducted.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "optionId": "019a0000-0000-7000-8000-000000000003", "shares": "all" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct SaleBody {
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
    #[schema(required = true, value_type = SharesText)]
    shares: Option<AmountText>,
    #[garde(skip)]
    min_proceeds: Option<AmountText>,
}

impl ParseRequest for SaleBody {
    type Input = (Option<ClientId>, SellOrder);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        let currency = context.currency();
        let client_id = errors.optional("clientId", self.client_id, |id| id.parse::<ClientId>());
        let option_id = errors.required("optionId", self.option_id, |id| id.parse::<OptionId>());
        let quantity = errors.required("shares", self.shares, |shares| quantity(&shares, currency));
        let least = errors.optional("minProceeds", self.min_proceeds, |money| money.to_amount(currency));
        Some((client_id?, SellOrder { option_id: option_id?, quantity: quantity?, min_proceeds: least? }))
    }
}

fn quantity(text: &AmountText, currency: &Currency) -> Result<Quantity, MoneyError> {
    if text.as_str() == ALL { Ok(Quantity::All) } else { text.to_shares(currency).map(Quantity::Shares) }
}

/// Sells shares of the caller's account, once per idempotency key. 201, 400 `VALIDATION_ERROR`, 401
/// `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409 `MARKET_CLOSED`, `SLIPPAGE`,
/// `INSUFFICIENT_SHARES`, `TRADE_TOO_SMALL`, `TRADE_TOO_LARGE` or `DUPLICATE`, 422
/// `IDEMPOTENCY_MISMATCH`, 503 `UNAVAILABLE`.
#[utoipa::path(
    post,
    path = "/markets/{id}/sales",
    operation_id = "createSale",
    tag = "markets",
    request_body = SaleBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = BetView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
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
