//! The routes of users.

mod create;
mod erase;
mod get;
mod list;
mod register;
mod update;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;
use foretell_application::RequestKind;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    register::register,
    create::create,
    list::list,
    get::get,
    update::update,
    erase::erase
))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            at("/users").get(list::list).counted_as(RequestKind::LogIn).post(register::register),
        )
        .service(at("/admin/users").counted_as(RequestKind::LogIn).post(create::create))
        .service(
            at("/users/{id}")
                .get(get::get)
                .patch(update::update)
                .counted_as(RequestKind::LogIn)
                .delete(erase::erase),
        );
}
