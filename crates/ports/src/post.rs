//! Posts, comments and tags: writing and reading them.

use async_trait::async_trait;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{CommentId, PostId, UserId};
use foretell_domain::post::{Authorship, Post, PostStatus};
use foretell_domain::tag::Tag;

use crate::error::StoreError;
use crate::page::Stretch;
use crate::unit::Locked;

/// Writes posts and comments within a unit of work. A unit that touches a subject and its comments touches
/// the subject first.
pub trait PostTx {
    /// Inserts a post with its tags. A known id makes it [`StoreError::Rejected`].
    fn insert_post(&mut self, post: &Post) -> Result<(), StoreError>;

    /// Locks a post and returns it, if it exists.
    fn lock_post(&mut self, id: PostId) -> Result<Option<Locked<Post>>, StoreError>;

    /// Stores what a locked post says, its tags, its status, its version and when it changed.
    fn save_post(&mut self, post: &Locked<Post>) -> Result<(), StoreError>;

    /// Deletes a locked post with its tags and comments.
    fn delete_post(&mut self, post: Locked<Post>) -> Result<(), StoreError>;

    /// What a comment would be about, if it exists. It is not deleted before the unit ends, but it is not
    /// locked otherwise: any number of units may hold it, and others may change it.
    fn hold_subject(&mut self, subject: CommentSubject) -> Result<Option<HeldSubject>, StoreError>;

    /// Inserts a comment whose subject is held. A known id makes it [`StoreError::Rejected`].
    fn insert_comment(&mut self, comment: &Comment) -> Result<(), StoreError>;

    /// Locks a comment and returns it, if it exists.
    fn lock_comment(&mut self, id: CommentId) -> Result<Option<Locked<Comment>>, StoreError>;

    /// Stores what a locked comment says and when it changed.
    fn save_comment(&mut self, comment: &Locked<Comment>) -> Result<(), StoreError>;

    /// Deletes a locked comment.
    fn delete_comment(&mut self, comment: Locked<Comment>) -> Result<(), StoreError>;

    /// Deletes all posts of a user, with everybody's comments on them, and all comments of the user.
    fn delete_content_of(&mut self, user: UserId) -> Result<(), StoreError>;
}

/// What a comment is about, as far as it decides who may comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldSubject {
    /// A post that these may see.
    Post(Authorship),
    /// A market, which everyone may see.
    Market,
}

/// Which posts are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PostFilter {
    /// Only in this status.
    pub status: PostStatus,
    /// Only by this author.
    pub author_id: Option<UserId>,
    /// Only with this tag.
    pub tag: Option<Tag>,
}

impl PostFilter {
    /// Whether a post is wanted.
    pub fn wants(&self, post: &Post) -> bool {
        post.body.status == self.status
            && self.author_id.is_none_or(|author| post.author_id == author)
            && self.tag.as_ref().is_none_or(|tag| post.body.tags.contains(tag))
    }
}

/// A tag and how many published posts have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    /// The tag.
    pub tag: Tag,
    /// The published posts that have it, at least one.
    pub post_count: i64,
}

/// Reads posts, comments and tags, whoever may see them.
#[async_trait]
pub trait PostQueries: Send + Sync {
    /// The post with this id.
    async fn find_post(&self, id: PostId) -> Result<Option<Post>, StoreError>;

    /// Those of these posts that exist, each once, in any order.
    async fn find_posts(&self, ids: &[PostId]) -> Result<Vec<Post>, StoreError>;

    /// The posts that a filter lets through, by descending id.
    async fn list_posts(
        &self,
        filter: &PostFilter,
        stretch: Stretch<PostId>,
    ) -> Result<Vec<Post>, StoreError>;

    /// How many posts a filter lets through.
    async fn count_posts(&self, filter: &PostFilter) -> Result<i64, StoreError>;

    /// The comment with this id.
    async fn find_comment(&self, id: CommentId) -> Result<Option<Comment>, StoreError>;

    /// The comments on a subject, by descending id; none if there is no such subject.
    async fn list_comments(
        &self,
        subject: CommentSubject,
        stretch: Stretch<CommentId>,
    ) -> Result<Vec<Comment>, StoreError>;

    /// The comments of an author, by descending id.
    async fn list_comments_of(
        &self,
        author: UserId,
        stretch: Stretch<CommentId>,
    ) -> Result<Vec<Comment>, StoreError>;

    /// How many comments there are on a subject.
    async fn count_comments(&self, subject: CommentSubject) -> Result<i64, StoreError>;

    /// The `limit` newest published posts of each of these authors, all of them by descending id, in a number of
    /// statements that does not grow with the authors.
    async fn list_newest_posts(&self, authors: &[UserId], limit: u32) -> Result<Vec<Post>, StoreError>;

    /// The `limit` newest comments on each of these posts, all of them by descending id, in a number of
    /// statements that does not grow with the posts.
    async fn list_newest_comments(&self, posts: &[PostId], limit: u32) -> Result<Vec<Comment>, StoreError>;

    /// The tags of published posts, those of the most posts first, and of equals in the order of their letters.
    /// Each comes with its position in the list from 1, after which a later part may begin.
    async fn list_tags(&self, stretch: Stretch<i64>) -> Result<Vec<(i64, TagCount)>, StoreError>;

    /// How many tags published posts have.
    async fn count_tags(&self) -> Result<i64, StoreError>;
}
