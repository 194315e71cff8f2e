//! The table `comments`.

use std::cmp::Reverse;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{CommentId, PostId, UserId};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::post::LockedSubject;
use foretell_ports::unit::Locked;

use crate::connection::{Connection, on};
use crate::dialect::content;
use crate::error::{Failure, expect_saved};
use crate::id::{DbId, Id, db_ids};
use crate::post::comment_rows::CommentRow;
use crate::post::post_lists::paginate;
use crate::prepared::prepared;
use crate::schema::comments;
use crate::unreadable_rows::{load_page, skip_unreadable};

/// Locks the subject of a comment against deletion, if it exists.
pub(crate) fn lock_subject(
    connection: &mut Connection<'_>,
    subject: CommentSubject,
) -> Result<Option<LockedSubject>, Failure> {
    match subject {
        CommentSubject::Post(id) => {
            let row = content::hold_post(connection, id.into())?;
            row.map(|row| Ok(LockedSubject::Post(row.try_into()?))).transpose()
        }
        CommentSubject::Market(id) => {
            let is_there = content::hold_market(connection, id.into())?;
            Ok(is_there.then_some(LockedSubject::Market))
        }
    }
}

/// Inserts a comment.
pub(crate) fn insert(connection: &mut Connection<'_>, comment: &Comment) -> Result<(), Failure> {
    let row = CommentRow::from(comment);
    on!(connection, |c| diesel::insert_into(comments::table).values(&row).execute(c))?;
    Ok(())
}

/// Locks a comment and returns it.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    id: CommentId,
) -> Result<Option<Locked<Comment>>, Failure> {
    let row = content::lock_comment(connection, id.into())?;
    row.map(|row| Comment::try_from(row).map(Locked::assume)).transpose()
}

/// Stores the text of a locked comment.
pub(crate) fn save(connection: &mut Connection<'_>, comment: &Comment) -> Result<(), Failure> {
    const SAVE: &str = "UPDATE comments SET content = ?, updated_at_us = ? WHERE id = ?";
    let saved = on!(connection, |c| {
        prepared(SAVE)
            .bind::<Text, _>(comment.content.as_str())
            .bind::<BigInt, _>(comment.updated_at.micros())
            .bind::<Id, _>(DbId::from(comment.id))
            .execute(c)
    })?;
    expect_saved("comments", 1, saved)
}

/// Deletes a locked comment.
pub(crate) fn delete(connection: &mut Connection<'_>, id: CommentId) -> Result<(), Failure> {
    const DELETE: &str = "DELETE FROM comments WHERE id = ?";
    let deleted = on!(connection, |c| prepared(DELETE).bind::<Id, _>(DbId::from(id)).execute(c))?;
    expect_saved("comments", 1, deleted)
}

/// Returns the comment with this id.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    id: CommentId,
) -> Result<Option<Comment>, Failure> {
    let found = on!(connection, |c| {
        comments::table.find(DbId::from(id)).select(CommentRow::as_select()).first(c).optional()
    })?;
    found.map(Comment::try_from).transpose()
}

/// Restricts a boxed query to the comments on a subject.
macro_rules! about {
    ($query:expr, $subject:expr) => {
        match $subject {
            CommentSubject::Post(id) => $query.filter(comments::post_id.eq(DbId::from(id))),
            CommentSubject::Market(id) => $query.filter(comments::market_id.eq(DbId::from(id))),
        }
    };
}

/// Returns the comments on a subject, by descending id.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    subject: CommentSubject,
    page: PageRequest<CommentId>,
) -> Result<Vec<Comment>, Failure> {
    let load = |page: &PageRequest<CommentId>| {
        Ok(on!(connection, |c, Db| {
            let all = comments::table.select(CommentRow::as_select()).into_boxed::<Db>();
            paginate!(about!(all, subject), comments::id, page).load(c)
        })?)
    };
    load_page(page, load, |row: &CommentRow| row.id.into(), Comment::try_from)
}

/// Returns the comments of an author, by descending id.
pub(crate) fn list_of(
    connection: &mut Connection<'_>,
    author: UserId,
    page: PageRequest<CommentId>,
) -> Result<Vec<Comment>, Failure> {
    let load = |page: &PageRequest<CommentId>| {
        Ok(on!(connection, |c, Db| {
            let theirs = comments::author_id.eq(DbId::from(author));
            let all =
                comments::table.filter(theirs).select(CommentRow::as_select()).into_boxed::<Db>();
            paginate!(all, comments::id, page).load(c)
        })?)
    };
    load_page(page, load, |row: &CommentRow| row.id.into(), Comment::try_from)
}

/// Returns the number of comments on a subject.
pub(crate) fn count(
    connection: &mut Connection<'_>,
    subject: CommentSubject,
) -> Result<i64, Failure> {
    let count = on!(connection, |c, Db| {
        let all = comments::table.select(diesel::dsl::count_star()).into_boxed::<Db>();
        about!(all, subject).get_result(c)
    });
    Ok(count?)
}

/// Returns the `limit` newest comments on each of these posts, by descending id.
pub(crate) fn list_newest(
    connection: &mut Connection<'_>,
    posts: &[PostId],
    limit: u32,
) -> Result<Vec<Comment>, Failure> {
    let rows =
        content::newest_comments(connection, &db_ids(posts.iter().copied()), i64::from(limit))?;
    // The rows come post by post, and the list is ordered by id alone.
    let mut comments = skip_unreadable(rows.into_iter().map(Comment::try_from))?;
    comments.sort_by_key(|comment| Reverse(comment.id));
    Ok(comments)
}
