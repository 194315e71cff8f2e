//! Response type of users in lists, with their posts on request.

use foretell_application::{RelatedToUsers, UserRelation};
use foretell_domain::policy::Actor;
use foretell_domain::post::Post;
use foretell_domain::user::User;
use serde::Serialize;
use utoipa::ToSchema;

use super::post::PostView;
use super::selection::{Relation, Selectable};
use super::user::UserView;

/// A user in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedUser<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    /// The newest published posts, only with `expand=posts`: 20 at most, fewer if the page has more
    /// than 5 users.
    #[serde(skip_serializing_if = "Option::is_none")]
    posts: Option<Vec<PostView<'a>>>,
}

impl<'a> ListedUser<'a> {
    /// Creates the response with the fields that this actor may see, and embedded resources.
    pub(crate) fn new(actor: Actor, user: &'a User, related: &'a RelatedToUsers) -> Self {
        let of_user = |posts: Option<&'a Vec<Post>>| posts.into_iter().flatten().map(PostView::new);
        let posts = related.posts.as_ref();
        let posts = posts.map(|posts| of_user(posts.get(&user.id)).collect());
        Self { user: UserView::seen_by(actor, user), posts }
    }
}

impl Selectable for ListedUser<'_> {
    const FIELDS: &'static [&'static str] =
        &["id", "name", "avatar", "role", "createdAt", "updatedAt", "email", "status", "posts"];
}

/// Resources that can be embedded in a user, by their names in `expand`.
impl Relation for UserRelation {
    const ALL: &'static [(&'static str, Self)] = &[("posts", Self::Posts)];
}
