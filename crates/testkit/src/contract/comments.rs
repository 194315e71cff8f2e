//! Comments on a post or a market: locked, saved, deleted and listed.

use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::CommentId;
use foretell_domain::post::PostStatus;
use foretell_domain::text::CommentContent;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::post::LockedSubject;
use foretell_ports::unit::Locked;

use super::Harness;
use super::fixture::{Fixture, after, first};

/// A comment is returned with every field, by id and under its lock, whatever its subject.
pub async fn comments_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Published, &[]).await.id;
    let market = fixture.market(|market| market).await.market.id();
    for subject in [CommentSubject::Post(post), CommentSubject::Market(market)] {
        let comment = Comment {
            content: CommentContent::new(format!("<i>\"é\" & '選挙'\n{}", "💬".repeat(4_000)))
                .unwrap(),
            created_at: after(-3),
            updated_at: after(4),
            ..fixture.make.comment(fixture.user().await.id, subject)
        };
        fixture.store_comment(comment.clone()).await;
        assert_eq!(
            fixture.ports.posts.find_comment(comment.id).await.unwrap().as_ref(),
            Some(&comment)
        );
        let id = comment.id;
        let locked = fixture.commit(move |tx| tx.lock_comment(id)).await;
        assert_eq!(locked.map(Locked::into_inner), Some(comment));
    }
    let unknown = fixture.make.ids().comment();
    assert_eq!(fixture.ports.posts.find_comment(unknown).await.unwrap(), None);
    assert_eq!(fixture.commit(move |tx| tx.lock_comment(unknown)).await, None);
}

/// A comment is inserted once.
pub async fn existing_comment_id_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let comment = fixture.comment(fixture.post(PostStatus::Published, &[]).await.id).await;
    let again = Comment { content: CommentContent::new("Again").unwrap(), ..comment.clone() };
    fixture.check_rejected(move |tx| tx.insert_comment(&again)).await;
    assert_eq!(fixture.ports.posts.find_comment(comment.id).await.unwrap(), Some(comment));
}

/// A comment requires an existing subject and author.
pub async fn comment_requires_subject_and_author(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Published, &[]).await;
    let ids = fixture.make.ids();
    for comment in [
        fixture.make.comment(post.author_id, ids.post()),
        fixture.make.comment(post.author_id, ids.market()),
        fixture.make.comment(ids.user(), post.id),
    ] {
        let id = comment.id;
        fixture.check_rejected(move |tx| tx.insert_comment(&comment)).await;
        assert_eq!(fixture.ports.posts.find_comment(id).await.unwrap(), None);
    }
}

/// A locked subject has its author and status, or is a market, or does not exist.
pub async fn locked_subject_has_its_visibility(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let draft = fixture.post(PostStatus::Draft, &[]).await;
    let post = fixture.post(PostStatus::Published, &[]).await;
    let market = fixture.market(|market| market).await.market.id();
    for (subject, expected) in [
        (CommentSubject::Post(draft.id), Some(LockedSubject::Post(draft.authorship()))),
        (CommentSubject::Post(post.id), Some(LockedSubject::Post(post.authorship()))),
        (CommentSubject::Market(market), Some(LockedSubject::Market)),
        (CommentSubject::Post(fixture.make.ids().post()), None),
        (CommentSubject::Market(fixture.make.ids().market()), None),
    ] {
        assert_eq!(
            fixture.commit(move |tx| tx.lock_subject(subject)).await,
            expected,
            "{subject:?}"
        );
    }
}

/// A save stores the text and the modification time of the comment, and nothing else.
pub async fn saved_comments_keep_their_text(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Published, &[]).await.id;
    let (comment, other) = (fixture.comment(post).await, fixture.comment(post).await);
    let content = CommentContent::new("On second thought, no.").unwrap();
    let expected = Comment { content, updated_at: after(5), ..comment.clone() };
    let saved = Comment { created_at: after(77), author_id: other.author_id, ..expected.clone() };
    fixture
        .commit(move |tx| {
            let mut locked = tx.lock_comment(saved.id)?.expect("the comment is stored");
            *locked = saved.clone();
            tx.save_comment(&locked)
        })
        .await;
    assert_eq!(fixture.ports.posts.find_comment(comment.id).await.unwrap(), Some(expected));
    assert_eq!(fixture.ports.posts.find_comment(other.id).await.unwrap(), Some(other));
}

