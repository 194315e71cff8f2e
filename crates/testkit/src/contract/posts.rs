//! Posts: written with their tags, locked, saved as they are, and deleted with what hangs on them.

use foretell_domain::post::{Post, PostBody, PostStatus};
use foretell_domain::text::{PostContent, PostTitle};
use foretell_ports::unit::Locked;

use super::Harness;
use super::scene::{Scene, after};
use crate::builders::tags;

/// A post with everything that could go wrong on the way to storage and back.
fn odd_body(status: PostStatus) -> PostBody {
    PostBody {
        title: PostTitle::new("<b>\"Ünï\" & 'co' 選挙</b>").expect("a title"),
        content: PostContent::new(format!("line one\r\n\t<script>alert(1)</script>{}", "💬".repeat(40_000)))
            .expect("a content"),
        tags: tags(&["élection", "a", "z z", "100%", "[\"]", "選挙"]),
        status,
    }
}

/// A post comes back with every field and its tags in their order, by id and under its lock.
pub async fn posts_come_back_as_they_were_written(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let author = scene.user().await.id;
    let plain = scene.make.post(author, PostStatus::Published, &[]);
    let odd = Post {
        body: odd_body(PostStatus::Draft),
        version: 7,
        created_at: after(-5),
        updated_at: after(9),
        ..scene.make.post(author, PostStatus::Draft, &[])
    };
    for post in [plain, odd] {
        scene.store_post(post.clone()).await;
        assert_eq!(scene.ports.posts.find_post(post.id).await.unwrap().as_ref(), Some(&post));
        let id = post.id;
        let locked = scene.commit(move |tx| tx.lock_post(id)).await;
        assert_eq!(locked.map(Locked::into_inner), Some(post));
    }
    let unknown = scene.make.ids().post();
    assert_eq!(scene.ports.posts.find_post(unknown).await.unwrap(), None);
    assert_eq!(scene.commit(move |tx| tx.lock_post(unknown)).await, None);
}

/// A post is inserted once.
pub async fn a_known_post_id_is_rejected(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let post = scene.post(PostStatus::Published, &["a"]).await;
    let again = Post { body: odd_body(PostStatus::Published), ..post.clone() };
    scene.check_rejected(move |tx| tx.insert_post(&again)).await;
    assert_eq!(scene.ports.posts.find_post(post.id).await.unwrap(), Some(post));
}

/// Nobody who is not there writes.
pub async fn a_post_needs_an_author_who_is_there(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let post = scene.make.post(scene.make.ids().user(), PostStatus::Published, &[]);
    let id = post.id;
    scene.check_rejected(move |tx| tx.insert_post(&post)).await;
    assert_eq!(scene.ports.posts.find_post(id).await.unwrap(), None);
}

/// A save keeps what the post says, its tags, status and version, and when it changed; nothing else of this
/// post or of another one changes.
pub async fn saved_posts_keep_what_they_say(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (post, other) =
        (scene.post(PostStatus::Draft, &["a", "b"]).await, scene.post(PostStatus::Draft, &["a"]).await);
    for (version, body) in [(2, odd_body(PostStatus::Published)), (3, post.body.clone())] {
        let saved = Post { body, version, updated_at: after(version), ..post.clone() };
        let stored = saved.clone();
        scene
            .commit(move |tx| {
                let mut locked = tx.lock_post(saved.id)?.expect("the post is stored");
                *locked = Post { created_at: after(77), ..saved.clone() };
                tx.save_post(&locked)
            })
            .await;
        assert_eq!(scene.ports.posts.find_post(post.id).await.unwrap(), Some(stored));
    }
    assert_eq!(scene.ports.posts.find_post(other.id).await.unwrap(), Some(other));
}

/// With a post go the comments on it, and no others.
pub async fn a_deleted_post_takes_its_comments_along(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (post, kept) =
        (scene.post(PostStatus::Published, &["a"]).await, scene.post(PostStatus::Published, &["a"]).await);
    let market = scene.market(|market| market).await.market.id();
    let gone = [scene.comment(post.id).await, scene.comment(post.id).await];
    let left = [scene.comment(kept.id).await, scene.comment(market).await];
    let id = post.id;
    scene
        .commit(move |tx| {
            let locked = tx.lock_post(id)?.expect("the post is stored");
            tx.delete_post(locked)
        })
        .await;
    let posts = &scene.ports.posts;
    assert_eq!(posts.find_post(post.id).await.unwrap(), None);
    assert_eq!(posts.find_post(kept.id).await.unwrap(), Some(kept));
    for comment in gone {
        assert_eq!(posts.find_comment(comment.id).await.unwrap(), None);
    }
    for comment in left {
        assert_eq!(posts.find_comment(comment.id).await.unwrap(), Some(comment));
    }
    let tags = posts.list_tags(super::scene::first(10)).await.unwrap();
    assert_eq!(tags.iter().map(|(_, tag)| tag.post_count).collect::<Vec<_>>(), [1]);
}

/// With the content of a user go their posts, everybody's comments on these, and their comments elsewhere; the
/// user stays, and so does what others wrote elsewhere.
pub async fn the_content_of_a_user_is_deleted(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let market = scene.market(|market| market).await.market.id();
    let [mine, draft] =
        [PostStatus::Published, PostStatus::Draft].map(|status| scene.make.post(ada.id, status, &["a", "b"]));
    let kept = scene.make.post(ben.id, PostStatus::Published, &["b"]);
    for post in [&mine, &draft, &kept] {
        scene.store_post(post.clone()).await;
    }
    let gone = [
        scene.make.comment(ada.id, mine.id),
        scene.make.comment(ben.id, mine.id),
        scene.make.comment(ada.id, kept.id),
        scene.make.comment(ada.id, market),
    ];
    let left = [scene.make.comment(ben.id, kept.id), scene.make.comment(ben.id, market)];
    for comment in gone.iter().chain(&left) {
        scene.store_comment(comment.clone()).await;
    }
    let nobody = scene.make.ids().user();
    scene.commit(move |tx| tx.delete_content_of(nobody)).await;
    let posts = &scene.ports.posts;
    assert_eq!(posts.find_post(mine.id).await.unwrap(), Some(mine.clone()), "of nobody there is nothing");
    scene.commit(move |tx| tx.delete_content_of(ada.id)).await;
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
    assert_eq!(scene.ports.users.find_user(ada.id).await.unwrap(), Some(ada));
}
