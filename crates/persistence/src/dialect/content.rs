//! Bulk reads of posts, comments, bets, markets, settlements and users by keys: one statement with
//! a constant text, whatever the number of keys. Postgres takes the keys as an array, `SQLite` as a
//! JSON array of hexadecimal texts.

use std::fmt::Write as _;

use diesel::deserialize::QueryableByName;
use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::{pg::Pg, sqlite::Sqlite};

use super::sum_of;
use crate::connection::Connection;
use crate::id::{DbId, Id};
use crate::market::bet_rows::BetRow;
use crate::market::settlement_rows::SettlementRow;
use crate::post::comment_rows::CommentRow;
use crate::post::post_rows::{AuthorshipRow, PostRow, TaggedRow};
use crate::prepared::{ended, prepared};
use crate::schema::{comments, markets, post_tags, posts};
use crate::user::user_rows::UserRow;

/// A statement with one parameter, the keys, in both dialects.
struct ByKeys {
    sqlite: &'static str,
    postgres: &'static str,
}

// Columns by name, so that the hash of the password is not read.
const USERS: ByKeys = ByKeys {
    sqlite: "SELECT id, email, name, avatar, role, status, created_at_us, version, erased_at_us,
        updated_at_us FROM users
        WHERE id IN (SELECT unhex(value) FROM json_each(?))",
    postgres: "SELECT id, email, name, avatar, role, status, created_at_us, version, erased_at_us,
        updated_at_us FROM users WHERE id = ANY(?)",
};

/// Posts with their tags; one statement reads both in one snapshot. No tag contains a line break.
const POSTS: ByKeys = ByKeys {
    sqlite: "SELECT id, author_id, title, content, status, version, created_at_us, updated_at_us,
        (SELECT group_concat(tag, char(10)) FROM post_tags WHERE post_id = posts.id) AS tags
        FROM posts WHERE id IN (SELECT unhex(value) FROM json_each(?))",
    postgres: "SELECT id, author_id, title, content, status, version, created_at_us, updated_at_us,
        (SELECT string_agg(tag, chr(10)) FROM post_tags WHERE post_id = posts.id) AS tags
        FROM posts WHERE id = ANY(?)",
};

/// Newest published posts of each author with their tags: a short index scan for each author.
const NEWEST_POSTS: ByKeys = ByKeys {
    // `CROSS JOIN` fixes the join order in SQLite: keys first, then one index scan for each.
    sqlite: "SELECT posts.*,
        (SELECT group_concat(tag, char(10)) FROM post_tags WHERE post_id = posts.id) AS tags
        FROM json_each(?) AS wanted CROSS JOIN posts ON posts.id IN
        (SELECT newest.id FROM posts AS newest
        WHERE newest.author_id = unhex(wanted.value) AND newest.status = 'published'
        ORDER BY newest.id DESC LIMIT ?)",
    postgres: "SELECT newest.*,
        (SELECT string_agg(tag, chr(10)) FROM post_tags WHERE post_id = newest.id) AS tags
        FROM unnest(?) AS wanted (id) CROSS JOIN LATERAL
        (SELECT * FROM posts WHERE posts.author_id = wanted.id AND posts.status = 'published'
        ORDER BY posts.id DESC LIMIT ?) AS newest",
};

/// Newest comments of each post: a short index scan for each post.
const NEWEST_COMMENTS: ByKeys = ByKeys {
    sqlite: "SELECT comments.* FROM json_each(?) AS wanted CROSS JOIN comments ON comments.id IN
        (SELECT newest.id FROM comments AS newest WHERE newest.post_id = unhex(wanted.value)
        ORDER BY newest.id DESC LIMIT ?)",
    postgres: "SELECT newest.* FROM unnest(?) AS wanted (id) CROSS JOIN LATERAL
        (SELECT * FROM comments WHERE comments.post_id = wanted.id
        ORDER BY comments.id DESC LIMIT ?) AS newest",
};

