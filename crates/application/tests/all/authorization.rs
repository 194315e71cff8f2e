//! Authorization inside units of work: a change of a caller by another node applies to all writes,
//! although this node still has the caller in its cache.

use foretell_application::writer::{Burn, Decision, Mint};
use foretell_application::{
    AppError, Caller, Credential, ExpectedVersion, NewApiKey, NewInvitation, NewWebhook,
    WebhookChange,
};
use foretell_domain::comment::CommentSubject;
use foretell_domain::error::{Code, DomainError};
use foretell_domain::id::{ApiKeyId, InvitationId, JobId, PostId, WebhookId};
use foretell_domain::market::{Evidence, MarketEdit};
use foretell_domain::policy::Denied;
use foretell_domain::post::{PostBody, PostEdit, PostStatus};
use foretell_domain::scope::Scopes;
use foretell_domain::text::{CommentContent, KeyName, Memo, PostContent, PostTitle, Reason};
use foretell_domain::user::{NewUserStatus, ProfileChange, Role, UserUpdate};
use foretell_domain::webhook::{WebhookEvents, WebhookUrl};
use foretell_testkit::builders::tags;

use crate::support::{ADDRESS, Fixture, amount, confirmation};

const SUSPENSION: UserUpdate = UserUpdate { role: None, status: Some(NewUserStatus::Suspended) };
const INVITATION: NewInvitation =
    NewInvitation { role: Role::Admin, grant: None, max_uses: 1, expires_at: None };
const DEMOTION: UserUpdate = UserUpdate { role: Some(Role::User), status: None };

fn post_body() -> PostBody {
    PostBody {
        title: PostTitle::new("On rain").unwrap(),
        content: PostContent::new("It may rain.").unwrap(),
        tags: tags(&["rain"]),
        status: PostStatus::Published,
    }
}

fn said(text: &str) -> CommentContent {
    CommentContent::new(text).unwrap()
}

fn why() -> Reason {
    Reason::new("It did not rain.").unwrap()
}

