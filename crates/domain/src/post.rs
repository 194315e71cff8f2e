//! Posts: what a user writes at length, as a draft or for everyone.

use thiserror::Error;

use crate::id::{CommentId, PostId, UserId};
use crate::tag::Tags;
use crate::text::{PostContent, PostTitle};
use crate::time::Timestamp;

/// Why there is nothing to be done with a post or comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PostError {
    /// There is no such post, or it is not for the actor to see.
    #[error("post not found: {0}")]
    NotFound(PostId),
    /// There is no such comment, or it is not for the actor to see.
    #[error("comment not found: {0}")]
    CommentNotFound(CommentId),
}

/// Who may see a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum PostStatus {
    /// Its author alone.
    Draft,
    /// Everyone.
    Published,
}

impl PostStatus {
    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }

    /// The status of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Draft, Self::Published].into_iter().find(|status| status.as_str() == name)
    }
}

/// Of a post, what decides who may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorship {
    /// Who wrote it.
    pub author_id: UserId,
    /// Who may see it beside them.
    pub status: PostStatus,
}

/// A post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Names the post.
    pub id: PostId,
    /// Who wrote it.
    pub author_id: UserId,
    /// What it says, and to whom.
    pub body: PostBody,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What an author decides about a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostBody {
    /// What it is called.
    pub title: PostTitle,
    /// What it says.
    pub content: PostContent,
    /// What it is about.
    pub tags: Tags,
    /// Who may see it.
    pub status: PostStatus,
}

/// A change of a post; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostEdit {
    /// What it is called from now on.
    pub title: Option<PostTitle>,
    /// What it says from now on.
    pub content: Option<PostContent>,
    /// What it is about from now on.
    pub tags: Option<Tags>,
    /// Who may see it from now on.
    pub status: Option<PostStatus>,
}

impl Post {
    /// What decides who may see it.
    pub const fn authorship(&self) -> Authorship {
        Authorship { author_id: self.author_id, status: self.body.status }
    }

    /// Changes the post and says whether anything is different; the version counts only then.
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
    fn an_edit_changes_what_it_names_and_counts() {
        let mut edited = post();
        let title = PostTitle::new("Another").ok();
        let edit = PostEdit { title, status: Some(PostStatus::Published), ..PostEdit::default() };
        assert!(edited.edit(edit.clone(), Timestamp::from_micros(5)));
        let expected =
            PostBody { title: edit.title.clone().unwrap(), status: PostStatus::Published, ..post().body };
        assert_eq!((&edited.body, edited.version, edited.updated_at.micros()), (&expected, 2, 5));
        assert_eq!(edited.created_at, post().created_at);
        assert!(!edited.edit(edit, Timestamp::from_micros(6)), "it says so already");
        assert_eq!((edited.version, edited.updated_at.micros()), (2, 5));
    }

    #[test]
    fn an_edit_of_nothing_leaves_the_version() {
        let mut edited = post();
        assert!(!edited.edit(PostEdit::default(), Timestamp::from_micros(5)));
        assert_eq!(edited, post());
    }
}
