//! `GET /users`: lists users.

use std::collections::BTreeMap;

use actix_web::web::Data;
use foretell_application::UserRelation;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::page::{PageParams, Paging};
use crate::dto::selection::{Fields, expanded};
use crate::dto::text::parsed;
use crate::dto::user::{ListedUser, USER_RELATIONS};
use crate::extract::{Params, ParseContext, ParseRequest, Read, SignedIn};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// Pagination and selection of a list of users: `?expand=posts&fields=id,name`.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UsersParams {
    #[garde(skip)]
    expand: Option<String>,
    #[garde(skip)]
    fields: Option<String>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    page: Option<u32>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    limit: Option<u32>,
    #[garde(skip)]
    cursor: Option<String>,
}

impl ParseRequest for UsersParams {
    type Input = (Vec<UserRelation>, Fields, Paging);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        let relations = expanded(self.expand.as_deref(), &USER_RELATIONS, errors);
        let fields = Fields::read::<ListedUser<'_>>(self.fields.as_deref(), errors);
        let (page, limit, cursor) = (self.page, self.limit, self.cursor);
        let paging = PageParams { page, limit, cursor }.parse(errors, context);
        Some((relations?, fields?, paging?))
    }
}

/// Lists the users, newest first, without deleted ones. 200, 400 `VALIDATION_ERROR`, 401
/// `UNAUTHORIZED`, 403 `FORBIDDEN`.
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
    params: Params<UsersParams>,
) -> HandlerResult {
    let (relations, fields, paging) = state.validate(params)?;
    let application = &state.application;
    let mut users = application.identity.list_users(paging.request()).await?;
    let meta = paging.meta(&mut users, |user| user.id, application.identity.count_users()).await?;
    let related = application.identity.relate_to_users(&users, &relations).await?;
    let posts = related.posts.iter().flat_map(BTreeMap::values).flatten();
    let text_bytes = posts.map(|post| post.body.content.as_str().len()).sum();
    let write = move || {
        let view = |user| fields.of(ListedUser::new(caller.actor(), user, &related));
        reply::list_body(users.iter().map(view).collect::<Vec<_>>(), meta)
    };
    reply::with_texts(text_bytes, write).await
}
