//! The routes of comments, on posts and on markets.

mod delete;
mod edit;
mod get;
mod list;
mod write;

use actix_web::web::ServiceConfig;
use foretell_domain::id::{MarketId, PostId};
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(list::list, write::write, get::get, edit::edit, delete::delete))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/posts/{id}/comments").get(list::list::<PostId>).post(write::write::<PostId>))
        .service(at("/markets/{id}/comments").get(list::list::<MarketId>).post(write::write::<MarketId>))
        .service(at("/comments/{id}").get(get::get).patch(edit::edit).delete(delete::delete));
}
