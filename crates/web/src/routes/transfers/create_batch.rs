//! `POST /transfers/batch`: makes several payments, in order.

use actix_web::HttpRequest;
use actix_web::web::Data;
use foretell_application::Caller;
use foretell_application::writer::{BatchMode, MAX_BATCH_TRANSFERS, PaymentBatch, Receipt};
use foretell_domain::error::DomainError;
use foretell_domain::money::Currency;
use foretell_domain::transfer::Transfer;
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::cpu_work;
use crate::dto::parsed::{Parsed, required, validated};
use crate::dto::transfer::{PaymentBody, TransferView, Visible};
use crate::error::ApiError;
use crate::error::refusal::Refused;
use crate::extract::{Body, IdempotencyKey, Object, RequestContext, RequestDto, SignedIn, Trade};
use crate::middleware::charge;
use crate::openapi::names::BatchModeName;
use crate::reply::{self, HandlerResult};

/// Size of one result in the response, roughly.
const RESULT_BYTES: usize = 500;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "mode": "independent",
    "transfers": [{
        "fromAccountId": "019a0000-0000-7000-8000-000000000001",
        "toAccountId": "019a0000-0000-7000-8000-000000000002",
        "amount": 5,
    }]
}))]
pub(super) struct BatchBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = BatchModeName)]
    mode: Option<Parsed<BatchMode>>,
    #[garde(required, length(min = 1, max = MAX_BATCH_TRANSFERS), dive)]
    #[schema(required = true, value_type = Vec<PaymentBody>, min_items = 1, max_items = 1000)]
    transfers: Option<Vec<Object<PaymentBody>>>,
}

impl RequestDto for BatchBody {
    type Input = PaymentBatch;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> PaymentBatch {
        let Self { mode, transfers } = valid.into_inner();
        let payments =
            validated(transfers).into_iter().map(|Object(payment)| payment.into_payment(context));
        validated(PaymentBatch::new(required(mode), payments.collect()))
    }
}

#[expect(clippy::large_enum_variant, reason = "most results are transfers")]
#[derive(Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Item<'a> {
    Completed { transfer: TransferView<'a> },
    Refused(Refused),
}

impl<'a> Item<'a> {
    fn new(
        result: &'a Result<Transfer, DomainError>,
        currency: &'a Currency,
        caller: &Caller,
    ) -> Self {
        match result {
            Ok(transfer) => {
                let visible = Visible::to_holder_of(transfer.debit.account_id, caller, transfer);
                Self::Completed { transfer: TransferView::new(transfer, currency, visible) }
            }
            Err(refusal) => Self::Refused(Refused::new(refusal, currency)),
        }
    }
}

/// Makes payments in order, all or none (`atomic`) or each independently (`independent`), once per
/// idempotency key. It costs as many tokens of `limits.write` as it has transfers, and a full
/// bucket if it has more than the limit.
#[utoipa::path(
    post,
    path = "/transfers/batch",
    operation_id = "createTransferBatch",
    tag = "transfers",
    request_body = BatchBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, description = "Done.", body = Vec<Item<'static>>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
)]
pub(super) async fn create_batch(
    state: Data<WebState>,
    request: HttpRequest,
    SignedIn(caller, ..): SignedIn<Trade>,
    key: IdempotencyKey,
    body: Body<BatchBody>,
) -> HandlerResult {
    let bytes = body.bytes();
    let validating = state.clone();
    let (key, batch) = cpu_work::run(bytes, move || validating.validate((key, body))).await??;
    charge(&state, &request, batch.payments().len()).await?;
    let Receipt { result, is_replay } =
        state.application.ledger.pay_batch(&caller, key, batch).await?;
    let result = match result {
        Ok(results) => {
            let bytes = results.len() * RESULT_BYTES;
            Ok(cpu_work::run(bytes, move || write(&state, &caller, &results)).await??)
        }
        Err(refusal) => Err(refusal),
    };
    reply::receipt(Receipt { result, is_replay }, |body| Ok(reply::written(body)))
}

/// Returns the body of the response.
fn write(
    state: &WebState,
    caller: &Caller,
    results: &[Result<Transfer, DomainError>],
) -> Result<Vec<u8>, ApiError> {
    let currency = &state.application.settings().currency;
    let items = results.iter().map(|result| Item::new(result, currency, caller));
    reply::body(items.collect::<Vec<_>>(), None)
}
