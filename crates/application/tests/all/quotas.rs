//! Quotas: limits per user, and the changes that free them.

use foretell_application::writer::Decision;
use foretell_application::{AppError, ApplicationSettings, Caller, ExpectedVersion};
use foretell_domain::error::DomainError;
use foretell_domain::id::PostId;
use foretell_domain::market::MarketError;
use foretell_domain::post::{Post, PostBody, PostEdit, PostStatus};
use foretell_domain::quota::{Quota, QuotaExceeded, Quotas};
use foretell_domain::text::{CommentContent, PostContent, PostTitle};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::user::UserQueries as _;
use futures::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{ADDRESS, Fixture, PASSWORD, amount, settings};

const QUOTAS: Quotas = Quotas {
    published_posts: 2,
    drafts: 1,
    comments: 2,
    open_markets: 2,
    api_keys: 2,
    sessions: 3,
    min_subsidy: None,
};

async fn fixture() -> Fixture {
    Fixture::open_with(ApplicationSettings { quotas: QUOTAS, ..settings() }).await
}

fn check_exceeded<T: std::fmt::Debug>(result: Result<T, AppError>, quota: Quota) {
    let expected = DomainError::Quota(QuotaExceeded { quota, limit: QUOTAS.limit(quota) });
    match result {
        Err(AppError::Refused(refusal)) => assert_eq!(refusal, expected),
        other => panic!("{other:?} is not {expected:?}"),
    }
}

async fn write(fixture: &Fixture, author: &Caller, status: PostStatus) -> Result<Post, AppError> {
    let body = PostBody {
        title: PostTitle::new("On rain").unwrap(),
        content: PostContent::new("It may rain.").unwrap(),
        tags: foretell_testkit::builders::tags(&["rain"]),
        status,
    };
    fixture.app.content.write_post(author, body).await
}

async fn set_status(
    fixture: &Fixture,
    by: &Caller,
    post: PostId,
    status: PostStatus,
) -> Result<Post, AppError> {
    let edit = PostEdit { status: Some(status), ..PostEdit::default() };
    fixture.app.content.edit_post(by, post, edit, ExpectedVersion::Any).await
}

#[tokio::test]
async fn posts_count_by_their_status() {
    let fixture = fixture().await;
    let (ann, ben, moderator) =
        (fixture.user().await, fixture.user().await, fixture.moderator().await);
    let (published, draft) = (PostStatus::Published, PostStatus::Draft);
    let first = write(&fixture, &ann, published).await.unwrap();
    write(&fixture, &ann, published).await.unwrap();
    check_exceeded(write(&fixture, &ann, published).await, Quota::PublishedPosts);
    let saved = write(&fixture, &ann, draft).await.unwrap();
    check_exceeded(write(&fixture, &ann, draft).await, Quota::Drafts);
    check_exceeded(set_status(&fixture, &ann, saved.id, published).await, Quota::PublishedPosts);
    check_exceeded(set_status(&fixture, &ann, first.id, draft).await, Quota::Drafts);
    // Edits that keep the status need no room.
    set_status(&fixture, &ann, first.id, published).await.unwrap();
    write(&fixture, &ben, draft).await.unwrap();
    // Moderation is never rejected, and an unpublished post then counts for the author.
    set_status(&fixture, &moderator, first.id, draft).await.unwrap();
    set_status(&fixture, &ann, saved.id, published).await.unwrap();
    check_exceeded(write(&fixture, &ann, draft).await, Quota::Drafts);
    fixture.app.content.delete_post(&ann, first.id).await.unwrap();
    write(&fixture, &ann, draft).await.unwrap();
}

#[tokio::test]
async fn comments_count_on_all_subjects() {
    let fixture = fixture().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let post = write(&fixture, &ann, PostStatus::Published).await.unwrap();
    let market = fixture.market(&ann, 5_000).await.market.id();
    let said = || CommentContent::new("Why?").unwrap();
    let first = fixture.app.content.write_comment(&ben, post.id.into(), said()).await.unwrap();
    fixture.app.content.write_comment(&ben, market.into(), said()).await.unwrap();
    check_exceeded(
        fixture.app.content.write_comment(&ben, market.into(), said()).await,
        Quota::Comments,
    );
    fixture.app.content.write_comment(&ann, market.into(), said()).await.unwrap();
    fixture.app.content.delete_comment(&ben, first.id).await.unwrap();
    fixture.app.content.write_comment(&ben, market.into(), said()).await.unwrap();
}

