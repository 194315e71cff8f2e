//! `GET /users`: lists users.

use std::collections::BTreeMap;

use actix_web::web::Data;
use foretell_application::UserRelation;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::listed_user::ListedUser;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::selection::Fields;
use crate::extract::{List, Params, Read, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

/// Selection in a list of users: `?expand=posts&fields=id,name`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
pub(super) struct UsersParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    expand: Option<Parsed<Vec<UserRelation>>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    fields: Option<Parsed<Fields<ListedUser<'static>>>>,
}

impl RequestDto for UsersParams {
    type Input = (Vec<UserRelation>, Fields<ListedUser<'static>>);

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Self::Input {
        let Self { expand, fields } = valid.into_inner();
        (optional(expand).unwrap_or_default(), optional(fields).unwrap_or_default())
    }
}

/// Lists the users, newest first, without deleted ones.
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "listUsers",
    tag = "users",
    params(UsersParams),
    responses((status = 200, description = "Done.", body = Vec<ListedUser<'static>>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<List<UsersParams>>,
) -> HandlerResult {
    let ((relations, fields), paging) = state.validate(params)?;
    let application = &state.application;
    let mut users = application.queries.users.list_users(paging.request()).await?;
    let meta =
        paging.meta(&mut users, |user| user.id, application.queries.users.count_users()).await?;
    let related = application.identity.relate_to_users(&users, &relations).await?;
    let posts = related.posts.iter().flat_map(BTreeMap::values).flatten();
    let text_bytes = posts.map(|post| post.body.content.as_str().len()).sum();
    let write = move || {
        let view = |user| fields.of(ListedUser::new(caller.actor(), user, &related));
        reply::list_body(users.iter().map(view).collect::<Vec<_>>(), meta)
    };
    reply::with_texts(text_bytes, write).await
}
