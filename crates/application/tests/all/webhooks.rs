//! Webhooks: every event in the order of each market, retried until delivered.

use std::time::Duration;

use foretell_application::writer::Decision;
use foretell_application::{AppError, Caller, NewWebhook, WebhookChange};
use foretell_domain::error::DomainError;
use foretell_domain::id::WebhookId;
use foretell_domain::job::JobState;
use foretell_domain::webhook::{WebhookError, WebhookEvents, WebhookStatus, WebhookUrl};
use foretell_ports::market::MarketDetails;

use crate::support::Fixture;

async fn create(fixture: &Fixture, admin: &Caller, events: WebhookEvents) -> WebhookId {
    let url = WebhookUrl::new("https://example.org/hook").unwrap();
    fixture.app.notifications.create_webhook(admin, NewWebhook { url, events }).await.unwrap().id
}

/// Returns the bodies of delivered messages about a market, in order.
fn told(fixture: &Fixture, market: &MarketDetails) -> Vec<String> {
    let about = market.market.id().to_string();
    let sent =
        fixture.receivers.sent().into_iter().filter(|sent| sent.message.id.starts_with(&about));
    sent.map(|sent| String::from_utf8(sent.message.body).unwrap()).collect()
}

/// Returns the current state of a webhook.
async fn shown(
    fixture: &Fixture,
    admin: &Caller,
    id: WebhookId,
) -> foretell_ports::webhook::Webhook {
    fixture.app.notifications.get_webhook(admin, id).await.unwrap()
}

#[tokio::test]
async fn webhook_receives_every_event_in_order() {
    let fixture = Fixture::open().await;
    let (admin, trader) = (fixture.admin().await, fixture.user().await);
    create(&fixture, &admin, WebhookEvents::ALL).await;
    let market = fixture.market(&admin, 5_000).await;
    fixture.bet(&trader, &market, 0, 100).await.unwrap();
    assert!(fixture.work().await.is_empty());
    fixture.bet(&trader, &market, 1, 100).await.unwrap();
    fixture.decide(&admin, &market, Decision::Cancel).await.unwrap().result.unwrap();
    assert!(fixture.work().await.is_empty());
    assert_eq!(told(&fixture, &market), ["status open", "trade 1", "trade 2", "status cancelled"]);
    let ids: Vec<_> = fixture.receivers.sent().into_iter().map(|sent| sent.message.id).collect();
    let expected = ["0-open", "1-open", "2-open", "2-cancelled"];
    assert_eq!(ids, expected.map(|place| format!("{}-{place}", market.market.id())));
}

#[tokio::test]
async fn webhook_receives_subscribed_events_only() {
    let fixture = Fixture::open().await;
    let (admin, trader) = (fixture.admin().await, fixture.user().await);
    let market = fixture.market(&admin, 5_000).await;
    create(&fixture, &admin, WebhookEvents::STATUSES).await;
    fixture.bet(&trader, &market, 0, 100).await.unwrap();
    fixture
        .app
        .markets
        .close_market(&admin, fixture.key(), market.market.id())
        .await
        .unwrap()
        .result
        .unwrap();
    assert!(fixture.work().await.is_empty());
    assert_eq!(told(&fixture, &market), ["status closed"]);
}

#[tokio::test]
async fn no_cursor_exists_without_webhooks() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    let market = fixture.market(&admin, 5_000).await;
    let id = create(&fixture, &admin, WebhookEvents::ALL).await;
    fixture.app.notifications.delete_webhook(&admin, id).await.unwrap();
    fixture.bet(&admin, &market, 0, 100).await.unwrap();
    assert!(fixture.work().await.is_empty());
    assert!(fixture.receivers.sent().is_empty());
}

#[tokio::test]
async fn failed_delivery_is_retried_without_loss() {
    let fixture = Fixture::open().await;
    let (admin, trader) = (fixture.admin().await, fixture.user().await);
    let id = create(&fixture, &admin, WebhookEvents::ALL).await;
    let market = fixture.market(&admin, 5_000).await;
    fixture.bet(&trader, &market, 0, 100).await.unwrap();
    // The first message fails twice; the second fails once after the first was delivered.
    fixture.receivers.answer([500, 503, 204, 500]);
    for _ in 0..2 {
        assert_eq!(fixture.work().await.len(), 1);
        assert!(shown(&fixture, &admin, id).await.failing.is_some());
        fixture.clock.advance_seconds(7 * 60);
    }
    assert!(fixture.work().await.is_empty());
    assert_eq!(told(&fixture, &market), ["status open"]);
    fixture.clock.advance_seconds(7);
    assert!(fixture.work().await.is_empty());
    assert_eq!(told(&fixture, &market), ["status open", "trade 1"]);
    assert_eq!(shown(&fixture, &admin, id).await.failing, None);
}

#[tokio::test]
async fn retry_after_delays_the_next_attempt() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    create(&fixture, &admin, WebhookEvents::ALL).await;
    let market = fixture.market(&admin, 5_000).await;
    fixture.bet(&admin, &market, 0, 100).await.unwrap();
    fixture.receivers.retry_after(Some(Duration::from_mins(20)));
    // The first message is rejected, then the second one after the first was delivered.
    for (answers, expected) in [(vec![503], 0), (vec![204, 429], 1)] {
        fixture.receivers.answer(answers);
        fixture.work().await;
        assert_eq!(told(&fixture, &market).len(), expected);
        fixture.clock.advance_seconds(20 * 60 - 1);
        assert!(fixture.work().await.is_empty());
        assert_eq!(told(&fixture, &market).len(), expected, "it is left alone for 20 minutes");
        fixture.clock.advance_seconds(1);
    }
    fixture.work().await;
    assert_eq!(told(&fixture, &market), ["status open", "trade 1"]);
}

