//! Posts: longer texts of a user, as drafts or published.

use thiserror::Error;

use crate::id::{CommentId, PostId, UserId};
use crate::tag::Tags;
use crate::text::{PostContent, PostTitle};
use crate::time::Timestamp;

/// Reason why an operation on a post or comment is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PostError {
    /// The post does not exist, or the actor may not see it.
    #[error("post not found: {0}")]
    NotFound(PostId),
    /// The comment does not exist, or the actor may not see it.
    #[error("comment not found: {0}")]
    CommentNotFound(CommentId),
}

/// Visibility of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum PostStatus {
    /// Visible to its author only.
    Draft,
    /// Visible to everyone.
    Published,
}

impl PostStatus {
    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }

    /// Returns the status with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Draft, Self::Published].into_iter().find(|status| status.as_str() == name)
    }
}

/// The fields of a post that determine its visibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Authorship {
    /// Author.
    pub author_id: UserId,
    /// Visibility.
    pub status: PostStatus,
}

/// A post.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Post {
    /// Identifier of the post.
    pub id: PostId,
    /// Author.
    pub author_id: UserId,
    /// Content and visibility.
    pub body: PostBody,
    /// Version, incremented by each change, from 1.
    pub version: i64,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// The fields of a post that its author sets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PostBody {
    /// Title.
    pub title: PostTitle,
    /// Text.
    pub content: PostContent,
    /// Tags.
    pub tags: Tags,
    /// Visibility.
    pub status: PostStatus,
}

/// Requested changes of a post; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PostEdit {
    /// New title.
    pub title: Option<PostTitle>,
    /// New text.
    pub content: Option<PostContent>,
    /// New tags.
    pub tags: Option<Tags>,
    /// New visibility.
    pub status: Option<PostStatus>,
}

impl Post {
    /// Returns the fields that determine the visibility.
    pub const fn authorship(&self) -> Authorship {
        Authorship { author_id: self.author_id, status: self.body.status }
    }

    /// Changes the post. Returns `true`, and increments the version, if anything is different.
    pub fn edit(&mut self, edit: PostEdit, at: Timestamp) -> bool {
        let PostEdit { title, content, tags, status } = edit;
        let old = &self.body;
        let body = PostBody {
            title: title.unwrap_or_else(|| old.title.clone()),
            content: content.unwrap_or_else(|| old.content.clone()),
            tags: tags.unwrap_or_else(|| old.tags.clone()),
            status: status.unwrap_or(old.status),
        };
        if body == self.body {
            return false;
        }
        self.body = body;
        self.version += 1;
        self.updated_at = at;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::Tag;

    fn post() -> Post {
        let body = PostBody {
            title: PostTitle::new("Title").unwrap(),
            content: PostContent::new("Content").unwrap(),
            tags: Tags::new([Tag::new("one").unwrap()]).unwrap(),
            status: PostStatus::Draft,
        };
        let (created_at, updated_at) = (Timestamp::from_micros(1), Timestamp::from_micros(1));
        let (id, author_id) = (PostId::from_u128(1), UserId::from_u128(2));
        Post { id, author_id, body, version: 1, created_at, updated_at }
    }

    #[test]
    fn edit_changes_given_fields_and_version() {
        let mut edited = post();
        let title = PostTitle::new("Another").ok();
        let edit = PostEdit { title, status: Some(PostStatus::Published), ..PostEdit::default() };
        assert!(edited.edit(edit.clone(), Timestamp::from_micros(5)));
        let expected = PostBody {
            title: edit.title.clone().unwrap(),
            status: PostStatus::Published,
            ..post().body
        };
        assert_eq!((&edited.body, edited.version, edited.updated_at.micros()), (&expected, 2, 5));
        assert_eq!(edited.created_at, post().created_at);
        assert!(!edited.edit(edit, Timestamp::from_micros(6)), "it says so already");
        assert_eq!((edited.version, edited.updated_at.micros()), (2, 5));
    }

    #[test]
    fn edit_without_change_keeps_version() {
        let mut edited = post();
        assert!(!edited.edit(PostEdit::default(), Timestamp::from_micros(5)));
        assert_eq!(edited, post());
    }
}
