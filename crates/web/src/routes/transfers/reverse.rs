//! `POST /transfers/{id}/reversal`: reverses a transfer.

use actix_web::web::Data;
use foretell_domain::id::TransferId;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::made;
use crate::WebState;
use crate::dto::transfer::TransferView;
use crate::extract::{AdminOnly, IdempotencyKey, OptionalBody, ParseContext, ParseRequest, PathId, Trade};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "force": true }))]
#[serde(rename_all = "camelCase")]
pub(super) struct ReversalBody {
    #[garde(skip)]
    #[serde(default)]
    force: bool,
}

impl ParseRequest for ReversalBody {
    type Input = bool;

    fn parse(self, _: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<bool> {
        Some(self.force)
    }
}

/// Reverses a transfer, once; with `force`, the treasury covers what its receiver no longer has.
/// 201, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409
/// `INSUFFICIENT_FUNDS`, `NOT_REVERSIBLE` or `ACCOUNT_CLOSED`, 422 `IDEMPOTENCY_MISMATCH`, 503
/// `UNAVAILABLE`.
#[utoipa::path(
    post,
    path = "/transfers/{id}/reversal",
    operation_id = "reverseTransfer",
    tag = "transfers",
    request_body = Option<ReversalBody>,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = TransferView<'static>)),
    security(("bearer" = ["admin_trade"]), ("cookie" = [])),
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
