//! The routes of comments, on posts and on markets.

mod create;
mod delete;
mod get;
mod list;
mod update;

use actix_web::web::ServiceConfig;
use foretell_domain::id::{MarketId, PostId};
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(list::list, create::create, get::get, update::update, delete::delete))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            at("/posts/{id}/comments").get(list::list::<PostId>).post(create::create::<PostId>),
        )
        .service(
            at("/markets/{id}/comments")
                .get(list::list::<MarketId>)
                .post(create::create::<MarketId>),
        )
        .service(at("/comments/{id}").get(get::get).patch(update::update).delete(delete::delete));
}
