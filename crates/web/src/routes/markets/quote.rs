//! `POST /markets/{id}/quotes`: quotes an order.

use actix_web::web::Data;
use foretell_application::QuoteRequest;
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::market::TradeSide;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::bet::QuoteView;
use crate::dto::money::AmountText;
use crate::extract::{Body, ParseContext, ParseRequest, PathId};
use crate::openapi::names::{Id, SideName};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// The order to quote: shares for an amount, or an amount for shares; for a sale the latter only.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "optionId": "019a0000-0000-7000-8000-000000000003", "side": "buy", "amount": "10.00" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct QuoteOrderBody {
    #[garde(required)]
    #[schema(required = true, value_type = Id)]
    option_id: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = SideName)]
    side: Option<String>,
    #[garde(skip)]
    amount: Option<AmountText>,
    #[garde(skip)]
    shares: Option<AmountText>,
}

impl ParseRequest for QuoteOrderBody {
    type Input = QuoteRequest;

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<QuoteRequest> {
        let currency = context.currency();
        let option = errors.required("optionId", self.option_id, |id| id.parse::<OptionId>());
        let side = self.side.and_then(|name| side_named(&name, errors));
        refuse_wrong_measure(side, (&self.amount, &self.shares), errors);
        let amount = errors.optional("amount", self.amount, |amount| amount.to_amount(currency))?;
        let shares = errors.optional("shares", self.shares, |shares| shares.to_shares(currency))?;
        Some(match (side?, amount) {
            (TradeSide::Buy, Some(amount)) => QuoteRequest::BuyFor(option?, amount),
            (TradeSide::Buy, None) => QuoteRequest::BuyShares(option?, shares?),
            (TradeSide::Sell, _) => QuoteRequest::SellShares(option?, shares?),
        })
    }
}

fn side_named(name: &str, errors: &mut ValidationErrors) -> Option<TradeSide> {
    let side = TradeSide::from_name(name);
    if side.is_none() {
        errors.add("side", FieldErrorCode::Invalid, "must be buy or sell");
    }
    side
}

/// Rejects a measure that does not fit: a purchase is measured by money or by shares, a sale by
/// shares.
fn refuse_wrong_measure(
    side: Option<TradeSide>,
    given: (&Option<AmountText>, &Option<AmountText>),
    errors: &mut ValidationErrors,
) {
    match (side, given) {
        (Some(TradeSide::Sell), (amount, shares)) => {
            errors.require("shares", shares.as_ref());
            if amount.is_some() {
                errors.add(
                    "amount",
                    FieldErrorCode::Invalid,
                    "is not for a sale, which is quoted by its shares",
                );
            }
        }
        (Some(TradeSide::Buy), (Some(_), Some(_))) => {
            errors.add("amount", FieldErrorCode::Invalid, "must not be given together with shares");
        }
        (_, (None, None)) => {
            errors.add("amount", FieldErrorCode::Required, "is required, unless shares are given");
        }
        _ => {}
    }
}

/// Quotes an order without executing it. 200, 400 `VALIDATION_ERROR`, 404 `NOT_FOUND`, 409
/// `MARKET_CLOSED`, `INSUFFICIENT_SHARES`, `TRADE_TOO_SMALL` or `TRADE_TOO_LARGE`.
#[utoipa::path(
    post,
    path = "/markets/{id}/quotes",
    operation_id = "quoteOrder",
    tag = "markets",
    request_body = QuoteOrderBody,
    responses((status = 200, description = "Done.", body = QuoteView)),
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
