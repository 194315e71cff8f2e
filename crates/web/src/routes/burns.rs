//! `POST /burns`: takes money out of circulation.

use actix_web::web::{Data, ServiceConfig};
use foretell_application::writer::Burn;
use foretell_domain::id::AccountId;
use foretell_domain::text::Memo;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::transfers::made;
use crate::WebState;
use crate::dto::money::{AmountText, is_amount};
use crate::dto::parsed::{Parsed, if_valid, required};
use crate::dto::transfer::TransferView;
use crate::error::ErrorCode;
use crate::extract::{AdminOnly, Body, IdempotencyKey, RequestContext, RequestDto, Trade};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(burn))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/burns").post(burn));
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "accountId": "019a0000-0000-7000-8000-000000000001",
    "amount": "100.00",
    "reason": "Minted twice by mistake",
}))]
#[serde(rename_all = "camelCase")]
struct BurnBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = Id)]
    account_id: Option<Parsed<AccountId>>,
    #[garde(required, dive, custom(if_valid(is_amount)))]
    #[schema(required = true, value_type = AmountText)]
    amount: Option<Parsed<AmountText>>,
    /// Becomes the memo of the transfer, which the owner of the account sees.
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 200)]
    reason: Option<Parsed<Memo>>,
}

impl RequestDto for BurnBody {
    type Input = Burn;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Burn {
        let Self { account_id, amount, reason } = valid.into_inner();
        Burn {
            from: required(account_id),
            amount: required(amount).to_amount(context),
            reason: required(reason),
        }
    }
}

/// Takes money out of a user's account and out of circulation, once per idempotency key: the reverse
/// of a mint. Closed accounts too can be debited; no balance falls below zero.
#[utoipa::path(
    post,
    path = "/burns",
    operation_id = "createBurn",
    tag = "mints",
    request_body = BurnBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = TransferView<'static>)),
    security(("bearer" = ["admin_trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::NotFound, ErrorCode::InsufficientFunds]))),
)]
async fn burn(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Trade>,
    key: IdempotencyKey,
    body: Body<BurnBody>,
) -> HandlerResult {
    let (key, burn) = state.validate((key, body))?;
    let receipt = state.application.ledger.burn(&caller, key, burn).await?;
    reply::receipt(receipt, |transfer| made(&state, &caller, &transfer))
}