#[tokio::test]
async fn markets_count_until_they_are_closed_decided_or_deleted() {
    let fixture = fixture().await;
    let ann = fixture.user().await;
    let open = async |key: String| {
        let receipt =
            fixture.app.markets.open_market(&ann, key, fixture.opening(1_000)).await.unwrap();
        receipt.result.map(|opened| opened.into_details().unwrap()).map_err(AppError::from)
    };
    let first = open(fixture.key()).await.unwrap();
    let second = open(fixture.key()).await.unwrap();
    let (key, before) = (fixture.key(), fixture.balance(ann.account_id).await);
    check_exceeded(open(key.clone()).await, Quota::OpenMarkets);
    assert_eq!(fixture.balance(ann.account_id).await, before);
    fixture
        .app
        .markets
        .close_market(&ann, fixture.key(), first.market.id())
        .await
        .unwrap()
        .result
        .unwrap();
    let third = open(fixture.key()).await.unwrap();
    check_exceeded(open(fixture.key()).await, Quota::OpenMarkets);
    fixture.decide(&ann, &second, Decision::Cancel).await.unwrap().result.unwrap();
    open(fixture.key()).await.unwrap();
    check_exceeded(open(fixture.key()).await, Quota::OpenMarkets);
    fixture.app.markets.delete_market(&ann, third.market.id()).await.unwrap();
    open(fixture.key()).await.unwrap();
    // The error is replayed for its key, as every domain error of the money writer.
    check_exceeded(open(key).await, Quota::OpenMarkets);
    fixture.audit().await;
}

#[tokio::test]
async fn openings_in_one_batch_count_each_other() {
    let fixture = fixture().await;
    let ann = fixture.user().await;
    let old = fixture.market(&ann, 1_000).await.market.id();
    let open = || {
        let opening = fixture.app.markets.open_market(&ann, fixture.key(), fixture.opening(1_000));
        opening.map(|answer| answer.unwrap().result.is_ok()).boxed()
    };
    let close = fixture
        .app
        .markets
        .close_market(&ann, fixture.key(), old)
        .map(|answer| answer.unwrap().result.is_ok());
    let (answers, units) =
        fixture.together([open(), open(), open(), close.boxed(), open(), open()]).await;
    assert_eq!(units, 1);
    assert_eq!(answers, [true, false, false, true, true, false]);
    fixture.audit().await;
}

#[tokio::test]
async fn small_subsidy_is_rejected() {
    let quotas = Quotas { min_subsidy: Some(amount(500)), ..QUOTAS };
    let fixture = Fixture::open_with(ApplicationSettings { quotas, ..settings() }).await;
    let ann = fixture.user().await;
    let open = async |minor| {
        let receipt = fixture
            .app
            .markets
            .open_market(&ann, fixture.key(), fixture.opening(minor))
            .await
            .unwrap();
        receipt.result.map(drop)
    };
    assert_eq!(open(499).await, Err(MarketError::SubsidyTooSmall { min: amount(500) }.into()));
    assert_eq!(open(500).await, Ok(()));
}

#[tokio::test]
async fn sign_in_ends_the_oldest_session() {
    let fixture = fixture().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let is_live =
        async |token: &SecretString| fixture.authenticate(token.expose_secret()).await.is_some();
    let mut tokens = Vec::new();
    for _ in 0..5 {
        let password = SecretString::from(PASSWORD);
        let signed_in =
            fixture.app.identity.log_in(ADDRESS, &ann.user.email, password).await.unwrap();
        assert!(is_live(&signed_in.token).await);
        tokens.push(signed_in.token);
    }
    let mut live = Vec::new();
    for token in &tokens {
        live.push(is_live(token).await);
    }
    assert_eq!(live, [false, false, true, true, true]);
    let page = PageRequest { start: PageStart::First, limit: 10 };
    let count = async |user| {
        fixture.memory.list_sessions(user, fixture.app.now(), page).await.unwrap().len()
    };
    assert_eq!((count(ann.user.id).await, count(ben.user.id).await), (3, 1));
}
