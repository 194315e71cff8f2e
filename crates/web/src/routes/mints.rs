//! `POST /mints`: makes new money.

use actix_web::web::{Data, ServiceConfig};
use foretell_application::writer::Mint;
use garde::Validate;
use serde::Deserialize;

use super::transfers::made;
use crate::WebState;
use crate::dto::money::AmountText;
use crate::extract::{AdminOnly, Body, IdempotencyKey, InputContext, IntoInput};
use crate::faults::Faults;
use crate::reply::{self, Answer};
use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/mints").post(mint));
}

#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", default)]
struct MintBody {
    #[garde(required)]
    account_id: Option<String>,
    #[garde(required)]
    amount: Option<AmountText>,
}

impl IntoInput for MintBody {
    type Input = Mint;

    fn into_input(self, faults: &mut Faults, context: &InputContext<'_>) -> Option<Mint> {
        let to = faults.required("accountId", self.account_id, |id| id.parse());
        let amount = faults.required("amount", self.amount, |amount| amount.to_amount(context.currency()));
        Some(Mint { to: to?, amount: amount? })
    }
}

/// Makes new money in a user's account, once under its key. 201, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`,
/// 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409 `ACCOUNT_CLOSED` or `CONFLICT`, 422 `IDEMPOTENCY_MISMATCH`,
/// 503 `UNAVAILABLE`.
async fn mint(
    state: Data<WebState>,
    AdminOnly(caller): AdminOnly,
    key: IdempotencyKey,
    body: Body<MintBody>,
) -> Answer {
    let (key, mint) = state.accept((key, body))?;
    let receipt = state.application.mint(&caller, key, mint).await?;
    reply::receipt(receipt, |transfer| made(&state, &caller, &transfer))
}