/// Result of a write, without its outcome: a domain error in a receipt is an error too.
type Attempt = (&'static str, Result<(), AppError>);

/// Tries every operation that requires a role.
async fn try_privileged(fixture: &Fixture, by: &Caller) -> Vec<Attempt> {
    let (app, ann) = (&fixture.app, fixture.user().await);
    let payment = fixture.pay(&ann, by, 10).await.unwrap();
    let markets = [(); 5].map(|()| fixture.market(&ann, 100));
    let [edited, closed, resolved, cancelled, deleted] =
        futures::future::join_all(markets).await.try_into().unwrap();
    let id = |market: &foretell_ports::market::MarketDetails| market.market.id();
    let post = app.content.write_post(&ann, post_body()).await.unwrap().id;
    let other_post = app.content.write_post(&ann, post_body()).await.unwrap().id;
    let any = || ExpectedVersion::Any;
    let comment = app.content.write_comment(&ann, post.into(), said("?")).await.unwrap().id;
    let other_comment = app.content.write_comment(&ann, post.into(), said("?")).await.unwrap().id;
    let new = || NewWebhook {
        url: WebhookUrl::new("https://example.org/hook").unwrap(),
        events: WebhookEvents::ALL,
    };
    let (webhook, job) = (WebhookId::from_u128(1), JobId::from_u128(1));
    let mint = Mint { to: ann.account_id, amount: amount(10) };
    let reason = Memo::new("minted by mistake").unwrap();
    let burn = Burn { from: ann.account_id, amount: amount(10), reason };
    let winner = Decision::Winner(Fixture::option(&resolved, 0));
    vec![
        ("mint", app.ledger.mint(by, fixture.key(), mint).await.and_then(settled)),
        (
            "reverse",
            app.ledger
                .reverse_transfer(by, fixture.key(), payment.id, true)
                .await
                .and_then(settled),
        ),
        (
            "edit market",
            app.markets.edit_market(by, id(&edited), MarketEdit::default(), any()).await.map(drop),
        ),
        ("close", app.markets.close_market(by, fixture.key(), id(&closed)).await.and_then(settled)),
        (
            "resolve",
            app.markets
                .decide_market(by, fixture.key(), id(&resolved), winner, Evidence::default())
                .await
                .and_then(settled),
        ),
        (
            "cancel",
            app.markets
                .decide_market(
                    by,
                    fixture.key(),
                    id(&cancelled),
                    Decision::Cancel,
                    Evidence::default(),
                )
                .await
                .and_then(settled),
        ),
        (
            "undo",
            app.markets
                .undo_settlement(by, fixture.key(), id(&resolved), why())
                .await
                .and_then(settled),
        ),
        ("burn", app.ledger.burn(by, fixture.key(), burn).await.and_then(settled)),
        ("reopen", app.markets.reopen_market(by, id(&closed), None).await.map(drop)),
        ("delete market", app.markets.delete_market(by, id(&deleted)).await),
        ("update", app.identity.update_user(by, ann.user.id, DEMOTION, any()).await.map(drop)),
        (
            "create user",
            app.identity.create_user(by, fixture.registration(Role::Admin)).await.map(drop),
        ),
        ("invite", app.identity.create_invitation(by, INVITATION).await.map(drop)),
        ("delete invitation", app.identity.delete_invitation(by, InvitationId::from_u128(1)).await),
        ("edit post", app.content.edit_post(by, post, PostEdit::default(), any()).await.map(drop)),
        ("edit comment", app.content.edit_comment(by, comment, Some(said("!"))).await.map(drop)),
        ("delete comment", app.content.delete_comment(by, other_comment).await),
        ("delete post", app.content.delete_post(by, other_post).await),
        ("create webhook", app.notifications.create_webhook(by, new()).await.map(drop)),
        (
            "change webhook",
            app.notifications.change_webhook(by, webhook, WebhookChange::default()).await.map(drop),
        ),
        ("rotate secret", app.notifications.rotate_webhook_secret(by, webhook).await.map(drop)),
        ("test webhook", app.notifications.test_webhook(by, webhook).await.map(drop)),
        ("delete webhook", app.notifications.delete_webhook(by, webhook).await),
        ("retry job", app.jobs.retry_job(by, job).await.map(drop)),
        ("discard job", app.jobs.discard_job(by, job).await),
    ]
}

/// Tries every operation that users do for themselves.
async fn try_own(fixture: &Fixture, by: &Caller) -> Vec<Attempt> {
    let (app, ann, any) = (&fixture.app, fixture.user().await, || ExpectedVersion::Any);
    let market = fixture.market(&ann, 100).await;
    let (order, target) = (Fixture::order(&market, 0, 10), Fixture::target(&market));
    let payment = Fixture::payment(by, &ann, 10);
    let subject = CommentSubject::Market(market.market.id());
    let new =
        NewApiKey { name: KeyName::new("bot").unwrap(), scopes: Scopes::ALL, expires_at: None };
    let (post, key) = (PostId::from_u128(1), ApiKeyId::from_u128(1));
    vec![
        ("pay", app.ledger.pay(by, fixture.key(), payment).await.and_then(settled)),
        (
            "open",
            app.markets
                .open_market(by, fixture.key(), fixture.opening(100))
                .await
                .and_then(settled),
        ),
        ("dispute", app.markets.dispute_resolution(by, market.market.id(), why()).await.map(drop)),
        ("end proposal", app.markets.end_proposal(by, market.market.id()).await.map(drop)),
        ("bet", app.trading.place_bet(by, fixture.key(), target, order).await.and_then(settled)),
        ("write post", app.content.write_post(by, post_body()).await.map(drop)),
        ("delete post", app.content.delete_post(by, post).await),
        ("comment", app.content.write_comment(by, subject, said("?")).await.map(drop)),
        (
            "profile",
            app.identity.change_profile(by, ProfileChange::default(), any()).await.map(drop),
        ),
        ("create key", app.identity.create_api_key(by, confirmation(), new).await.map(drop)),
        ("delete key", app.identity.delete_api_key(by, key).await),
        ("log out", app.identity.log_out(by, fixture.ids.session(), ADDRESS).await.map(drop)),
        ("erase", app.identity.erase_user(by, by.user.id, confirmation()).await),
    ]
}

fn settled<T>(receipt: foretell_application::writer::Receipt<T>) -> Result<(), AppError> {
    receipt.result.map(drop).map_err(AppError::Refused)
}

async fn update(fixture: &Fixture, whom: &Caller, update: UserUpdate) {
    let chief = fixture.admin().await;
    fixture
        .app
        .identity
        .update_user(&chief, whom.user.id, update, ExpectedVersion::Any)
        .await
        .unwrap();
}

#[tokio::test]
async fn demoted_admin_loses_privileges() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    for (what, result) in try_privileged(&fixture, &admin).await {
        let is_allowed = match &result {
            Ok(()) => true,
            Err(AppError::Refused(refusal)) => refusal.code() == Code::NotFound,
            Err(_) => false,
        };
        assert!(is_allowed, "an admin may {what}: {result:?}");
    }
    update(&fixture, &admin, DEMOTION).await;
    let before = fixture.audit().await;
    let attempts = try_privileged(&fixture, &admin).await;
    for (what, result) in &attempts {
        let is_denied = matches!(result, Err(AppError::Refused(DomainError::Denied(_))));
        assert!(is_denied, "{what}: {result:?}");
    }
    assert_eq!(
        fixture.audit().await,
        before + 2 + 5,
        "one payment, one grant and five subsidies of others"
    );
}

