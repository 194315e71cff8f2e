//! `POST /transfers`: transfers money from one of the caller's accounts to a user's.

use actix_web::web::Data;

use super::made;
use crate::WebState;
use crate::dto::transfer::{PaymentBody, TransferView};
use crate::extract::{Body, IdempotencyKey, SignedIn, Trade};
use crate::reply::{self, HandlerResult};

/// Makes a payment, once per idempotency key. 201, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403
/// `FORBIDDEN`, 404 `NOT_FOUND` for an account that does not exist or belongs to another payer, 409
/// `INSUFFICIENT_FUNDS`, `ACCOUNT_CLOSED`, `DUPLICATE` or `CONFLICT`, 422 `IDEMPOTENCY_MISMATCH`,
/// 503 `UNAVAILABLE`.
#[utoipa::path(
    post,
    path = "/transfers",
    operation_id = "createTransfer",
    tag = "transfers",
    request_body = PaymentBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = TransferView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
)]
pub(super) async fn create(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Trade>,
    key: IdempotencyKey,
    body: Body<PaymentBody>,
) -> HandlerResult {
    let (key, payment) = state.validate((key, body))?;
    let receipt = state.application.ledger.pay(&caller, key, payment).await?;
    reply::receipt(receipt, |transfer| made(&state, &caller, &transfer))
}
