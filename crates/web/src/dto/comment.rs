//! Response types of comments.

use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{CommentId, MarketId, PostId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::text::Text;
use super::time::Time;
use crate::openapi::names::Id;

/// A comment, with the id of its subject.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommentView<'a> {
    #[schema(value_type = Id)]
    id: Text<CommentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    post_id: Option<Text<PostId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    market_id: Option<Text<MarketId>>,
    #[schema(value_type = Id)]
    author_id: Text<UserId>,
    content: &'a str,
    created_at: Time,
    updated_at: Time,
}

impl<'a> From<&'a Comment> for CommentView<'a> {
    fn from(comment: &'a Comment) -> Self {
        let (post_id, market_id) = match comment.subject {
            CommentSubject::Post(id) => (Some(Text(id)), None),
            CommentSubject::Market(id) => (None, Some(Text(id))),
        };
        Self {
            id: Text(comment.id),
            post_id,
            market_id,
            author_id: Text(comment.author_id),
            content: comment.content.as_str(),
            created_at: Time(comment.created_at),
            updated_at: Time(comment.updated_at),
        }
    }
}
