//! Storage of posts, comments and tags.

use async_trait::async_trait;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{CommentId, PostId, UserId};
use foretell_domain::post::{Authorship, Post, PostStatus};
use foretell_domain::tag::Tag;

use crate::error::StoreError;
use crate::locked::Locked;
use crate::page::PageRequest;

/// Writes posts and comments within a unit of work. A unit that uses both a subject and its
/// comments must lock the subject first.
pub trait PostTx {
    /// Inserts a post with its tags. An existing id causes [`StoreError::Rejected`].
    fn insert_post(&mut self, post: &Post) -> Result<(), StoreError>;

    /// Locks a post and returns it, if it exists.
    fn lock_post(&mut self, id: PostId) -> Result<Option<Locked<Post>>, StoreError>;

    /// Stores the texts, tags, status, version and modification time of a locked post.
    fn save_post(&mut self, post: &Locked<Post>) -> Result<(), StoreError>;

    /// Deletes a locked post with its tags and comments.
    fn delete_post(&mut self, post: Locked<Post>) -> Result<(), StoreError>;

    /// Returns the subject of a new comment, if it exists, under a shared lock: it cannot be
    /// deleted before the unit ends, but other units may share the lock and change the subject.
    fn lock_subject(
        &mut self,
        subject: CommentSubject,
    ) -> Result<Option<LockedSubject>, StoreError>;

    /// Inserts a comment on a locked subject. An existing id causes [`StoreError::Rejected`].
    fn insert_comment(&mut self, comment: &Comment) -> Result<(), StoreError>;

    /// Locks a comment and returns it, if it exists.
    fn lock_comment(&mut self, id: CommentId) -> Result<Option<Locked<Comment>>, StoreError>;

    /// Stores the text and modification time of a locked comment.
    fn save_comment(&mut self, comment: &Locked<Comment>) -> Result<(), StoreError>;

    /// Deletes a locked comment.
    fn delete_comment(&mut self, comment: Locked<Comment>) -> Result<(), StoreError>;

    /// Deletes all posts of a user, with all comments on them, and all comments of the user.
    fn delete_content_of(&mut self, user: UserId) -> Result<(), StoreError>;
}

/// Subject of a comment, with the fields that decide who may comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockedSubject {
    /// A post with its visibility.
    Post(Authorship),
    /// A market, which everyone may see.
    Market,
}

/// Filter of a list of posts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PostFilter {
    /// Only posts in this status.
    pub status: PostStatus,
    /// Only posts of this author.
    pub author_id: Option<UserId>,
    /// Only posts with this tag.
    pub tag: Option<Tag>,
}

impl PostFilter {
    /// Returns `true` if a post matches.
    pub fn wants(&self, post: &Post) -> bool {
        post.body.status == self.status
            && self.author_id.is_none_or(|author| post.author_id == author)
            && self.tag.as_ref().is_none_or(|tag| post.body.tags.contains(tag))
    }
}

/// A tag and its number of published posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    /// The tag.
    pub tag: Tag,
    /// Number of published posts with the tag, at least one.
    pub post_count: i64,
}

/// Reads posts, comments and tags, without checking permissions.
#[async_trait]
pub trait PostQueries: Send + Sync {
    /// Returns the post with this id.
    async fn find_post(&self, id: PostId) -> Result<Option<Post>, StoreError>;

    /// Returns those of these posts that exist, each once, in any order.
    async fn find_posts(&self, ids: &[PostId]) -> Result<Vec<Post>, StoreError>;

    /// Returns the posts that match a filter, by descending id.
    async fn list_posts(
        &self,
        filter: &PostFilter,
        page: PageRequest<PostId>,
    ) -> Result<Vec<Post>, StoreError>;

    /// Returns the number of posts that match a filter.
    async fn count_posts(&self, filter: &PostFilter) -> Result<i64, StoreError>;

    /// Returns the comment with this id.
    async fn find_comment(&self, id: CommentId) -> Result<Option<Comment>, StoreError>;

    /// Returns the comments on a subject, by descending id; none if the subject does not exist.
    async fn list_comments(
        &self,
        subject: CommentSubject,
        page: PageRequest<CommentId>,
    ) -> Result<Vec<Comment>, StoreError>;

    /// Returns the comments of an author, by descending id.
    async fn list_comments_of(
        &self,
        author: UserId,
        page: PageRequest<CommentId>,
    ) -> Result<Vec<Comment>, StoreError>;

    /// Returns the number of comments on a subject.
    async fn count_comments(&self, subject: CommentSubject) -> Result<i64, StoreError>;

    /// Returns the `limit` newest published posts of each of these authors, all by descending id,
    /// with a constant number of statements.
    async fn list_newest_posts(
        &self,
        authors: &[UserId],
        limit: u32,
    ) -> Result<Vec<Post>, StoreError>;

    /// Returns the `limit` newest comments on each of these posts, all by descending id, with a
    /// constant number of statements.
    async fn list_newest_comments(
        &self,
        posts: &[PostId],
        limit: u32,
    ) -> Result<Vec<Comment>, StoreError>;

    /// Returns the tags of published posts, by descending number of posts and then alphabetically.
    /// Each comes with its position in the list from 1, after which the next page may start.
    async fn list_tags(&self, page: PageRequest<i64>) -> Result<Vec<(i64, TagCount)>, StoreError>;

    /// Returns the number of tags of published posts.
    async fn count_tags(&self) -> Result<i64, StoreError>;
}
