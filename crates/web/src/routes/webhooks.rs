//! The routes of webhooks, for admins.

mod create;
mod delete;
mod get;
mod list;
mod rotate;
mod test;
mod update;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    create::create,
    list::list,
    get::get,
    update::update,
    delete::delete,
    rotate::rotate,
    test::test,
))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/webhooks").get(list::list).post(create::create))
        .service(at("/webhooks/{id}").get(get::get).patch(update::update).delete(delete::delete))
        .service(at("/webhooks/{id}/secret").post(rotate::rotate))
        .service(at("/webhooks/{id}/test").post(test::test));
}