#[tokio::test]
async fn events_during_delivery_are_delivered_too() {
    let fixture = Fixture::open().await;
    let (admin, trader) = (fixture.admin().await, fixture.user().await);
    create(&fixture, &admin, WebhookEvents::ALL).await;
    let market = fixture.market(&admin, 5_000).await;
    for round in 1..=150 {
        fixture.bet(&trader, &market, round % 2, 10).await.unwrap();
    }
    let working = fixture.work();
    let betting = fixture.bet(&trader, &market, 0, 10);
    let (failed, bet) = futures::future::join(working, betting).await;
    assert!(failed.is_empty());
    bet.unwrap();
    fixture.work().await;
    let all_trades = (1..=151).map(|number| format!("trade {number}"));
    let expected: Vec<_> = std::iter::once("status open".to_owned()).chain(all_trades).collect();
    assert_eq!(told(&fixture, &market), expected);
}

#[tokio::test]
async fn webhook_failing_for_days_is_disabled() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    let id = create(&fixture, &admin, WebhookEvents::ALL).await;
    fixture.market(&admin, 1_000).await;
    fixture.receivers.answer([500; 10]);
    let mut attempts = 0;
    while shown(&fixture, &admin, id).await.status == WebhookStatus::Enabled {
        fixture.clock.advance_seconds(86_400 * 3 / 2);
        attempts += fixture.work().await.len();
        assert!(attempts <= 10, "it is not disabled");
    }
    assert_eq!(attempts, 10);
    assert_eq!(fixture.jobs(JobState::Dead).await.len(), 1);
    let missed = fixture.market(&admin, 1_000).await;
    let change = WebhookChange { status: Some(WebhookStatus::Enabled), ..WebhookChange::default() };
    let enabled = fixture.app.notifications.change_webhook(&admin, id, change).await.unwrap();
    assert_eq!((enabled.status, enabled.failing), (WebhookStatus::Enabled, None));
    let market = fixture.market(&admin, 1_000).await;
    assert!(fixture.work().await.is_empty());
    assert_eq!(
        (told(&fixture, &missed).len(), told(&fixture, &market)),
        (0, vec!["status open".to_owned()])
    );
}

#[tokio::test]
async fn response_gone_disables_webhook() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    let id = create(&fixture, &admin, WebhookEvents::ALL).await;
    fixture.market(&admin, 1_000).await;
    fixture.market(&admin, 1_000).await;
    fixture.receivers.answer([410]);
    fixture.work().await;
    assert_eq!(shown(&fixture, &admin, id).await.status, WebhookStatus::Disabled);
    fixture.clock.advance_seconds(86_400);
    fixture.work().await;
    assert!(fixture.receivers.sent().is_empty());
}

#[tokio::test]
async fn replaced_secret_signs_for_a_day() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    let id = create(&fixture, &admin, WebhookEvents::ALL).await;
    let first = shown(&fixture, &admin, id).await.secret;
    let second = fixture.app.notifications.rotate_webhook_secret(&admin, id).await.unwrap().secret;
    assert_ne!(first, second);
    for (seconds, expected) in [(0, vec![second, first]), (86_400, vec![second])] {
        fixture.clock.advance_seconds(seconds);
        fixture.app.notifications.test_webhook(&admin, id).await.unwrap().unwrap();
        assert_eq!(fixture.receivers.sent().last().unwrap().secrets, expected);
    }
}

#[tokio::test]
async fn webhook_requires_admin_and_allowed_address() {
    let fixture = Fixture::open().await;
    let (admin, moderator) = (fixture.admin().await, fixture.moderator().await);
    let id = create(&fixture, &admin, WebhookEvents::ALL).await;
    let new =
        |url: &str| NewWebhook { url: WebhookUrl::new(url).unwrap(), events: WebhookEvents::ALL };
    for denied in [
        fixture
            .app
            .notifications
            .create_webhook(&moderator, new("https://example.org/"))
            .await
            .map(drop),
        fixture.app.notifications.get_webhook(&moderator, id).await.map(drop),
        fixture.app.notifications.rotate_webhook_secret(&moderator, id).await.map(drop),
        fixture
            .app
            .notifications
            .change_webhook(&moderator, id, WebhookChange::default())
            .await
            .map(drop),
        fixture.app.notifications.test_webhook(&moderator, id).await.map(drop),
        fixture.app.notifications.delete_webhook(&moderator, id).await,
    ] {
        assert!(matches!(denied, Err(AppError::Refused(DomainError::Denied(_)))), "{denied:?}");
    }
    let refused = fixture
        .app
        .notifications
        .create_webhook(&admin, new("http://example.org/"))
        .await
        .map(drop);
    let forbidden = DomainError::Webhook(WebhookError::ForbiddenAddress);
    assert!(
        matches!(refused, Err(AppError::Refused(refusal)) if refusal == forbidden),
        "{refused:?}"
    );
    for _ in 1..20 {
        create(&fixture, &admin, WebhookEvents::ALL).await;
    }
    let many = fixture
        .app
        .notifications
        .create_webhook(&admin, new("https://example.org/"))
        .await
        .map(drop);
    assert!(
        matches!(
            many,
            Err(AppError::Refused(DomainError::Webhook(WebhookError::TooMany { max: 20 })))
        ),
        "{many:?}"
    );
}
