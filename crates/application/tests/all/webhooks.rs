//! Webhooks: every event in the order of each market, retried until delivered.

use std::time::Duration;

use foretell_application::writer::Decision;
use foretell_application::{AppError, Caller, NewWebhook, WebhookChange};
use foretell_domain::error::DomainError;
use foretell_domain::id::WebhookId;
use foretell_domain::job::JobState;
use foretell_domain::webhook::{WebhookError, WebhookEvent, WebhookEvents, WebhookStatus, WebhookUrl};
use foretell_ports::market::MarketDetails;

use crate::support::Desk;

async fn create(desk: &Desk, admin: &Caller, events: WebhookEvents) -> WebhookId {
    let url = WebhookUrl::new("https://example.org/hook").unwrap();
    desk.app.create_webhook(admin, NewWebhook { url, events }).await.unwrap().id
}

fn all() -> WebhookEvents {
    WebhookEvent::ALL.into_iter().collect()
}

/// Returns the bodies of delivered messages about a market, in order.
fn told(desk: &Desk, market: &MarketDetails) -> Vec<String> {
    let about = market.market.id().to_string();
    let sent = desk.receivers.sent().into_iter().filter(|sent| sent.message.id.starts_with(&about));
    sent.map(|sent| String::from_utf8(sent.message.body).unwrap()).collect()
}

/// Returns the current state of a webhook.
async fn shown(desk: &Desk, admin: &Caller, id: WebhookId) -> foretell_ports::webhook::Webhook {
    desk.app.get_webhook(admin, id).await.unwrap()
}

#[tokio::test]
async fn webhook_receives_every_event_in_order() {
    let desk = Desk::open().await;
    let (admin, trader) = (desk.admin().await, desk.user().await);
    create(&desk, &admin, all()).await;
    let market = desk.market(&admin, 5_000).await;
    desk.bet(&trader, &market, 0, 100).await.unwrap();
    assert!(desk.work().await.is_empty());
    desk.bet(&trader, &market, 1, 100).await.unwrap();
    desk.decide(&admin, &market, Decision::Cancel).await.unwrap().result.unwrap();
    assert!(desk.work().await.is_empty());
    assert_eq!(told(&desk, &market), ["status open", "trade 1", "trade 2", "status cancelled"]);
    let ids: Vec<_> = desk.receivers.sent().into_iter().map(|sent| sent.message.id).collect();
    let expected = ["0-open", "1-open", "2-open", "2-cancelled"];
    assert_eq!(ids, expected.map(|place| format!("{}-{place}", market.market.id())));
}

#[tokio::test]
async fn webhook_receives_subscribed_events_only() {
    let desk = Desk::open().await;
    let (admin, trader) = (desk.admin().await, desk.user().await);
    let market = desk.market(&admin, 5_000).await;
    create(&desk, &admin, [WebhookEvent::Status].into_iter().collect()).await;
    desk.bet(&trader, &market, 0, 100).await.unwrap();
    desk.app.close_market(&admin, desk.key(), market.market.id()).await.unwrap().result.unwrap();
    assert!(desk.work().await.is_empty());
    assert_eq!(told(&desk, &market), ["status closed"]);
}

#[tokio::test]
async fn no_cursor_exists_without_webhooks() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let market = desk.market(&admin, 5_000).await;
    let id = create(&desk, &admin, all()).await;
    desk.app.delete_webhook(&admin, id).await.unwrap();
    desk.bet(&admin, &market, 0, 100).await.unwrap();
    assert!(desk.work().await.is_empty());
    assert!(desk.receivers.sent().is_empty());
}

#[tokio::test]
async fn failed_delivery_is_retried_without_loss() {
    let desk = Desk::open().await;
    let (admin, trader) = (desk.admin().await, desk.user().await);
    let id = create(&desk, &admin, all()).await;
    let market = desk.market(&admin, 5_000).await;
    desk.bet(&trader, &market, 0, 100).await.unwrap();
    // The first message fails twice; the second fails once after the first was delivered.
    desk.receivers.answer([500, 503, 204, 500]);
    for _ in 0..2 {
        assert_eq!(desk.work().await.len(), 1);
        assert!(shown(&desk, &admin, id).await.failing.is_some());
        desk.clock.advance_seconds(7 * 60);
    }
    assert!(desk.work().await.is_empty());
    assert_eq!(told(&desk, &market), ["status open"]);
    desk.clock.advance_seconds(7);
    assert!(desk.work().await.is_empty());
    assert_eq!(told(&desk, &market), ["status open", "trade 1"]);
    assert_eq!(shown(&desk, &admin, id).await.failing, None);
}

#[tokio::test]
async fn retry_after_delays_the_next_attempt() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    create(&desk, &admin, all()).await;
    let market = desk.market(&admin, 5_000).await;
    desk.bet(&admin, &market, 0, 100).await.unwrap();
    desk.receivers.retry_after(Some(Duration::from_mins(20)));
    // The first message is rejected, then the second one after the first was delivered.
    for (answers, expected) in [(vec![503], 0), (vec![204, 429], 1)] {
        desk.receivers.answer(answers);
        desk.work().await;
        assert_eq!(told(&desk, &market).len(), expected);
        desk.clock.advance_seconds(20 * 60 - 1);
        assert!(desk.work().await.is_empty());
        assert_eq!(told(&desk, &market).len(), expected, "it is left alone for 20 minutes");
        desk.clock.advance_seconds(1);
    }
    desk.work().await;
    assert_eq!(told(&desk, &market), ["status open", "trade 1"]);
}

