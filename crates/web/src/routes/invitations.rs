//! The routes of invitations.

mod create;
mod delete;
mod list;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(create::create, list::list, delete::delete))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/invitations").get(list::list).post(create::create))
        .service(at("/invitations/{id}").delete(delete::delete));
}