/// A deleted comment deletes nothing else.
pub async fn deleted_comment_deletes_nothing_else(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Published, &[]).await;
    let (comment, other) = (fixture.comment(post.id).await, fixture.comment(post.id).await);
    let id = comment.id;
    fixture
        .commit(move |tx| {
            let locked = tx.lock_comment(id)?.expect("the comment is stored");
            tx.delete_comment(locked)
        })
        .await;
    assert_eq!(fixture.ports.posts.find_comment(id).await.unwrap(), None);
    assert_eq!(fixture.ports.posts.find_comment(other.id).await.unwrap(), Some(other));
    assert_eq!(fixture.ports.posts.find_post(post.id).await.unwrap(), Some(post));
}

/// Comments are listed newest first, for each subject, by number or after a key.
pub async fn comments_of_subject_are_listed_in_pages(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (post, other) = (
        fixture.post(PostStatus::Published, &[]).await.id,
        fixture.post(PostStatus::Published, &[]).await.id,
    );
    let market = fixture.market(|market| market).await.market.id();
    for subject in [CommentSubject::Post(post), CommentSubject::Market(market)] {
        let mut expected = Vec::new();
        for _ in 0..3 {
            expected.push(fixture.comment(subject).await);
            fixture.comment(other).await;
        }
        expected.reverse();
        let list = async |start: PageStart<CommentId>| {
            let page = PageRequest { start, limit: 2 };
            fixture.ports.posts.list_comments(subject, page).await.unwrap()
        };
        assert_eq!(list(PageStart::Offset(0)).await, expected[..2]);
        assert_eq!(list(PageStart::Offset(2)).await, expected[2..]);
        assert_eq!(list(PageStart::After(expected[0].id)).await, expected[1..]);
        assert_eq!(list(PageStart::After(expected[2].id)).await, []);
        assert_eq!(fixture.ports.posts.count_comments(subject).await.unwrap(), 3);
    }
    for absent in
        [fixture.make.ids().post().into(), CommentSubject::Market(fixture.make.ids().market())]
    {
        assert_eq!(fixture.ports.posts.list_comments(absent, first(10)).await.unwrap(), []);
        assert_eq!(fixture.ports.posts.count_comments(absent).await.unwrap(), 0);
    }
}

/// Comments of one author on all subjects are listed newest first.
pub async fn comments_of_author_are_listed_in_pages(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Published, &[]).await.id;
    let market = fixture.market(|market| market).await.market.id();
    let mut comments = Vec::new();
    for _ in 0..2 {
        comments.push(fixture.comment(CommentSubject::Post(post)).await);
        comments.push(fixture.comment(CommentSubject::Market(market)).await);
    }
    let author = comments[0].author_id;
    let mut expected: Vec<_> =
        comments.into_iter().filter(|comment| comment.author_id == author).collect();
    expected.reverse();
    let list = async |start: PageStart<CommentId>| {
        fixture
            .ports
            .posts
            .list_comments_of(author, PageRequest { start, limit: 100 })
            .await
            .unwrap()
    };
    assert_eq!(list(PageStart::Offset(0)).await, expected);
    assert_eq!(list(PageStart::After(expected[0].id)).await, expected[1..]);
    let nobody = fixture.make.ids().user();
    assert_eq!(fixture.ports.posts.list_comments_of(nobody, first(10)).await.unwrap(), []);
}

/// The newest comments of each requested post are returned, however many posts there are.
pub async fn newest_comments_of_several_posts_are_returned(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut posts = Vec::new();
    for _ in 0..4 {
        posts.push(fixture.post(PostStatus::Published, &[]).await.id);
    }
    let mut comments = Vec::new();
    for (post, count) in posts.iter().zip([3, 1, 0, 2]) {
        for _ in 0..count {
            comments.push(fixture.comment(*post).await);
        }
    }
    let expected = [&comments[3], &comments[2], &comments[1]].map(Clone::clone);
    let wanted = [posts[2], posts[0], posts[1], posts[0], fixture.make.ids().post()];
    assert_eq!(fixture.ports.posts.list_newest_comments(&wanted, 2).await.unwrap(), expected);
    assert_eq!(fixture.ports.posts.list_newest_comments(&[], 2).await.unwrap(), []);
}