#[tokio::test]
async fn events_during_delivery_are_delivered_too() {
    let desk = Desk::open().await;
    let (admin, trader) = (desk.admin().await, desk.user().await);
    create(&desk, &admin, all()).await;
    let market = desk.market(&admin, 5_000).await;
    for round in 1..=150 {
        desk.bet(&trader, &market, round % 2, 10).await.unwrap();
    }
    let working = desk.work();
    let betting = desk.bet(&trader, &market, 0, 10);
    let (failed, bet) = futures::future::join(working, betting).await;
    assert!(failed.is_empty());
    bet.unwrap();
    desk.work().await;
    let all_trades = (1..=151).map(|number| format!("trade {number}"));
    let expected: Vec<_> = std::iter::once("status open".to_owned()).chain(all_trades).collect();
    assert_eq!(told(&desk, &market), expected);
}

#[tokio::test]
async fn webhook_failing_for_days_is_disabled() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let id = create(&desk, &admin, all()).await;
    desk.market(&admin, 1_000).await;
    desk.receivers.answer([500; 10]);
    let mut attempts = 0;
    while shown(&desk, &admin, id).await.status == WebhookStatus::Enabled {
        desk.clock.advance_seconds(86_400 * 3 / 2);
        attempts += desk.work().await.len();
        assert!(attempts <= 10, "it is not disabled");
    }
    assert_eq!(attempts, 10);
    assert_eq!(desk.jobs(JobState::Dead).await.len(), 1);
    let missed = desk.market(&admin, 1_000).await;
    let change = WebhookChange { status: Some(WebhookStatus::Enabled), ..WebhookChange::default() };
    let enabled = desk.app.change_webhook(&admin, id, change).await.unwrap();
    assert_eq!((enabled.status, enabled.failing), (WebhookStatus::Enabled, None));
    let market = desk.market(&admin, 1_000).await;
    assert!(desk.work().await.is_empty());
    assert_eq!((told(&desk, &missed).len(), told(&desk, &market)), (0, vec!["status open".to_owned()]));
}

#[tokio::test]
async fn response_gone_disables_webhook() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let id = create(&desk, &admin, all()).await;
    desk.market(&admin, 1_000).await;
    desk.market(&admin, 1_000).await;
    desk.receivers.answer([410]);
    desk.work().await;
    assert_eq!(shown(&desk, &admin, id).await.status, WebhookStatus::Disabled);
    desk.clock.advance_seconds(86_400);
    desk.work().await;
    assert!(desk.receivers.sent().is_empty());
}

#[tokio::test]
async fn replaced_secret_signs_for_a_day() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let id = create(&desk, &admin, all()).await;
    let first = shown(&desk, &admin, id).await.secret;
    let second = desk.app.rotate_webhook_secret(&admin, id).await.unwrap().secret;
    assert_ne!(first, second);
    for (seconds, expected) in [(0, vec![second, first]), (86_400, vec![second])] {
        desk.clock.advance_seconds(seconds);
        desk.app.test_webhook(&admin, id).await.unwrap().unwrap();
        assert_eq!(desk.receivers.sent().last().unwrap().secrets, expected);
    }
}

#[tokio::test]
async fn webhook_requires_admin_and_allowed_address() {
    let desk = Desk::open().await;
    let (admin, moderator) = (desk.admin().await, desk.moderator().await);
    let id = create(&desk, &admin, all()).await;
    let new = |url: &str| NewWebhook { url: WebhookUrl::new(url).unwrap(), events: all() };
    for denied in [
        desk.app.create_webhook(&moderator, new("https://example.org/")).await.map(drop),
        desk.app.get_webhook(&moderator, id).await.map(drop),
        desk.app.rotate_webhook_secret(&moderator, id).await.map(drop),
        desk.app.change_webhook(&moderator, id, WebhookChange::default()).await.map(drop),
        desk.app.test_webhook(&moderator, id).await.map(drop),
        desk.app.delete_webhook(&moderator, id).await,
    ] {
        assert!(matches!(denied, Err(AppError::Refused(DomainError::Denied(_)))), "{denied:?}");
    }
    let refused = desk.app.create_webhook(&admin, new("http://example.org/")).await.map(drop);
    let forbidden = DomainError::Webhook(WebhookError::ForbiddenAddress);
    assert!(matches!(refused, Err(AppError::Refused(refusal)) if refusal == forbidden), "{refused:?}");
    for _ in 1..20 {
        create(&desk, &admin, all()).await;
    }
    let many = desk.app.create_webhook(&admin, new("https://example.org/")).await.map(drop);
    assert!(
        matches!(many, Err(AppError::Refused(DomainError::Webhook(WebhookError::TooMany { max: 20 })))),
        "{many:?}"
    );
}
