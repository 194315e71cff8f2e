//! `POST /mints`: mints new money.

use actix_web::web::{Data, ServiceConfig};
use foretell_application::writer::Mint;
use foretell_domain::id::AccountId;
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
#[openapi(paths(mint))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/mints").post(mint));
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "accountId": "019a0000-0000-7000-8000-000000000001",
    "amount": "100.00",
}))]
#[serde(rename_all = "camelCase")]
struct MintBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = Id)]
    account_id: Option<Parsed<AccountId>>,
    #[garde(required, dive, custom(if_valid(is_amount)))]
    #[schema(required = true, value_type = AmountText)]
    amount: Option<Parsed<AmountText>>,
}

impl RequestDto for MintBody {
    type Input = Mint;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Mint {
        let Self { account_id, amount } = valid.into_inner();
        Mint { to: required(account_id), amount: required(amount).to_amount(context) }
    }
}

/// Mints new money for a user's account, once per idempotency key.
#[utoipa::path(
    post,
    path = "/mints",
    operation_id = "createMint",
    tag = "mints",
    request_body = MintBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = TransferView<'static>)),
    security(("bearer" = ["admin_trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([
        ErrorCode::NotFound,
        ErrorCode::AccountClosed,
        ErrorCode::CirculationLimit,
    ]))),
)]
async fn mint(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Trade>,
    key: IdempotencyKey,
    body: Body<MintBody>,
) -> HandlerResult {
    let (key, mint) = state.validate((key, body))?;
    let receipt = state.application.ledger.mint(&caller, key, mint).await?;
    reply::receipt(receipt, |transfer| made(&state, &caller, &transfer))
}
