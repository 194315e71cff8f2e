//! Tests of the statements of posts, comments and tags, whose lists are sorted by indexes.

use std::slice::from_ref;

use foretell_domain::comment::CommentSubject;
use foretell_domain::id::{MarketId, PostId, UserId};
use foretell_domain::post::PostStatus;
use foretell_domain::tag::Tag;
use foretell_domain::user::User;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::post::PostFilter;
use foretell_testkit::builders::Factory;

use super::databases::Kind;
use super::{Observed, plan, reads_all, sorts};
use crate::connection::Connection;
use crate::error::Failure;
use crate::post::{comments, post_lists, post_tags, posts};
use crate::user::users;

/// Runs all operations on posts, from creation to deletion.
pub(super) fn posts_and_queries(
    c: &mut Connection<'_>,
    make: &Factory,
    user: &User,
    market: MarketId,
) -> Result<(), Failure> {
    let post = make.post(user.id, PostStatus::Published, &["a", "b"]);
    posts::insert(c, &post)?;
    let locked = posts::lock(c, post.id)?.expect("the post is stored");
    posts::save(c, &locked)?;
    for subject in [CommentSubject::Post(post.id), CommentSubject::Market(market)] {
        comments::lock_subject(c, subject)?;
        let comment = make.comment(user.id, subject);
        comments::insert(c, &comment)?;
        let locked = comments::lock(c, comment.id)?.expect("the comment is stored");
        comments::save(c, &locked)?;
        comments::find(c, comment.id)?;
        comments::list(c, subject, PageRequest { start: PageStart::Offset(20), limit: 10 })?;
        comments::list(c, subject, PageRequest { start: PageStart::After(comment.id), limit: 10 })?;
        comments::count(c, subject)?;
        comments::delete(c, comment.id)?;
    }
    posts::find(c, post.id)?;
    comments::list_newest(c, from_ref(&post.id), 20)?;
    users::find_all(c, &[user.id, post.author_id])?;
    post_tags::count(c)?;
    post_tags::list_counts(c, PageRequest { start: PageStart::Offset(0), limit: 10 })?;
    post_tags::list_counts(c, PageRequest { start: PageStart::After(2), limit: 10 })?;
    for filter in filters() {
        post_lists::count(c, &filter)?;
    }
    posts::delete(c, post.id)?;
    posts::delete_content_of(c, user.id)
}

fn filters() -> [PostFilter; 4] {
    let by_status = PostFilter { status: PostStatus::Published, author_id: None, tag: None };
    let author_id = Some(UserId::from_u128(1));
    let tag = Tag::new("a").ok();
    [
        by_status.clone(),
        PostFilter { author_id, ..by_status.clone() },
        PostFilter { tag: tag.clone(), ..by_status.clone() },
        PostFilter { author_id, tag, ..by_status },
    ]
}

async fn check_lists_are_not_sorted(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    observed.forbid_bitmaps();
    let post = PostId::from_u128(1);
    let check = |observed: &mut Observed, of: &str| {
        let sent = observed.sent();
        let list =
            sent.iter().find(|sql| sql.contains("ORDER BY")).expect("a list is sorted").clone();
        let plan = plan(&mut observed.connection, &list);
        assert!(!sorts(&plan) && !reads_all(&plan), "{kind:?} sorts {of}: {list}\n{plan}");
    };
    for start in [PageStart::Offset(20), PageStart::After(post)] {
        for filter in filters() {
            observed.run(|c| post_lists::list(c, &filter, PageRequest { start, limit: 10 }));
            check(&mut observed, &format!("{filter:?} {start:?}"));
        }
    }
    for subject in [CommentSubject::Post(post), CommentSubject::Market(MarketId::from_u128(1))] {
        let page = PageRequest { start: PageStart::Offset(20), limit: 10 };
        observed.run(|c| comments::list(c, subject, page));
        check(&mut observed, &format!("{subject:?}"));
    }
}

#[tokio::test]
async fn content_lists_are_sorted_by_index_on_sqlite() {
    check_lists_are_not_sorted(Kind::Sqlite).await;
}

#[tokio::test]
async fn content_lists_are_sorted_by_index_on_postgres() {
    check_lists_are_not_sorted(Kind::Postgres).await;
}

/// A page of posts with their authors and comments needs as many statements as a single post.
async fn check_related_rows_cost_no_further_statements(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    let make = Factory::new(1);
    let mut counts = Vec::new();
    for _ in 0..2 {
        observed.run(|c| {
            for _ in 0..4 {
                let user = make.user();
                users::insert_once(c, &user, &make.password())?;
                let post = make.post(user.id, PostStatus::Published, &["a", "b"]);
                posts::insert(c, &post)?;
                comments::insert(c, &make.comment(user.id, post.id))?;
            }
            Ok(())
        });
        observed.forget();
        let [filter, ..] = filters();
        observed.run(|c| {
            let page = post_lists::list(
                c,
                &filter,
                PageRequest { start: PageStart::Offset(0), limit: 100 },
            )?;
            let ids: Vec<_> = page.iter().map(|post| post.id).collect();
            let authors: Vec<_> = page.iter().map(|post| post.author_id).collect();
            assert_eq!(comments::list_newest(c, &ids, 20)?.len(), page.len());
            assert_eq!(users::find_all(c, &authors)?.len(), page.len());
            Ok(())
        });
        counts.push(observed.forget());
    }
    assert_eq!(counts[0], counts[1], "{kind:?}: eight posts cost what four do");
}

#[tokio::test]
async fn related_rows_need_constant_statements_on_sqlite() {
    check_related_rows_cost_no_further_statements(Kind::Sqlite).await;
}

#[tokio::test]
async fn related_rows_need_constant_statements_on_postgres() {
    check_related_rows_cost_no_further_statements(Kind::Postgres).await;
}
