//! Posts, comments and tags in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{CommentId, PostId, UserId};
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::tag::Tag;
use foretell_ports::error::StoreError;
use foretell_ports::page::PageRequest;
use foretell_ports::post::{LockedSubject, PostFilter, PostQueries, PostTx, TagCount};
use foretell_ports::unit::Locked;

use super::tables::Tables;
use super::tx::MemoryTx;
use super::{MemoryStore, count, cut_page};

impl PostTx for MemoryTx<'_> {
    fn insert_post(&mut self, post: &Post) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            tables.users.require(&post.author_id)?;
            locked.posts.insert(post.id);
            tables.posts.insert(post.id, post.clone())
        })
    }

    fn lock_post(&mut self, id: PostId) -> Result<Option<Locked<Post>>, StoreError> {
        self.step(|tables, locked| {
            let found = tables.posts.get(&id).cloned();
            locked.posts.extend(found.as_ref().map(|post| post.id));
            Ok(found.map(Locked::assume))
        })
    }

    fn save_post(&mut self, post: &Locked<Post>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_post(post.id)?;
            let Post { body, version, updated_at, .. } = Post::clone(post);
            let stored = tables.posts.require(&post.id)?.clone();
            tables.posts.put(post.id, Post { body, version, updated_at, ..stored });
            Ok(())
        })
    }

    fn delete_post(&mut self, post: Locked<Post>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_post(post.id)?;
            tables.posts.require(&post.id)?;
            delete_posts(tables, &[post.id].into());
            Ok(())
        })
    }

    fn lock_subject(
        &mut self,
        subject: CommentSubject,
    ) -> Result<Option<LockedSubject>, StoreError> {
        self.step(|tables, _| {
            Ok(match subject {
                CommentSubject::Post(id) => {
                    tables.posts.get(&id).map(|post| LockedSubject::Post(post.authorship()))
                }
                CommentSubject::Market(id) => {
                    tables.markets.get(&id).map(|_| LockedSubject::Market)
                }
            })
        })
    }

    fn insert_comment(&mut self, comment: &Comment) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            tables.users.require(&comment.author_id)?;
            match comment.subject {
                CommentSubject::Post(id) => tables.posts.require(&id).map(drop)?,
                CommentSubject::Market(id) => tables.markets.require(&id).map(drop)?,
            }
            locked.comments.insert(comment.id);
            tables.comments.insert(comment.id, comment.clone())
        })
    }

    fn lock_comment(&mut self, id: CommentId) -> Result<Option<Locked<Comment>>, StoreError> {
        self.step(|tables, locked| {
            let found = tables.comments.get(&id).cloned();
            locked.comments.extend(found.as_ref().map(|comment| comment.id));
            Ok(found.map(Locked::assume))
        })
    }

    fn save_comment(&mut self, comment: &Locked<Comment>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_comment(comment.id)?;
            let Comment { content, updated_at, .. } = Comment::clone(comment);
            let stored = tables.comments.require(&comment.id)?.clone();
            tables.comments.put(comment.id, Comment { content, updated_at, ..stored });
            Ok(())
        })
    }

    fn delete_comment(&mut self, comment: Locked<Comment>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_comment(comment.id)?;
            tables.comments.require(&comment.id)?;
            tables.comments.remove(comment.id);
            Ok(())
        })
    }

    fn delete_content_of(&mut self, user: UserId) -> Result<(), StoreError> {
        self.step(|tables, _| {
            let posts = tables.posts.range(..).filter(|(_, post)| post.author_id == user);
            let posts = posts.map(|(id, _)| *id).collect();
            delete_posts(tables, &posts);
            delete_comments(tables, |comment| comment.author_id == user);
            Ok(())
        })
    }
}

/// Deletes posts with their comments, like a cascade.
fn delete_posts(tables: &mut Tables, posts: &BTreeSet<PostId>) {
    delete_comments(
        tables,
        |comment| matches!(comment.subject, CommentSubject::Post(id) if posts.contains(&id)),
    );
    for id in posts {
        tables.posts.remove(*id);
    }
}

pub(super) fn delete_comments(tables: &mut Tables, is_doomed: impl Fn(&Comment) -> bool) {
    let doomed = tables.comments.range(..).filter(|(_, comment)| is_doomed(comment));
    let doomed: Vec<_> = doomed.map(|(id, _)| *id).collect();
    for id in doomed {
        tables.comments.remove(id);
    }
}

pub(super) fn posts_in<'a>(
    tables: &'a Tables,
    filter: &'a PostFilter,
) -> impl Iterator<Item = &'a Post> {
    tables.posts.committed().values().rev().filter(|post| filter.wants(post))
}

