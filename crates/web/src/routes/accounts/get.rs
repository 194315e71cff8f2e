//! `GET /accounts/{id}`: an account, now or at a time.

use actix_web::web::Data;
use foretell_domain::id::AccountId;
use foretell_domain::time::Timestamp;
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::WebState;
use crate::dto::account::AccountView;
use crate::dto::money::Money;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::error::ErrorCode;
use crate::extract::{Params, PathId, Read, RequestContext, RequestDto, SignedIn};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
pub(super) struct AtParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    at: Option<Parsed<Timestamp>>,
}

impl RequestDto for AtParams {
    type Input = Option<Timestamp>;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Option<Timestamp> {
        optional(valid.into_inner().at)
    }
}

#[derive(Serialize, ToSchema)]
struct BalanceView<'a> {
    #[schema(value_type = Id)]
    id: Text<AccountId>,
    balance: Money,
    currency: &'a str,
    at: Time,
}

/// Current account, or its balance at a time.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Shown<'a> {
    Account(AccountView<'a>),
    Balance(BalanceView<'a>),
}

/// Returns an account, or with `?at=` its balance at that time, which no later transfer changes.
/// Also fails with `NOT_FOUND` for accounts that the caller may not see. Fails with `CONFLICT` and
/// the latest final time for a time in the future.
#[utoipa::path(
    get,
    path = "/accounts/{id}",
    operation_id = "getAccount",
    tag = "accounts",
    params(AtParams),
    responses((status = 200, description = "Done.", body = Shown<'static>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn get(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    id: PathId<AccountId>,
    params: Params<AtParams>,
) -> HandlerResult {
    let (id, at) = state.validate((id, params))?;
    let currency = &state.application.settings().currency;
    let Some(at) = at else {
        let account = state.application.ledger.get_account(&caller, id).await?;
        return reply::ok(Shown::Account(AccountView::new(&account, currency)));
    };
    let balance = state.application.ledger.get_balance_at(&caller, id, at).await?;
    let balance = Money::new(currency, balance.minor());
    let then = BalanceView { id: Text(id), balance, currency: currency.code(), at: Time(at) };
    reply::ok(Shown::Balance(then))
}
