//! Lists of posts: the tables of [`crate::post::posts`] filtered and in order.

use diesel::prelude::*;
use foretell_domain::id::PostId;
use foretell_domain::post::Post;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::post::PostFilter;

use crate::connection::{Connection, on};
use crate::dialect::transaction::snapshot;
use crate::error::Failure;
use crate::id::DbId;
use crate::post::posts;
use crate::schema::{post_tags, posts as table};
use crate::unreadable_rows::load_page;

/// Restricts a boxed query of posts to the author of a filter.
macro_rules! by_author {
    ($query:expr, $filter:expr) => {
        match $filter.author_id {
            Some(author) => $query.filter(table::author_id.eq(DbId::from(author))),
            None => $query,
        }
    };
}

/// Restricts a boxed query to a page ordered by this key, descending.
macro_rules! paginate {
    ($query:expr, $key:expr, $page:expr) => {{
        let query = $query.order($key.desc()).limit(i64::from($page.limit));
        match $page.start {
            PageStart::First => query,
            PageStart::Offset(offset) => query.offset(offset),
            PageStart::After(last) => query.filter($key.lt(DbId::from(last))),
        }
    }};
}
pub(crate) use paginate;

/// Returns the posts that match a filter, by descending id, with two statements.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    filter: &PostFilter,
    page: PageRequest<PostId>,
) -> Result<Vec<Post>, Failure> {
    snapshot(connection, |connection| {
        let load = |page: &PageRequest<PostId>| {
            // Only their ids: skipped rows need not be read completely.
            let ids = list_ids(connection, filter, *page)?;
            posts::find_all(connection, &ids)
        };
        load_page(page, load, |(id, _)| (*id).into(), |(_, post)| post)
    })
}

fn list_ids(
    connection: &mut Connection<'_>,
    filter: &PostFilter,
    page: PageRequest<PostId>,
) -> QueryResult<Vec<DbId>> {
    let status = filter.status.as_str();
    let Some(tag) = &filter.tag else {
        return on!(connection, |c, Db| {
            let all =
                table::table.filter(table::status.eq(status)).select(table::id).into_boxed::<Db>();
            paginate!(by_author!(all, filter), table::id, page).load(c)
        });
    };
    on!(connection, |c, Db| {
        let tagged = post_tags::table.inner_join(table::table);
        let tagged =
            tagged.filter(post_tags::status.eq(status)).filter(post_tags::tag.eq(tag.as_str()));
        let all = tagged.select(post_tags::post_id).into_boxed::<Db>();
        paginate!(by_author!(all, filter), post_tags::post_id, page).load(c)
    })
}

/// Returns the number of posts that match a filter.
pub(crate) fn count(connection: &mut Connection<'_>, filter: &PostFilter) -> Result<i64, Failure> {
    let status = filter.status.as_str();
    let count = match &filter.tag {
        None => on!(connection, |c, Db| {
            let all = table::table.filter(table::status.eq(status));
            by_author!(all.select(diesel::dsl::count_star()).into_boxed::<Db>(), filter)
                .get_result(c)
        }),
        Some(tag) => on!(connection, |c, Db| {
            let tagged = post_tags::table.inner_join(table::table);
            let tagged =
                tagged.filter(post_tags::status.eq(status)).filter(post_tags::tag.eq(tag.as_str()));
            by_author!(tagged.select(diesel::dsl::count_star()).into_boxed::<Db>(), filter)
                .get_result(c)
        }),
    };
    Ok(count?)
}