fn comments_on(tables: &Tables, subject: CommentSubject) -> impl Iterator<Item = &Comment> {
    tables.comments.committed().values().rev().filter(move |comment| comment.subject == subject)
}

/// Returns the tags of published posts in the order of their list.
fn tags_of(tables: &Tables) -> Vec<TagCount> {
    let published =
        tables.posts.committed().values().filter(|post| post.body.status == PostStatus::Published);
    let mut counts: BTreeMap<&Tag, i64> = BTreeMap::new();
    for tag in published.flat_map(|post| post.body.tags.iter()) {
        *counts.entry(tag).or_default() += 1;
    }
    let mut tags: Vec<_> = counts
        .into_iter()
        .map(|(tag, post_count)| TagCount { tag: tag.clone(), post_count })
        .collect();
    tags.sort_by(|left, right| place_of(left).cmp(&place_of(right)));
    tags
}

fn place_of(count: &TagCount) -> (Reverse<i64>, &Tag) {
    (Reverse(count.post_count), &count.tag)
}

#[async_trait]
impl PostQueries for MemoryStore {
    async fn find_post(&self, id: PostId) -> Result<Option<Post>, StoreError> {
        Ok(self.read()?.posts.committed().get(&id).cloned())
    }

    async fn find_posts(&self, ids: &[PostId]) -> Result<Vec<Post>, StoreError> {
        let tables = self.read()?;
        Ok(ids.iter().filter_map(|id| tables.posts.committed().get(id)).cloned().collect())
    }

    async fn list_posts(
        &self,
        filter: &PostFilter,
        page: PageRequest<PostId>,
    ) -> Result<Vec<Post>, StoreError> {
        let tables = self.read()?;
        let posts = posts_in(&tables, filter).cloned().collect();
        Ok(cut_page(posts, page, |post: &Post, last| post.id < last))
    }

    async fn count_posts(&self, filter: &PostFilter) -> Result<i64, StoreError> {
        Ok(count(posts_in(&*self.read()?, filter).count()))
    }

    async fn find_comment(&self, id: CommentId) -> Result<Option<Comment>, StoreError> {
        Ok(self.read()?.comments.committed().get(&id).cloned())
    }

    async fn list_comments(
        &self,
        subject: CommentSubject,
        page: PageRequest<CommentId>,
    ) -> Result<Vec<Comment>, StoreError> {
        let tables = self.read()?;
        let comments = comments_on(&tables, subject).cloned().collect();
        Ok(cut_page(comments, page, |comment: &Comment, last| comment.id < last))
    }

    async fn list_comments_of(
        &self,
        author: UserId,
        page: PageRequest<CommentId>,
    ) -> Result<Vec<Comment>, StoreError> {
        let tables = self.read()?;
        let comments = tables.comments.committed().values().rev();
        let comments = comments.filter(|comment| comment.author_id == author).cloned().collect();
        Ok(cut_page(comments, page, |comment: &Comment, last| comment.id < last))
    }

    async fn count_comments(&self, subject: CommentSubject) -> Result<i64, StoreError> {
        Ok(count(comments_on(&*self.read()?, subject).count()))
    }

    async fn list_newest_posts(
        &self,
        authors: &[UserId],
        limit: u32,
    ) -> Result<Vec<Post>, StoreError> {
        let tables = self.read()?;
        let authors: BTreeSet<_> = authors.iter().collect();
        let newest = |author: &&UserId| {
            let filter =
                PostFilter { status: PostStatus::Published, author_id: Some(**author), tag: None };
            let posts =
                tables.posts.committed().values().rev().filter(move |post| filter.wants(post));
            posts.take(limit as usize).cloned().collect::<Vec<_>>()
        };
        let mut posts: Vec<_> = authors.iter().flat_map(newest).collect();
        posts.sort_by_key(|post| Reverse(post.id));
        Ok(posts)
    }

    async fn list_newest_comments(
        &self,
        posts: &[PostId],
        limit: u32,
    ) -> Result<Vec<Comment>, StoreError> {
        let tables = self.read()?;
        let posts: BTreeSet<_> = posts.iter().collect();
        let newest =
            |id: &&PostId| comments_on(&tables, CommentSubject::Post(**id)).take(limit as usize);
        let mut comments: Vec<_> = posts.iter().flat_map(newest).cloned().collect();
        comments.sort_by_key(|comment| Reverse(comment.id));
        Ok(comments)
    }

    async fn list_tags(&self, page: PageRequest<i64>) -> Result<Vec<(i64, TagCount)>, StoreError> {
        let tags = (1..).zip(tags_of(&*self.read()?)).collect();
        Ok(cut_page(tags, page, |(position, _), last| *position > last))
    }

    async fn count_tags(&self) -> Result<i64, StoreError> {
        Ok(count(tags_of(&*self.read()?).len()))
    }
}
