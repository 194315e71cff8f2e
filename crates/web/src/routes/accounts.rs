//! The routes of accounts.

mod get;
mod list;
mod list_transfers;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(list::list, get::get, list_transfers::list_transfers))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/accounts").get(list::list))
        .service(at("/accounts/{id}").get(get::get))
        .service(at("/accounts/{id}/transfers").get(list_transfers::list_transfers));
}
