//! `POST /markets/{id}/quotes`: quotes an order.

use actix_web::web::Data;
use foretell_application::QuoteRequest;
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::market::TradeSide;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::bet::QuoteView;
use crate::dto::money::{AmountText, is_amount};
use crate::dto::parsed::{Parsed, if_valid, required};
use crate::error::ErrorCode;
use crate::extract::{Body, PathId, RequestContext, RequestDto};
use crate::openapi::names::{Id, SideName};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, invalid};

/// The order to quote: shares for an amount, or an amount for shares; for a sale the latter only.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "optionId": "019a0000-0000-7000-8000-000000000003",
    "side": "buy",
    "amount": "10.00",
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct QuoteOrderBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = Id)]
    option_id: Option<Parsed<OptionId>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = SideName)]
    side: Option<Parsed<TradeSide>>,
    #[garde(custom(|_, _| self.check_amount()), dive, custom(if_valid(is_amount)))]
    #[schema(value_type = Option<AmountText>)]
    amount: Option<Parsed<AmountText>>,
    #[garde(custom(|_, _| self.check_shares()), dive, custom(if_valid(is_amount)))]
    #[schema(value_type = Option<AmountText>)]
    shares: Option<Parsed<AmountText>>,
}

impl RequestDto for QuoteOrderBody {
    type Input = QuoteRequest;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> QuoteRequest {
        let Self { option_id, side, amount, shares } = valid.into_inner();
        let option = required(option_id);
        match (required(side), amount) {
            (TradeSide::Buy, Some(amount)) => {
                QuoteRequest::BuyFor(option, required(Some(amount)).to_amount(context))
            }
            (TradeSide::Buy, None) => {
                QuoteRequest::BuyShares(option, required(shares).to_shares(context))
            }
            (TradeSide::Sell, _) => {
                QuoteRequest::SellShares(option, required(shares).to_shares(context))
            }
        }
    }
}

/// A purchase is measured by money or by shares, a sale by shares.
impl QuoteOrderBody {
    fn valid_side(&self) -> Option<TradeSide> {
        self.side.as_ref().and_then(Parsed::valid).copied()
    }

    fn check_amount(&self) -> garde::Result {
        let (code, message) = match (self.valid_side(), &self.amount, &self.shares) {
            (Some(TradeSide::Sell), Some(_), _) => {
                (FieldErrorCode::Invalid, "is not for a sale, which is quoted by its shares")
            }
            (Some(TradeSide::Buy), Some(_), Some(_)) => {
                (FieldErrorCode::Invalid, "must not be given together with shares")
            }
            (None | Some(TradeSide::Buy), None, None) => {
                (FieldErrorCode::Required, "is required, unless shares are given")
            }
            _ => return Ok(()),
        };
        Err(invalid(code, message))
    }

    fn check_shares(&self) -> garde::Result {
        let is_missing = self.valid_side() == Some(TradeSide::Sell) && self.shares.is_none();
        if is_missing { Err(invalid(FieldErrorCode::Required, "is required")) } else { Ok(()) }
    }
}

/// Quotes an order without executing it.
#[utoipa::path(
    post,
    path = "/markets/{id}/quotes",
    operation_id = "quoteOrder",
    tag = "markets",
    request_body = QuoteOrderBody,
    responses((status = 200, description = "Done.", body = QuoteView)),
    extensions(("x-failures" = json!([
        ErrorCode::MarketClosed,
        ErrorCode::InsufficientShares,
        ErrorCode::TradeTooSmall,
        ErrorCode::TradeTooLarge,
    ]))),
)]
pub(super) async fn quote(
    state: Data<WebState>,
    market_id: PathId<MarketId>,
    body: Body<QuoteOrderBody>,
) -> HandlerResult {
    let (market_id, request) = state.validate((market_id, body))?;
    let quote = state.application.trading.quote_order(market_id, request).await?;
    reply::ok(QuoteView::new(&quote, &state.application.settings().currency))
}
