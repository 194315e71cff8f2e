//! `POST /mints`: mints new money.

use actix_web::web::{Data, ServiceConfig};
use foretell_application::writer::Mint;
use garde::Validate;
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::transfers::made;
use crate::WebState;
use crate::dto::money::AmountText;
use crate::dto::transfer::TransferView;
use crate::extract::{AdminOnly, Body, IdempotencyKey, ParseContext, ParseRequest, Trade};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::routing::at;
use crate::validation::ValidationErrors;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(mint))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/mints").post(mint));
}

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "accountId": "019a0000-0000-7000-8000-000000000001", "amount": "100.00" }))]
#[serde(rename_all = "camelCase")]
struct MintBody {
    #[garde(required)]
    #[schema(required = true, value_type = Id)]
    account_id: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = AmountText)]
    amount: Option<AmountText>,
}

impl ParseRequest for MintBody {
    type Input = Mint;

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Mint> {
        let to = errors.required("accountId", self.account_id, |id| id.parse());
        let amount = errors.required("amount", self.amount, |amount| amount.to_amount(context.currency()));
        Some(Mint { to: to?, amount: amount? })
    }
}

/// Mints new money for a user's account, once per idempotency key. 201, 400 `VALIDATION_ERROR`, 401
/// `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409 `ACCOUNT_CLOSED` or `CIRCULATION_LIMIT`,
/// 422 `IDEMPOTENCY_MISMATCH`, 503 `UNAVAILABLE`.
#[utoipa::path(
    post,
    path = "/mints",
    operation_id = "createMint",
    tag = "mints",
    request_body = MintBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = TransferView<'static>)),
    security(("bearer" = ["admin_trade"]), ("cookie" = [])),
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
