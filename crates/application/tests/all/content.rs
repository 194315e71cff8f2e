//! Posts and comments: private drafts, versions, and deletion with their author.

use foretell_application::{AppError, Caller, ExpectedVersion, PostRelation};
use foretell_domain::comment::CommentSubject;
use foretell_domain::error::{Code, DomainError};
use foretell_domain::policy::Denied;
use foretell_domain::post::{Post, PostBody, PostEdit, PostStatus};
use foretell_domain::text::{CommentContent, PostContent, PostTitle};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::post::PostFilter;
use foretell_ports::unit::{Tx, UnitOfWork};
use foretell_testkit::builders::tags;

use crate::support::{Fixture, confirmation};

fn body(status: PostStatus) -> PostBody {
    PostBody {
        title: PostTitle::new("On rain").unwrap(),
        content: PostContent::new("It may rain.").unwrap(),
        tags: tags(&["rain"]),
        status,
    }
}

fn said(text: &str) -> CommentContent {
    CommentContent::new(text).unwrap()
}

fn renamed(title: &str) -> PostEdit {
    PostEdit { title: PostTitle::new(title).ok(), ..PostEdit::default() }
}

fn code<T>(result: &Result<T, AppError>) -> Option<Code> {
    match result {
        Err(AppError::Refused(refusal)) => Some(refusal.code()),
        _ => None,
    }
}

async fn write(fixture: &Fixture, author: &Caller, status: PostStatus) -> Post {
    fixture.app.content.write_post(author, body(status)).await.unwrap()
}

const FIRST: PageRequest<foretell_domain::id::PostId> =
    PageRequest { start: PageStart::Offset(0), limit: 10 };

#[tokio::test]
async fn draft_is_visible_to_its_author_only() {
    let fixture = Fixture::open().await;
    let (ann, ben, moderator, admin) = (
        fixture.user().await,
        fixture.user().await,
        fixture.moderator().await,
        fixture.admin().await,
    );
    let draft = write(&fixture, &ann, PostStatus::Draft).await;
    let (app, id) = (&fixture.app, draft.id);
    for caller in [&ben, &moderator, &admin] {
        let edit = app.content.edit_post(caller, id, renamed("Mine"), ExpectedVersion::Any).await;
        assert_eq!(code(&edit), Some(Code::NotFound), "{caller:?}");
        assert_eq!(
            code(&app.content.delete_post(caller, id).await),
            Some(Code::NotFound),
            "{caller:?}"
        );
        let comment = app.content.write_comment(caller, id.into(), said("?")).await;
        assert_eq!(code(&comment), Some(Code::NotFound), "{caller:?}");
        assert_eq!(
            code(&app.content.get_post(Some(caller), id).await),
            Some(Code::NotFound),
            "{caller:?}"
        );
    }
    let filter = PostFilter { status: PostStatus::Draft, author_id: None, tag: None };
    for (caller, expected) in [(None, 0), (Some(&ben), 0), (Some(&admin), 0), (Some(&ann), 1)] {
        assert_eq!(
            app.content.list_posts(caller, &filter, FIRST).await.unwrap().len(),
            expected,
            "{caller:?}"
        );
    }
    assert_eq!(app.content.get_post(Some(&ann), id).await.unwrap(), draft);
}

#[tokio::test]
async fn post_totals_are_current_after_changes() {
    let fixture = Fixture::open().await;
    let (app, ann) = (&fixture.app, fixture.user().await);
    let filter = PostFilter { status: PostStatus::Published, author_id: None, tag: None };
    let counted = async || app.content.count_posts(None, &filter).await.unwrap();
    assert_eq!(counted().await, 0);
    let post = write(&fixture, &ann, PostStatus::Published).await;
    assert_eq!(counted().await, 1, "written");
    let withdrawn = PostEdit { status: Some(PostStatus::Draft), ..PostEdit::default() };
    app.content.edit_post(&ann, post.id, withdrawn, ExpectedVersion::Any).await.unwrap();
    assert_eq!(counted().await, 0, "edited");
    let published = PostEdit { status: Some(PostStatus::Published), ..PostEdit::default() };
    app.content.edit_post(&ann, post.id, published, ExpectedVersion::Any).await.unwrap();
    assert_eq!(counted().await, 1);
    app.content.delete_post(&ann, post.id).await.unwrap();
    assert_eq!(counted().await, 0, "deleted");
    write(&fixture, &ann, PostStatus::Published).await;
    assert_eq!(counted().await, 1);
    app.identity.erase_user(&ann, ann.user.id, confirmation()).await.unwrap();
    assert_eq!(counted().await, 0, "gone with its author");
}

#[tokio::test]
async fn forbidden_edit_does_not_reveal_version() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let post = write(&fixture, &ann, PostStatus::Published).await;
    for expected in [ExpectedVersion::Any, ExpectedVersion::OneOf(vec![7])] {
        let edit = fixture.app.content.edit_post(&ben, post.id, renamed("Mine"), expected).await;
        assert!(
            matches!(edit, Err(AppError::Refused(DomainError::Denied(Denied::NotTheAuthor)))),
            "{edit:?}"
        );
    }
    let stale = fixture
        .app
        .content
        .edit_post(&ann, post.id, renamed("Two"), ExpectedVersion::OneOf(vec![7]))
        .await;
    assert!(matches!(stale, Err(AppError::Stale)), "{stale:?}");
    assert_eq!(fixture.app.content.get_post(None, post.id).await.unwrap(), post);
}

#[tokio::test]
async fn erased_user_loses_content_but_not_ledger() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let market = fixture.market(&ann, 1_000).await.market.id();
    fixture.pay(&ann, &ben, 10).await.unwrap();
    let (mine, theirs) = (
        write(&fixture, &ann, PostStatus::Published).await,
        write(&fixture, &ben, PostStatus::Published).await,
    );
    let app = &fixture.app;
    let comment = async |author, subject| {
        app.content.write_comment(author, subject, said("c")).await.unwrap().id
    };
    let gone = [
        comment(&ben, CommentSubject::Post(mine.id)).await,
        comment(&ann, CommentSubject::Post(theirs.id)).await,
        comment(&ann, CommentSubject::Market(market)).await,
    ];
    let left = [
        comment(&ben, CommentSubject::Post(theirs.id)).await,
        comment(&ben, CommentSubject::Market(market)).await,
    ];
    let before = fixture.audit().await;
    let user = ann.user.id;
    let units: &dyn UnitOfWork = &fixture.memory;
    units.run("erase", move |tx: &mut dyn Tx| tx.delete_content_of(user)).await.unwrap();
    assert_eq!(code(&app.content.get_post(None, mine.id).await), Some(Code::NotFound));
    for id in gone {
        assert_eq!(code(&app.content.get_comment(None, id).await), Some(Code::NotFound));
    }
    for id in left {
        assert_eq!(app.content.get_comment(None, id).await.unwrap().author_id, ben.user.id);
    }
    assert_eq!(app.content.get_post(None, theirs.id).await.unwrap(), theirs);
    assert_eq!(fixture.audit().await, before);
}

#[tokio::test]
async fn posts_embed_requested_resources_only() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let posts = [write(&fixture, &ann, PostStatus::Published).await];
    let nothing = fixture.app.content.relate_to_posts(&posts, &[]).await.unwrap();
    assert!(nothing.authors.is_none() && nothing.comments.is_none());
    let authors =
        fixture.app.content.relate_to_posts(&posts, &[PostRelation::Author]).await.unwrap();
    assert_eq!(authors.authors.unwrap().get(&ann.user.id), Some(&ann.user));
    assert!(authors.comments.is_none());
}
