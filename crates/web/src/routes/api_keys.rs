//! The routes of API keys.

mod create;
mod delete;
mod list;

use actix_web::web::ServiceConfig;
use foretell_application::RequestKind;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(create::create, list::list, delete::delete))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            at("/api-keys").get(list::list).counted_as(RequestKind::LogIn).post(create::create),
        )
        .service(at("/api-keys/{id}").delete(delete::delete));
}
