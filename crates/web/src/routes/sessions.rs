//! The routes of sessions.

mod cookie;
mod list;
mod log_in;
mod log_out;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;
use foretell_application::RequestKind;

pub(super) use self::cookie::forget_cookie;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(log_in::log_in, list::list, log_out::log_out))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            at("/sessions").get(list::list).counted_as(RequestKind::LogIn).post(log_in::log_in),
        )
        .service(at("/sessions/{id}").delete(log_out::log_out));
}
