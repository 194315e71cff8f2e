//! The routes of posts.

mod create;
mod delete;
mod filter;
mod get;
mod list;
mod search;
mod update;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    search::search,
    create::create,
    get::get,
    update::update,
    delete::delete
))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/posts").get(list::list).post(create::create))
        .service(at("/posts/search").get(search::search))
        .service(at("/posts/{id}").get(get::get).patch(update::update).delete(delete::delete));
}
