//! `POST /transfers/{id}/reversal`: reverses a transfer.

use actix_web::web::Data;
use foretell_domain::id::TransferId;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::response::made;
use crate::WebState;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::transfer::TransferView;
use crate::error::ErrorCode;
use crate::extract::{
    AdminOnly, IdempotencyKey, OptionalBody, PathId, RequestContext, RequestDto, Trade,
};
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "force": true }))]
pub(super) struct ReversalBody {
    #[garde(dive)]
    #[schema(value_type = bool, required = false)]
    force: Option<Parsed<bool>>,
}

impl RequestDto for ReversalBody {
    type Input = bool;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> bool {
        optional(valid.into_inner().force).unwrap_or(false)
    }
}

/// Reverses a transfer, once; with `force`, the treasury covers what its receiver no longer has.
#[utoipa::path(
    post,
    path = "/transfers/{id}/reversal",
    operation_id = "reverseTransfer",
    tag = "transfers",
    request_body = Option<ReversalBody>,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = TransferView<'static>)),
    security(("bearer" = ["admin_trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([
        ErrorCode::InsufficientFunds,
        ErrorCode::NotReversible,
        ErrorCode::AccountClosed,
    ]))),
)]
pub(super) async fn reverse(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Trade>,
    key: IdempotencyKey,
    id: PathId<TransferId>,
    body: OptionalBody<ReversalBody>,
) -> HandlerResult {
    let (key, id, force) = state.validate((key, id, body))?;
    let receipt = state.application.ledger.reverse_transfer(&caller, key, id, force).await?;
    reply::receipt(receipt, |transfer| made(&state, &caller, &transfer))
}
