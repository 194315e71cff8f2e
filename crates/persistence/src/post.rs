//! Posts, comments and tags: the ports, and their statements in the modules below.

pub(crate) mod comment_rows;
pub(crate) mod comments;
pub(crate) mod post_lists;
pub(crate) mod post_rows;
pub(crate) mod post_tags;
pub(crate) mod posts;

use async_trait::async_trait;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{CommentId, PostId, UserId};
use foretell_domain::post::Post;
use foretell_ports::error::StoreError;
use foretell_ports::page::PageRequest;
use foretell_ports::post::{LockedSubject, PostFilter, PostQueries, PostTx, TagCount};
use foretell_ports::unit::Locked;

use crate::dialect::searches::Searched;
use crate::id::db_ids;
use crate::store::Store;
use crate::text_index::{self, NewText};
use crate::tx::UnitTx;

fn text_of(post: &Post) -> NewText<'_> {
    NewText {
        id: post.id.into(),
        title: post.body.title.as_str(),
        body: post.body.content.as_str(),
    }
}

impl PostTx for UnitTx<'_, '_> {
    fn insert_post(&mut self, post: &Post) -> Result<(), StoreError> {
        self.indexed_step(|c, index| {
            posts::insert(c, post)?;
            text_index::put(c, index, Searched::Posts, &[text_of(post)])
        })
    }

    fn lock_post(&mut self, id: PostId) -> Result<Option<Locked<Post>>, StoreError> {
        self.step(|c| posts::lock(c, id))
    }

    fn save_post(&mut self, post: &Locked<Post>) -> Result<(), StoreError> {
        self.indexed_step(|c, index| {
            posts::save(c, post)?;
            text_index::put(c, index, Searched::Posts, &[text_of(post)])
        })
    }

    fn delete_post(&mut self, post: Locked<Post>) -> Result<(), StoreError> {
        self.indexed_step(|c, index| {
            // First: the deletion of a post cascades to `post_texts`, by which its index is found.
            text_index::remove(c, index, Searched::Posts, &[post.id.into()])?;
            posts::delete(c, post.id)
        })
    }

    fn lock_subject(
        &mut self,
        subject: CommentSubject,
    ) -> Result<Option<LockedSubject>, StoreError> {
        self.step(|c| comments::lock_subject(c, subject))
    }

    fn insert_comment(&mut self, comment: &Comment) -> Result<(), StoreError> {
        self.step(|c| comments::insert(c, comment))
    }

    fn lock_comment(&mut self, id: CommentId) -> Result<Option<Locked<Comment>>, StoreError> {
        self.step(|c| comments::lock(c, id))
    }

    fn save_comment(&mut self, comment: &Locked<Comment>) -> Result<(), StoreError> {
        self.step(|c| comments::save(c, comment))
    }

    fn delete_comment(&mut self, comment: Locked<Comment>) -> Result<(), StoreError> {
        self.step(|c| comments::delete(c, comment.id))
    }

    fn delete_content_of(&mut self, user: UserId) -> Result<(), StoreError> {
        self.indexed_step(|c, index| {
            // Read before the deletion, after which the index of these posts is not found any more.
            let ids = posts::ids_of(c, user)?;
            text_index::remove(c, index, Searched::Posts, &ids)?;
            posts::delete_content_of(c, user)
        })
    }
}

#[async_trait]
impl PostQueries for Store {
    async fn find_post(&self, id: PostId) -> Result<Option<Post>, StoreError> {
        self.read("find_post", move |c| posts::find(c, id)).await
    }

    async fn find_posts(&self, ids: &[PostId]) -> Result<Vec<Post>, StoreError> {
        let ids = db_ids(ids.iter().copied());
        self.read("find_posts", move |c| posts::find_readable(c, &ids)).await
    }

    async fn list_posts(
        &self,
        filter: &PostFilter,
        page: PageRequest<PostId>,
    ) -> Result<Vec<Post>, StoreError> {
        let filter = filter.clone();
        self.read("list_posts", move |c| post_lists::list(c, &filter, page)).await
    }

    async fn count_posts(&self, filter: &PostFilter) -> Result<i64, StoreError> {
        let filter = filter.clone();
        self.read("count_posts", move |c| post_lists::count(c, &filter)).await
    }

    async fn find_comment(&self, id: CommentId) -> Result<Option<Comment>, StoreError> {
        self.read("find_comment", move |c| comments::find(c, id)).await
    }

    async fn list_comments(
        &self,
        subject: CommentSubject,
        page: PageRequest<CommentId>,
    ) -> Result<Vec<Comment>, StoreError> {
        self.read("list_comments", move |c| comments::list(c, subject, page)).await
    }

    async fn list_comments_of(
        &self,
        author: UserId,
        page: PageRequest<CommentId>,
    ) -> Result<Vec<Comment>, StoreError> {
        self.read("list_comments_of", move |c| comments::list_of(c, author, page)).await
    }

    async fn count_comments(&self, subject: CommentSubject) -> Result<i64, StoreError> {
        self.read("count_comments", move |c| comments::count(c, subject)).await
    }

    async fn list_newest_posts(
        &self,
        authors: &[UserId],
        limit: u32,
    ) -> Result<Vec<Post>, StoreError> {
        let authors = authors.to_vec();
        self.read("list_newest_posts", move |c| posts::list_newest(c, &authors, limit)).await
    }

    async fn list_newest_comments(
        &self,
        posts: &[PostId],
        limit: u32,
    ) -> Result<Vec<Comment>, StoreError> {
        let posts = posts.to_vec();
        self.read("list_newest_comments", move |c| comments::list_newest(c, &posts, limit)).await
    }

    async fn list_tags(&self, page: PageRequest<i64>) -> Result<Vec<(i64, TagCount)>, StoreError> {
        self.read("list_tags", move |c| post_tags::list_counts(c, page)).await
    }

    async fn count_tags(&self) -> Result<i64, StoreError> {
        self.read("count_tags", post_tags::count).await
    }
}
