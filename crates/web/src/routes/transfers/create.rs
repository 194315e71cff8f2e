//! `POST /transfers`: transfers money from one of the caller's accounts to a user's.

use actix_web::web::Data;

use super::response::made;
use crate::WebState;
use crate::dto::transfer::{PaymentBody, TransferView};
use crate::error::ErrorCode;
use crate::extract::{Body, IdempotencyKey, SignedIn, Trade};
use crate::reply::{self, HandlerResult};

/// Makes a payment, once per idempotency key. Fails with `NOT_FOUND` for an account that does not
/// exist or belongs to another payer.
#[utoipa::path(
    post,
    path = "/transfers",
    operation_id = "createTransfer",
    tag = "transfers",
    request_body = PaymentBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = TransferView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([
        ErrorCode::NotFound,
        ErrorCode::InsufficientFunds,
        ErrorCode::AccountClosed,
        ErrorCode::Duplicate,
        ErrorCode::Conflict,
    ]))),
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
