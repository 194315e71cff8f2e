//! The routes of posts.

mod create;
mod delete;
mod get;
mod list;
mod search;
mod update;

use actix_web::web::ServiceConfig;
use foretell_domain::id::UserId;
use foretell_domain::post::PostStatus;
use foretell_domain::tag::Tag;
use foretell_ports::post::PostFilter;
use utoipa::OpenApi;

use crate::dto::parsed::{Parsed, optional};
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

/// Returns the status for the field `published`.
const fn status_of(published: bool) -> PostStatus {
    if published { PostStatus::Published } else { PostStatus::Draft }
}

/// Returns the filter of a list or a search: of published posts unless another status is given.
fn filter_of(
    status: Option<Parsed<PostStatus>>,
    author_id: Option<Parsed<UserId>>,
    tag: Option<Parsed<Tag>>,
) -> PostFilter {
    let status = optional(status).unwrap_or(PostStatus::Published);
    PostFilter { status, author_id: optional(author_id), tag: optional(tag) }
}
