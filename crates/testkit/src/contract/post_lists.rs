//! Lists of posts and tags: filters, order and pages.

use foretell_domain::id::PostId;
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::tag::Tag;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::post::PostFilter;

use super::Harness;
use super::fixture::{Fixture, first};

const PUBLISHED: PostFilter =
    PostFilter { status: PostStatus::Published, author_id: None, tag: None };

fn tag(text: &str) -> Option<Tag> {
    Tag::new(text).ok()
}

async fn list(fixture: &Fixture, filter: &PostFilter) -> Vec<PostId> {
    let found = fixture.ports.posts.list_posts(filter, first(100)).await.unwrap();
    let total = fixture.ports.posts.count_posts(filter).await.unwrap();
    assert_eq!(usize::try_from(total), Ok(found.len()), "{filter:?}");
    for post in &found {
        assert_eq!(
            fixture.ports.posts.find_post(post.id).await.unwrap().as_ref(),
            Some(post),
            "it is whole"
        );
    }
    found.iter().map(|post| post.id).collect()
}

/// Each filter applies alone and with the others; posts are listed newest first.
pub async fn posts_are_listed_by_status_author_and_tag(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (ada, ben) = (fixture.user().await.id, fixture.user().await.id);
    let mut posts = Vec::new();
    for (author, status, tags) in [
        (ada, PostStatus::Published, &["x", "y"][..]),
        (ben, PostStatus::Published, &["x"]),
        (ada, PostStatus::Draft, &["x"]),
        (ada, PostStatus::Published, &[]),
        (ben, PostStatus::Draft, &["y", "xx"]),
    ] {
        let post = fixture.make.post(author, status, tags);
        fixture.store_post(post.clone()).await;
        posts.push(post);
    }
    let ids: Vec<_> = posts.iter().map(|post| post.id).collect();
    let check = async |filter: PostFilter, expected: &[usize]| {
        let expected: Vec<_> = expected.iter().map(|index| ids[*index]).collect();
        assert_eq!(list(&fixture, &filter).await, expected, "{filter:?}");
    };
    let drafts = PostFilter { status: PostStatus::Draft, ..PUBLISHED };
    check(PUBLISHED, &[3, 1, 0]).await;
    check(drafts.clone(), &[4, 2]).await;
    check(PostFilter { author_id: Some(ada), ..PUBLISHED }, &[3, 0]).await;
    check(PostFilter { author_id: Some(ada), ..drafts.clone() }, &[2]).await;
    check(PostFilter { tag: tag("x"), ..PUBLISHED }, &[1, 0]).await;
    check(PostFilter { tag: tag("y"), ..drafts.clone() }, &[4]).await;
    check(PostFilter { author_id: Some(ada), tag: tag("x"), ..PUBLISHED }, &[0]).await;
    check(PostFilter { author_id: Some(ben), tag: tag("x"), ..drafts }, &[]).await;
    check(PostFilter { tag: tag("%"), ..PUBLISHED }, &[]).await;
    check(PostFilter { author_id: Some(fixture.make.ids().user()), ..PUBLISHED }, &[]).await;
}

/// Pages follow one another without gaps or repetitions, by number or after a key, and the key may
/// belong to a deleted row.
pub async fn posts_are_listed_in_pages(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(fixture.post(PostStatus::Published, &["t"]).await.id);
        fixture.post(PostStatus::Draft, &["t"]).await;
    }
    expected.reverse();
    for filter in [PUBLISHED, PostFilter { tag: tag("t"), ..PUBLISHED }] {
        let ids = async |start| {
            let page = PageRequest { start, limit: 2 };
            let found = fixture.ports.posts.list_posts(&filter, page).await.unwrap();
            found.iter().map(|post: &Post| post.id).collect::<Vec<_>>()
        };
        for (offset, rows) in
            [(0, &expected[..2]), (2, &expected[2..4]), (4, &expected[4..]), (5, &[])]
        {
            assert_eq!(ids(PageStart::Offset(offset)).await, rows, "after {offset}");
        }
        assert_eq!(ids(PageStart::After(expected[1])).await, expected[2..4]);
        let absent = PostId::from_u128(expected[1].as_u128() + 1);
        assert_eq!(ids(PageStart::After(absent)).await, expected[1..3]);
        assert_eq!(ids(PageStart::After(expected[4])).await, []);
    }
}

