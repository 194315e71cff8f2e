//! Posts: written with their tags, locked, saved unchanged, and deleted with dependent rows.

use foretell_domain::post::{Post, PostBody, PostStatus};
use foretell_domain::text::{PostContent, PostTitle};
use foretell_ports::unit::Locked;

use super::Harness;
use super::fixture::{Fixture, after};
use crate::builders::tags;

/// Returns a post with everything that storage could change.
fn odd_body(status: PostStatus) -> PostBody {
    PostBody {
        title: PostTitle::new("<b>\"Ünï\" & 'co' 選挙</b>").expect("a title"),
        content: PostContent::new(format!(
            "line one\r\n\t<script>alert(1)</script>{}",
            "💬".repeat(40_000)
        ))
        .expect("a content"),
        tags: tags(&["élection", "a", "z z", "100%", "[\"]", "選挙"]),
        status,
    }
}

/// A post is returned with every field and its tags in order, by id and under its lock.
pub async fn posts_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let author = fixture.user().await.id;
    let plain = fixture.make.post(author, PostStatus::Published, &[]);
    let odd = Post {
        body: odd_body(PostStatus::Draft),
        version: 7,
        created_at: after(-5),
        updated_at: after(9),
        ..fixture.make.post(author, PostStatus::Draft, &[])
    };
    for post in [plain, odd] {
        fixture.store_post(post.clone()).await;
        assert_eq!(fixture.ports.posts.find_post(post.id).await.unwrap().as_ref(), Some(&post));
        let id = post.id;
        let locked = fixture.commit(move |tx| tx.lock_post(id)).await;
        assert_eq!(locked.map(Locked::into_inner), Some(post));
    }
    let unknown = fixture.make.ids().post();
    assert_eq!(fixture.ports.posts.find_post(unknown).await.unwrap(), None);
    assert_eq!(fixture.commit(move |tx| tx.lock_post(unknown)).await, None);
}

/// A post is inserted once.
pub async fn existing_post_id_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Published, &["a"]).await;
    let again = Post { body: odd_body(PostStatus::Published), ..post.clone() };
    fixture.check_rejected(move |tx| tx.insert_post(&again)).await;
    assert_eq!(fixture.ports.posts.find_post(post.id).await.unwrap(), Some(post));
}

/// A post requires an existing author.
pub async fn post_requires_existing_author(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.make.post(fixture.make.ids().user(), PostStatus::Published, &[]);
    let id = post.id;
    fixture.check_rejected(move |tx| tx.insert_post(&post)).await;
    assert_eq!(fixture.ports.posts.find_post(id).await.unwrap(), None);
}

/// A save stores the text, tags, status, version and modification time of the post; nothing else of
/// this post or of another one changes.
pub async fn saved_posts_keep_their_text(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (post, other) = (
        fixture.post(PostStatus::Draft, &["a", "b"]).await,
        fixture.post(PostStatus::Draft, &["a"]).await,
    );
    for (version, body) in [(2, odd_body(PostStatus::Published)), (3, post.body.clone())] {
        let saved = Post { body, version, updated_at: after(version), ..post.clone() };
        let stored = saved.clone();
        fixture
            .commit(move |tx| {
                let mut locked = tx.lock_post(saved.id)?.expect("the post is stored");
                *locked = Post { created_at: after(77), ..saved.clone() };
                tx.save_post(&locked)
            })
            .await;
        assert_eq!(fixture.ports.posts.find_post(post.id).await.unwrap(), Some(stored));
    }
    assert_eq!(fixture.ports.posts.find_post(other.id).await.unwrap(), Some(other));
}

/// Deleting a post deletes its comments, and no others.
pub async fn deleted_post_deletes_comments(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (post, kept) = (
        fixture.post(PostStatus::Published, &["a"]).await,
        fixture.post(PostStatus::Published, &["a"]).await,
    );
    let market = fixture.market(|market| market).await.market.id();
    let gone = [fixture.comment(post.id).await, fixture.comment(post.id).await];
    let left = [fixture.comment(kept.id).await, fixture.comment(market).await];
    let id = post.id;
    fixture
        .commit(move |tx| {
            let locked = tx.lock_post(id)?.expect("the post is stored");
            tx.delete_post(locked)
        })
        .await;
    let posts = &fixture.ports.posts;
    assert_eq!(posts.find_post(post.id).await.unwrap(), None);
    assert_eq!(posts.find_post(kept.id).await.unwrap(), Some(kept));
    for comment in gone {
        assert_eq!(posts.find_comment(comment.id).await.unwrap(), None);
    }
    for comment in left {
        assert_eq!(posts.find_comment(comment.id).await.unwrap(), Some(comment));
    }
    let tags = posts.list_tags(super::fixture::first(10)).await.unwrap();
    assert_eq!(tags.iter().map(|(_, tag)| tag.post_count).collect::<Vec<_>>(), [1]);
}

/// Deleting the content of a user deletes their posts, all comments on these, and their comments
/// elsewhere; the user stays, and so do the texts of others elsewhere.
pub async fn content_of_user_is_deleted(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (ada, ben) = (fixture.user().await, fixture.user().await);
    let market = fixture.market(|market| market).await.market.id();
    let [mine, draft] = [PostStatus::Published, PostStatus::Draft]
        .map(|status| fixture.make.post(ada.id, status, &["a", "b"]));
    let kept = fixture.make.post(ben.id, PostStatus::Published, &["b"]);
    for post in [&mine, &draft, &kept] {
        fixture.store_post(post.clone()).await;
    }
    let gone = [
        fixture.make.comment(ada.id, mine.id),
        fixture.make.comment(ben.id, mine.id),
        fixture.make.comment(ada.id, kept.id),
        fixture.make.comment(ada.id, market),
    ];
    let left = [fixture.make.comment(ben.id, kept.id), fixture.make.comment(ben.id, market)];
    for comment in gone.iter().chain(&left) {
        fixture.store_comment(comment.clone()).await;
    }
    let nobody = fixture.make.ids().user();
    fixture.commit(move |tx| tx.delete_content_of(nobody)).await;
    let posts = &fixture.ports.posts;
    assert_eq!(
        posts.find_post(mine.id).await.unwrap(),
        Some(mine.clone()),
        "of nobody there is nothing"
    );
    fixture.commit(move |tx| tx.delete_content_of(ada.id)).await;
    for post in [&mine, &draft] {
        assert_eq!(posts.find_post(post.id).await.unwrap(), None);
    }
    for comment in &gone {
        assert_eq!(posts.find_comment(comment.id).await.unwrap(), None, "{comment:?}");
    }
    assert_eq!(posts.find_post(kept.id).await.unwrap().as_ref(), Some(&kept));
    for comment in left {
        assert_eq!(posts.find_comment(comment.id).await.unwrap(), Some(comment));
    }
    assert_eq!(fixture.ports.users.find_user(ada.id).await.unwrap(), Some(ada));
}
