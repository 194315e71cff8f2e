//! `GET /posts/{id}`: returns a post.

use std::slice::from_ref;

use actix_web::web::Data;
use foretell_application::PostRelation;
use foretell_domain::id::PostId;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::post::PostView;
use crate::dto::selection::Fields;
use crate::extract::{KnownTags, MaybeSignedIn, Params, PathId, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};

/// Selection of a post's fields and embedded resources: `?expand=&fields=`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
pub(super) struct PostParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    expand: Option<Parsed<Vec<PostRelation>>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    fields: Option<Parsed<Fields<PostView<'static>>>>,
}

impl RequestDto for PostParams {
    type Input = (Vec<PostRelation>, Fields<PostView<'static>>);

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Self::Input {
        let Self { expand, fields } = valid.into_inner();
        (optional(expand).unwrap_or_default(), optional(fields).unwrap_or_default())
    }
}

/// Returns a post, with its version as entity tag. Embedded resources change without a new version
/// of the post, so a response with them has no tag. Also fails with `NOT_FOUND` for another user's
/// draft.
#[utoipa::path(
    get,
    path = "/posts/{id}",
    operation_id = "getPost",
    tag = "posts",
    params(PostParams, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = PostView<'static>)),
    security((), ("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn get(
    state: Data<WebState>,
    caller: MaybeSignedIn,
    id: PathId<PostId>,
    params: Params<PostParams>,
    known: KnownTags,
) -> HandlerResult {
    let (id, (relations, fields)) = state.validate((id, params))?;
    let post = state.application.content.get_post(caller.caller(), id).await?;
    if relations.is_empty() {
        let tag = reply::version_tag(post.version);
        return reply::unless_known(&known, tag, || fields.of(PostView::new(&post)));
    }
    let related = state.application.content.relate_to_posts(from_ref(&post), &relations).await?;
    reply::ok(fields.of(PostView::with(&post, &related)))
}
