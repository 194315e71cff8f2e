//! The routes of transfers.

mod create;
mod create_batch;
mod get;
mod reverse;

use actix_web::web::ServiceConfig;
use foretell_application::Caller;
use foretell_domain::transfer::Transfer;
use utoipa::OpenApi;

use crate::WebState;
use crate::dto::transfer::{TransferView, Visible};
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(create::create, create_batch::create_batch, get::get, reverse::reverse))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/transfers").post(create::create))
        // Before `{id}`, which would match it as an id.
        .service(at("/transfers/batch").post(create_batch::create_batch))
        .service(at("/transfers/{id}").get(get::get))
        .service(at("/transfers/{id}/reversal").post(reverse::reverse));
}

/// Returns 201 with a transfer that the caller has made.
pub(super) fn made(state: &WebState, caller: &Caller, transfer: &Transfer) -> HandlerResult {
    let currency = &state.application.settings().currency;
    let visible = Visible::to_holder_of(transfer.debit.account_id, caller, transfer);
    let data = TransferView::new(transfer, currency, visible);
    reply::created(format_args!("/transfers/{}", transfer.id), data)
}
