//! Comments: what users say about a post or a market.

use crate::id::{CommentId, MarketId, PostId, UserId};
use crate::text::CommentContent;
use crate::time::Timestamp;

/// What a comment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
pub struct Comment {
    /// Names the comment.
    pub id: CommentId,
    /// What it is about, for good.
    pub subject: CommentSubject,
    /// Who wrote it.
    pub author_id: UserId,
    /// What it says.
    pub content: CommentContent,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Comment {
    /// Changes what it says, if that is different, and says whether it is.
    pub fn edit(&mut self, content: CommentContent, at: Timestamp) -> bool {
        if content == self.content {
            return false;
        }
        self.content = content;
        self.updated_at = at;
        true
    }
}