const SETTLEMENTS: ByKeys = ByKeys {
    sqlite: "SELECT * FROM settlements WHERE market_id IN (SELECT unhex(value) FROM json_each(?))",
    postgres: "SELECT * FROM settlements WHERE market_id = ANY(?)",
};

/// Newest bets of each market, found by their numbers.
const NEWEST_BETS: ByKeys = ByKeys {
    sqlite: "SELECT bets.* FROM json_each(?) AS wanted CROSS JOIN bets ON bets.id IN
        (SELECT newest.id FROM bets AS newest WHERE newest.market_id = unhex(wanted.value)
        ORDER BY newest.sequence DESC LIMIT ?)",
    postgres: "SELECT newest.* FROM unnest(?) AS wanted (id) CROSS JOIN LATERAL
        (SELECT * FROM bets WHERE bets.market_id = wanted.id
        ORDER BY bets.sequence DESC LIMIT ?) AS newest",
};

/// Locks the row against other writers, but not against foreign keys that reference it.
const LOCK: &str = " FOR NO KEY UPDATE";
/// Prevents the deletion of the row, and nothing else.
const HOLD: &str = " FOR KEY SHARE";

/// Returns keys in the form that `SQLite` takes.
pub(super) fn hexadecimal(keys: &[DbId]) -> String {
    let mut text = String::with_capacity(2 + keys.len() * 35);
    text.push('[');
    for (index, key) in keys.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}\"{key:x}\"");
    }
    text.push(']');
    text
}

/// A condition of `SQLite`: a column is among keys, which are one parameter, so that the text is
/// constant.
pub(crate) struct IsAmong<C> {
    column: C,
    keys: String,
}

/// Returns the condition that a column has one of these keys.
pub(crate) fn is_among<C>(column: C, keys: &[DbId]) -> IsAmong<C> {
    IsAmong { column, keys: hexadecimal(keys) }
}

impl<C: Expression> Expression for IsAmong<C> {
    type SqlType = Bool;
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for IsAmong<C> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" IN (SELECT unhex(value) FROM json_each(");
        pass.push_bind_param::<Text, _>(&self.keys)?;
        pass.push_sql("))");
        Ok(())
    }
}

