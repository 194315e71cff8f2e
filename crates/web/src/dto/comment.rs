//! Comments as clients read them.

use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{CommentId, MarketId, PostId, UserId};
use serde::Serialize;

use super::text::Text;
use super::time::Time;

/// A comment, with the id of what it is about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommentView<'a> {
    id: Text<CommentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_id: Option<Text<PostId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    market_id: Option<Text<MarketId>>,
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
