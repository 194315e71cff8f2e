//! `GET /tags`: lists the tags of published posts.

use actix_web::web::{Data, ServiceConfig};
use utoipa::OpenApi;

use crate::WebState;
use crate::dto::tag::TagView;
use crate::extract::{Pagination, Params};
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/tags").get(list));
}

/// Lists the tags of published posts with their counts, the most used first. A cursor contains the
/// number of tags already returned.
#[utoipa::path(
    get,
    path = "/tags",
    operation_id = "listTags",
    tag = "tags",
    responses((status = 200, description = "Done.", body = Vec<TagView<'static>>)),
)]
async fn list(state: Data<WebState>, params: Params<Pagination>) -> HandlerResult {
    let paging = state.validate(params)?;
    let mut numbered = state.application.queries.posts.list_tags(paging.request()).await?;
    let meta = paging
        .meta(&mut numbered, |(number, _)| *number, state.application.queries.posts.count_tags())
        .await?;
    let rows: Vec<_> = numbered.iter().map(|(_, tag)| TagView::from(tag)).collect();
    reply::list(rows, meta)
}
