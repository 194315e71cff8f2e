//! `GET /posts/{id}`: returns a post.

use std::slice::from_ref;

use actix_web::web::Data;
use foretell_application::PostRelation;
use foretell_domain::id::PostId;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::post::{POST_RELATIONS, PostView};
use crate::dto::selection::{Fields, expanded};
use crate::extract::{KnownTags, MaybeSignedIn, Params, ParseContext, ParseRequest, PathId};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// Selection of a post's fields and embedded resources: `?expand=&fields=`.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PostParams {
    #[garde(skip)]
    expand: Option<String>,
    #[garde(skip)]
    fields: Option<String>,
}

impl ParseRequest for PostParams {
    type Input = (Vec<PostRelation>, Fields);

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<Self::Input> {
        let relations = expanded(self.expand.as_deref(), &POST_RELATIONS, errors);
        let fields = Fields::read::<PostView<'_>>(self.fields.as_deref(), errors);
        Some((relations?, fields?))
    }
}

/// Returns a post, with its version as entity tag. Embedded resources change without a new version
/// of the post, so a response with them has no tag. 200, 304 if the client has this version, 400
/// `VALIDATION_ERROR`, 404 `NOT_FOUND` also for another user's draft.
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
