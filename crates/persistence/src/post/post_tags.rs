//! The table `post_tags`: tags of posts.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use foretell_domain::post::PostStatus;
use foretell_domain::tag::{Tag, Tags};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::post::TagCount;

use crate::connection::{Connection, on};
use crate::dialect::content;
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::post::post_rows::PostRow;
use crate::prepared::prepared;
use crate::schema::post_tags;
use crate::unreadable_rows::load_page;

/// A tag with the number of its posts.
#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Text)]
    tag: String,
    #[diesel(sql_type = BigInt)]
    post_count: i64,
}

impl From<CountRow> for TagCount {
    fn from(row: CountRow) -> Self {
        Self { tag: Tag::restore(row.tag), post_count: row.post_count }
    }
}

/// Returns the tags of a post.
pub(crate) fn find(connection: &mut Connection<'_>, post: DbId) -> Result<Vec<Tag>, Failure> {
    let rows = post_tags::table.filter(post_tags::post_id.eq(post)).select(post_tags::tag);
    let tags: Vec<String> = on!(connection, |c| rows.load(c))?;
    Ok(tags.into_iter().map(Tag::restore).collect())
}

/// Inserts the tags of a post that has none.
pub(crate) fn insert(
    connection: &mut Connection<'_>,
    post: &PostRow,
    tags: &Tags,
) -> Result<(), Failure> {
    let tags: Vec<_> = tags.iter().map(Tag::as_str).collect();
    if !tags.is_empty() {
        content::insert_tags(connection, post, &tags)?;
    }
    Ok(())
}

/// Deletes the tags of a post.
pub(crate) fn delete(connection: &mut Connection<'_>, post: DbId) -> Result<(), Failure> {
    const DELETE: &str = "DELETE FROM post_tags WHERE post_id = ?";
    on!(connection, |c| prepared(DELETE).bind::<Id, _>(post).execute(c))?;
    Ok(())
}

/// Returns the tags of published posts with their positions from 1, by descending number of posts.
pub(crate) fn list_counts(
    connection: &mut Connection<'_>,
    page: PageRequest<i64>,
) -> Result<Vec<(i64, TagCount)>, Failure> {
    // The table repeats the status of each post, so that counting needs no join.
    const LIST: &str =
        "SELECT tag, COUNT(*) AS post_count FROM post_tags WHERE status = 'published'
        GROUP BY tag ORDER BY COUNT(*) DESC, tag LIMIT ? OFFSET ?";
    let load = |page: &PageRequest<i64>| {
        let passed = match page.start {
            PageStart::First => 0,
            PageStart::Offset(rows) | PageStart::After(rows) => rows,
        };
        let list =
            prepared(LIST).bind::<BigInt, _>(i64::from(page.limit)).bind::<BigInt, _>(passed);
        let rows: Vec<CountRow> = on!(connection, |c| list.load(c))?;
        Ok((passed.saturating_add(1)..).zip(rows).collect())
    };
    let count = |(position, row): (i64, CountRow)| Ok((position, TagCount::from(row)));
    load_page(page, load, |(position, _)| *position, count)
}

/// Returns the number of tags of published posts.
pub(crate) fn count(connection: &mut Connection<'_>) -> Result<i64, Failure> {
    let published = post_tags::table.filter(post_tags::status.eq(PostStatus::Published.as_str()));
    let tags = published.select(diesel::dsl::count(post_tags::tag).aggregate_distinct());
    Ok(on!(connection, |c| tags.get_result(c))?)
}
