//! Comments of users on a post or a market.

use crate::id::{CommentId, MarketId, PostId, UserId};
use crate::text::CommentContent;
use crate::time::Timestamp;

/// Subject of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum CommentSubject {
    /// A post.
    Post(PostId),
    /// A market.
    Market(MarketId),
}

impl From<PostId> for CommentSubject {
    fn from(id: PostId) -> Self {
        Self::Post(id)
    }
}

impl From<MarketId> for CommentSubject {
    fn from(id: MarketId) -> Self {
        Self::Market(id)
    }
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Comment {
    /// Identifier of the comment.
    pub id: CommentId,
    /// Subject; it never changes.
    pub subject: CommentSubject,
    /// Author.
    pub author_id: UserId,
    /// Text.
    pub content: CommentContent,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl Comment {
    /// Replaces the text if it differs. Returns `true` if the comment has changed.
    pub fn edit(&mut self, content: CommentContent, at: Timestamp) -> bool {
        if content == self.content {
            return false;
        }
        self.content = content;
        self.updated_at = at;
        true
    }
}