impl<C> QueryId for IsAmong<C> {
    type QueryId = ();
    // Diesel then caches the statement by its text, which is constant.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> ValidGrouping<()> for IsAmong<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C, T> AppearsOnTable<T> for IsAmong<C> where C: AppearsOnTable<T> {}

impl<C, T> SelectableExpression<T> for IsAmong<C> where C: SelectableExpression<T> {}

// The number of keys varies, but the text of the statement does not, so it is prepared once per
// connection.
fn load<R>(
    connection: &mut Connection<'_>,
    statement: &ByKeys,
    keys: &[DbId],
) -> QueryResult<Vec<R>>
where
    R: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static,
{
    match connection {
        Connection::Sqlite(c) => {
            prepared(statement.sqlite).bind::<Text, _>(hexadecimal(keys)).load(*c)
        }
        Connection::Postgres(c) => prepared(statement.postgres).bind::<Array<Id>, _>(keys).load(*c),
    }
}

/// Returns the users with these ids.
pub(crate) fn users(connection: &mut Connection<'_>, ids: &[DbId]) -> QueryResult<Vec<UserRow>> {
    load(connection, &USERS, ids)
}

/// Returns the posts with these ids, and their tags.
pub(crate) fn posts(connection: &mut Connection<'_>, ids: &[DbId]) -> QueryResult<Vec<TaggedRow>> {
    load(connection, &POSTS, ids)
}

/// Returns the settlements of these markets.
pub(crate) fn settlements(
    connection: &mut Connection<'_>,
    markets: &[DbId],
) -> QueryResult<Vec<SettlementRow>> {
    load(connection, &SETTLEMENTS, markets)
}

/// Returns the `limit` newest comments of each of these posts.
pub(crate) fn newest_comments(
    connection: &mut Connection<'_>,
    posts: &[DbId],
    limit: i64,
) -> QueryResult<Vec<CommentRow>> {
    load_newest(connection, &NEWEST_COMMENTS, posts, limit)
}

/// Returns the `limit` newest published posts of each of these authors.
pub(crate) fn newest_posts(
    connection: &mut Connection<'_>,
    authors: &[DbId],
    limit: i64,
) -> QueryResult<Vec<TaggedRow>> {
    load_newest(connection, &NEWEST_POSTS, authors, limit)
}

/// Returns the `limit` newest bets of each of these markets.
pub(crate) fn newest_bets(
    connection: &mut Connection<'_>,
    markets: &[DbId],
    limit: i64,
) -> QueryResult<Vec<BetRow>> {
    load_newest(connection, &NEWEST_BETS, markets, limit)
}

fn load_newest<R>(
    connection: &mut Connection<'_>,
    statement: &ByKeys,
    keys: &[DbId],
    limit: i64,
) -> QueryResult<Vec<R>>
where
    R: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static,
{
    match connection {
        Connection::Sqlite(c) => prepared(statement.sqlite)
            .bind::<Text, _>(hexadecimal(keys))
            .bind::<BigInt, _>(limit)
            .load(*c),
        Connection::Postgres(c) => prepared(statement.postgres)
            .bind::<Array<Id>, _>(keys)
            .bind::<BigInt, _>(limit)
            .load(*c),
    }
}

/// Inserts the tags of a post.
pub(crate) fn insert_tags(
    connection: &mut Connection<'_>,
    post: &PostRow,
    tags: &[&str],
) -> QueryResult<usize> {
    const INSERT: &str = "INSERT INTO post_tags (post_id, tag, status)
        SELECT ?, new.tag, ? FROM unnest(?) AS new (tag)";
    match connection {
        Connection::Sqlite(c) => sum_of(tags, |tag| {
            let row = (
                post_tags::post_id.eq(post.id),
                post_tags::tag.eq(*tag),
                post_tags::status.eq(post.status.as_str()),
            );
            diesel::insert_into(post_tags::table).values(row).execute(*c)
        }),
        Connection::Postgres(c) => prepared(INSERT)
            .bind::<Id, _>(post.id)
            .bind::<Text, _>(post.status.as_str())
            .bind::<Array<Text>, _>(tags)
            .execute(*c),
    }
}

/// Loads the first row of a query, with this lock for the running unit.
macro_rules! locked {
    ($connection:expr, $rows:expr, $lock:expr) => {
        match $connection {
            // SQLite has one writer, which needs no row lock.
            Connection::Sqlite(c) => $rows.first(*c).optional(),
            Connection::Postgres(c) => ended($rows, $lock).get_result(*c).optional(),
        }
    };
}

/// Locks a post and returns it.
pub(crate) fn lock_post(connection: &mut Connection<'_>, id: DbId) -> QueryResult<Option<PostRow>> {
    locked!(connection, posts::table.find(id).select(PostRow::as_select()), LOCK)
}

/// Locks a comment and returns it.
pub(crate) fn lock_comment(
    connection: &mut Connection<'_>,
    id: DbId,
) -> QueryResult<Option<CommentRow>> {
    locked!(connection, comments::table.find(id).select(CommentRow::as_select()), LOCK)
}

/// Locks a post against deletion and returns the fields that decide its visibility.
pub(crate) fn hold_post(
    connection: &mut Connection<'_>,
    id: DbId,
) -> QueryResult<Option<AuthorshipRow>> {
    locked!(connection, posts::table.find(id).select(AuthorshipRow::as_select()), HOLD)
}

/// Locks a market against deletion and returns `true` if it exists. Its trades do not wait for this
/// lock.
pub(crate) fn hold_market(connection: &mut Connection<'_>, id: DbId) -> QueryResult<bool> {
    let found: QueryResult<Option<DbId>> =
        locked!(connection, markets::table.find(id).select(markets::id), HOLD);
    Ok(found?.is_some())
}