/// The newest published posts of each author are returned, and none of others.
pub async fn newest_posts_of_authors_are_listed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (mut posts, mut authors) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let author = fixture.user().await.id;
        authors.push(author);
        for (status, tags) in [
            (PostStatus::Published, &["old"][..]),
            (PostStatus::Published, &["a", "b"]),
            (PostStatus::Draft, &["d"]),
            (PostStatus::Published, &[]),
        ] {
            let post = fixture.make.post(author, status, tags);
            let inserted = post.clone();
            fixture.commit(move |tx| tx.insert_post(&inserted)).await;
            posts.push(post);
        }
    }
    fixture.post(PostStatus::Published, &["other"]).await;
    let found = fixture.ports.posts.list_newest_posts(&authors, 2).await.unwrap();
    let expected: Vec<_> = [7, 5, 3, 1].map(|index: usize| posts[index].clone()).to_vec();
    assert_eq!(found, expected);
    assert_eq!(fixture.ports.posts.list_newest_posts(&[], 2).await.unwrap(), []);
}

async fn tags(fixture: &Fixture) -> Vec<(String, i64)> {
    let found = fixture.ports.posts.list_tags(first(100)).await.unwrap();
    assert_eq!(
        fixture.ports.posts.count_tags().await.unwrap(),
        i64::try_from(found.len()).unwrap()
    );
    found.into_iter().map(|(_, count)| (count.tag.to_string(), count.post_count)).collect()
}

/// Drafts and removed tags do not count; the most used come first, then alphabetically.
pub async fn tag_counts_its_published_posts(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    assert_eq!(tags(&fixture).await, []);
    let post = fixture.post(PostStatus::Published, &["b", "a", "é"]).await;
    fixture.post(PostStatus::Published, &["b", "z z"]).await;
    let draft = fixture.post(PostStatus::Draft, &["b", "d"]).await;
    let counts = |expected: &[(&str, i64)]| {
        expected.iter().map(|(tag, posts)| ((*tag).to_owned(), *posts)).collect::<Vec<_>>()
    };
    assert_eq!(tags(&fixture).await, counts(&[("b", 2), ("a", 1), ("z z", 1), ("é", 1)]));
    for (id, status) in [(draft.id, PostStatus::Published), (post.id, PostStatus::Draft)] {
        fixture
            .commit(move |tx| {
                let mut locked = tx.lock_post(id)?.expect("the post is stored");
                locked.body.status = status;
                tx.save_post(&locked)
            })
            .await;
    }
    assert_eq!(tags(&fixture).await, counts(&[("b", 2), ("d", 1), ("z z", 1)]));
}

/// Tags are ordered by two values, and a page may start within equal ones.
pub async fn tags_are_listed_in_pages(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for tags in [&["a", "b", "c"][..], &["b", "c", "d"], &["c"]] {
        fixture.post(PostStatus::Published, tags).await;
    }
    let list = async |start| {
        let found = fixture.ports.posts.list_tags(PageRequest { start, limit: 2 }).await.unwrap();
        found.iter().map(|(position, count)| (*position, count.tag.to_string())).collect::<Vec<_>>()
    };
    let numbered = |tags: &[(i64, &str)]| {
        tags.iter().map(|(position, tag)| (*position, (*tag).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(list(PageStart::First).await, numbered(&[(1, "c"), (2, "b")]));
    assert_eq!(list(PageStart::Offset(2)).await, numbered(&[(3, "a"), (4, "d")]));
    assert_eq!(list(PageStart::After(3)).await, numbered(&[(4, "d")]));
    assert_eq!(list(PageStart::After(4)).await, []);
}
