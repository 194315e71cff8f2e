//! The routes of bets and sales.

mod get;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(get::get))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/bets/{id}").get(get::get));
}