#[tokio::test]
async fn demoted_moderator_loses_privileges() {
    let fixture = Fixture::open().await;
    let (ann, moderator) = (fixture.user().await, fixture.moderator().await);
    let market = fixture.market(&ann, 100).await;
    update(&fixture, &moderator, DEMOTION).await;
    let decided = fixture.decide(&moderator, &market, Decision::Cancel).await.unwrap();
    assert_eq!(decided.result.map(drop), Err(Denied::NotTheCreator.into()));
}

#[tokio::test]
async fn suspended_user_cannot_write() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    update(&fixture, &admin, SUSPENSION).await;
    let mut attempts = try_privileged(&fixture, &admin).await;
    attempts.extend(try_own(&fixture, &admin).await);
    for (what, result) in attempts {
        assert!(matches!(result, Err(AppError::Unauthorized)), "{what}: {result:?}");
    }
    assert_eq!(
        fixture.balance(admin.account_id).await,
        crate::support::GRANT + 10,
        "it was paid into"
    );
}

#[tokio::test]
async fn ended_credential_cannot_write() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let ended = Caller {
        credential: Credential::Session(fixture.sign_in(ann.user.id).await),
        ..ann.clone()
    };
    let Credential::Session(session) = ended.credential else { unreachable!() };
    let new =
        NewApiKey { name: KeyName::new("bot").unwrap(), scopes: Scopes::ALL, expires_at: None };
    let key = fixture.app.identity.create_api_key(&ann, confirmation(), new).await.unwrap().key.id;
    let revoked =
        Caller { credential: Credential::ApiKey { id: key, scopes: Scopes::ALL }, ..ann.clone() };
    for caller in [&ended, &revoked] {
        fixture.pay(caller, &ann, 1).await.unwrap_err();
        fixture.app.content.write_post(caller, post_body()).await.unwrap();
    }
    assert!(fixture.app.identity.log_out(&ann, session, ADDRESS).await.unwrap());
    fixture.app.identity.delete_api_key(&ann, key).await.unwrap();
    for caller in [&ended, &revoked] {
        let paid = fixture.send(caller, Fixture::payment(caller, &ann, 1)).await;
        assert!(matches!(paid, Err(AppError::Unauthorized)), "{paid:?}");
        let written = fixture.app.content.write_post(caller, post_body()).await;
        assert!(matches!(written, Err(AppError::Unauthorized)), "{written:?}");
    }
}

#[tokio::test]
async fn unauthorized_command_does_not_use_key() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    update(&fixture, &ann, SUSPENSION).await;
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let refused = fixture.app.ledger.pay(&ann, key.clone(), payment.clone()).await;
    assert!(matches!(refused, Err(AppError::Unauthorized)), "{refused:?}");
    update(&fixture, &ann, UserUpdate { role: None, status: Some(NewUserStatus::Active) }).await;
    let receipt = fixture.app.ledger.pay(&ann, key, payment).await.unwrap();
    assert!(receipt.result.is_ok() && !receipt.is_replay, "{receipt:?}");
}

#[tokio::test]
async fn suspended_user_in_batch_fails_alone() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    update(&fixture, &ann, SUSPENSION).await;
    let (answers, units) = fixture
        .together([
            fixture.send(&ann, Fixture::payment(&ann, &ben, 10)),
            fixture.send(&ben, Fixture::payment(&ben, &ann, 20)),
        ])
        .await;
    assert_eq!(units, 1);
    assert!(matches!(answers[0], Err(AppError::Unauthorized)), "{answers:?}");
    assert!(answers[1].as_ref().is_ok_and(|receipt| receipt.result.is_ok()), "{answers:?}");
}
