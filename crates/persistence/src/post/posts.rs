//! The table `posts`, each row with its tags.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use foretell_domain::id::{PostId, UserId};
use foretell_domain::post::Post;
use foretell_ports::unit::Locked;

use crate::connection::{Connection, on};
use crate::dialect::content;
use crate::error::{Failure, expect_saved};
use crate::id::{DbId, Id, db_ids};
use crate::post::post_rows::{PostRow, TaggedRow};
use crate::post::post_tags;
use crate::prepared::prepared;
use crate::schema::posts;
use crate::unreadable_rows::skip_unreadable;

/// Inserts a post with its tags.
pub(crate) fn insert(connection: &mut Connection<'_>, post: &Post) -> Result<(), Failure> {
    let row = PostRow::from(post);
    on!(connection, |c| diesel::insert_into(posts::table).values(&row).execute(c))?;
    post_tags::insert(connection, &row, &post.body.tags)
}

/// Locks a post and returns it.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    id: PostId,
) -> Result<Option<Locked<Post>>, Failure> {
    let Some(row) = content::lock_post(connection, id.into())? else { return Ok(None) };
    // Read after the post is locked, so that no other unit can change them.
    let tags = post_tags::find(connection, row.id)?;
    row.into_post(tags).map(Locked::assume).map(Some)
}

/// Stores the content of a locked post.
pub(crate) fn save(connection: &mut Connection<'_>, post: &Post) -> Result<(), Failure> {
    const SAVE: &str = "UPDATE posts
        SET title = ?, content = ?, status = ?, version = ?, updated_at_us = ? WHERE id = ?";
    let row = PostRow::from(post);
    let saved = on!(connection, |c| {
        prepared(SAVE)
            .bind::<Text, _>(row.title.as_str())
            .bind::<Text, _>(row.content.as_str())
            .bind::<Text, _>(row.status.as_str())
            .bind::<BigInt, _>(row.version)
            .bind::<BigInt, _>(row.updated_at_us)
            .bind::<Id, _>(row.id)
            .execute(c)
    })?;
    expect_saved("posts", 1, saved)?;
    // Rows of tags repeat the status of the post, so they are replaced even if no tag has changed.
    post_tags::delete(connection, row.id)?;
    post_tags::insert(connection, &row, &post.body.tags)
}

/// Deletes a locked post; foreign keys delete its tags and comments.
pub(crate) fn delete(connection: &mut Connection<'_>, id: PostId) -> Result<(), Failure> {
    const DELETE: &str = "DELETE FROM posts WHERE id = ?";
    let deleted = on!(connection, |c| prepared(DELETE).bind::<Id, _>(DbId::from(id)).execute(c))?;
    expect_saved("posts", 1, deleted)
}

/// Returns the ids of all posts of a user.
pub(crate) fn ids_of(connection: &mut Connection<'_>, user: UserId) -> Result<Vec<DbId>, Failure> {
    let ids = posts::table.filter(posts::author_id.eq(DbId::from(user))).select(posts::id);
    Ok(on!(connection, |c| ids.load(c))?)
}

/// Deletes all posts and comments of a user.
pub(crate) fn delete_content_of(
    connection: &mut Connection<'_>,
    user: UserId,
) -> Result<(), Failure> {
    const DELETE_POSTS: &str = "DELETE FROM posts WHERE author_id = ?";
    const DELETE_COMMENTS: &str = "DELETE FROM comments WHERE author_id = ?";
    let user = DbId::from(user);
    // Posts first, like every unit that locks both a post and its comments, so that none can
    // deadlock.
    on!(connection, |c| prepared(DELETE_POSTS).bind::<Id, _>(user).execute(c))?;
    on!(connection, |c| prepared(DELETE_COMMENTS).bind::<Id, _>(user).execute(c))?;
    Ok(())
}

/// Returns the post with this id.
pub(crate) fn find(connection: &mut Connection<'_>, id: PostId) -> Result<Option<Post>, Failure> {
    find_all(connection, &[id.into()])?.pop().map(|(_, post)| post).transpose()
}

/// Returns the posts with these ids whose rows are readable.
pub(crate) fn find_readable(
    connection: &mut Connection<'_>,
    ids: &[DbId],
) -> Result<Vec<Post>, Failure> {
    skip_unreadable(find_all(connection, ids)?.into_iter().map(|(_, post)| post))
}

/// Returns the `limit` newest published posts of each of these authors, by descending id.
pub(crate) fn list_newest(
    connection: &mut Connection<'_>,
    authors: &[UserId],
    limit: u32,
) -> Result<Vec<Post>, Failure> {
    let rows =
        content::newest_posts(connection, &db_ids(authors.iter().copied()), i64::from(limit))?;
    // The rows come author by author, and the list is ordered by id alone.
    let mut posts = skip_unreadable(rows.into_iter().map(Post::try_from))?;
    posts.sort_by_key(|post| Reverse(post.id));
    Ok(posts)
}

/// A post, or the reason why its row is unreadable.
type FoundPost = (DbId, Result<Post, Failure>);

/// Returns the posts with these ids, in order, with one statement.
pub(crate) fn find_all(
    connection: &mut Connection<'_>,
    ids: &[DbId],
) -> Result<Vec<FoundPost>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = content::posts(connection, ids)?;
    let mut rows: BTreeMap<DbId, TaggedRow> =
        rows.into_iter().map(|row| (row.post.id, row)).collect();
    Ok(ids.iter().filter_map(|id| Some((*id, Post::try_from(rows.remove(id)?)))).collect())
}
