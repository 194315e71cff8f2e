//! The routes of transfers.

mod create;
mod create_batch;
mod get;
mod response;
mod reverse;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

pub(super) use self::response::made;

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
