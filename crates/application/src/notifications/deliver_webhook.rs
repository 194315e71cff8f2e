//! Delivers the events of a market to a webhook: in the order of the market, each until it has
//! arrived.
//!
//! Events are read from the bets and the market, after the webhook's cursor. Only one job at a time
//! moves the cursor, since a job exists exactly as long as the cursor does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::id::{JobId, MarketId, WebhookId};
use foretell_domain::job::JobKind;
use foretell_domain::market::Phase;
use foretell_domain::webhook::{WebhookEvent, WebhookStatus};
use foretell_ports::error::StoreError;
use foretell_ports::job::{LeasedJob, NewJob};
use foretell_ports::market::MarketDetails;
use foretell_ports::unit::Tx;
use foretell_ports::webhook::{
    Webhook, WebhookCursor, WebhookMessage, WebhookSecret, WebhookSendError,
};

use super::Notifications;
use crate::error::AppError;
use crate::jobs::retry::pause_for;
use crate::jobs::run_job::JobFailure;
use crate::markets::market_feed::read_bets;
use crate::markets::stream_market_events::MarketEventId;

/// Duration of the lease for each message: longer than any request takes.
const LEASE: Duration = Duration::from_mins(1);

/// A job that delivers events of a market to a webhook.
struct Delivery<'a> {
    job: &'a LeasedJob,
    webhook: WebhookId,
    market: MarketId,
    /// `true` if a message has arrived since the job was leased.
    has_delivered: bool,
}

/// One event, and the cursor after it.
struct Step {
    after: WebhookCursor,
    /// `None` if the webhook does not receive this kind of event.
    body: Option<Vec<u8>>,
}

impl Notifications {
    /// Delivers all events of a market to a webhook, and ends the job.
    pub(crate) async fn deliver_webhook(
        &self,
        job: &LeasedJob,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<(), JobFailure> {
        let mut delivery = Delivery { job, webhook, market, has_delivered: false };
        loop {
            let found = self.webhooks.find_webhook(webhook).await?;
            let enabled = found.filter(|found| found.status == WebhookStatus::Enabled);
            let details = self.markets.find_market(market).await?;
            let cursor = self.webhooks.webhook_cursor(webhook, market).await?;
            let (Some(webhook), Some(details), Some(cursor)) = (enabled, details, cursor) else {
                return self.drop_delivery(&delivery).await;
            };
            let steps = self.next_steps(&webhook, &details, cursor).await?;
            if steps.is_empty() && self.finish_delivery(&delivery, cursor).await? {
                return Ok(());
            }
            for step in steps {
                if let Err(failure) = self.deliver(&mut delivery, &webhook, &step).await {
                    return self.fail_delivery(&delivery, failure).await;
                }
            }
        }
    }

    /// Returns the events after a cursor: some trades, or else the phase.
    async fn next_steps(
        &self,
        webhook: &Webhook,
        details: &MarketDetails,
        cursor: WebhookCursor,
    ) -> Result<Vec<Step>, AppError> {
        let record = details.market.record();
        if cursor.phase.is_none() {
            // The original state of a market is not stored: its opening is sent with the current
            // state, but before all trades.
            let after = WebhookCursor { phase: Some(Phase::Open), ..cursor };
            return Ok(vec![self.status_step(webhook, details, after)?]);
        }
        if cursor.sequence < record.bet_count && webhook.events.contains(WebhookEvent::Trade) {
            let (bets, end) =
                read_bets(record.id, cursor.sequence, details, &*self.markets).await?;
            let write = |bet: Arc<foretell_domain::market::Bet>| {
                let after = WebhookCursor { sequence: bet.fill.sequence, ..cursor };
                let body = self.webhook_bodies.trade(&bet).ok_or(AppError::Internal("a body"))?;
                Ok(Step { after, body: Some(body) })
            };
            let mut steps = bets.into_iter().map(write).collect::<Result<Vec<_>, AppError>>()?;
            if steps.last().is_none_or(|last| last.after.sequence < end) {
                // The last ones are unreadable.
                steps.push(Step { after: WebhookCursor { sequence: end, ..cursor }, body: None });
            }
            return Ok(steps);
        }
        let after = WebhookCursor { sequence: record.bet_count, phase: Some(record.phase) };
        if after.phase == cursor.phase {
            return Ok(if after == cursor { Vec::new() } else { vec![Step { after, body: None }] });
        }
        Ok(vec![self.status_step(webhook, details, after)?])
    }

    fn status_step(
        &self,
        webhook: &Webhook,
        details: &MarketDetails,
        after: WebhookCursor,
    ) -> Result<Step, AppError> {
        if !webhook.events.contains(WebhookEvent::Status) {
            return Ok(Step { after, body: None });
        }
        let body = self.webhook_bodies.status(details, self.context.now());
        Ok(Step { after, body: Some(body.ok_or(AppError::Internal("a body"))?) })
    }

    /// Sends one message, and moves the cursor.
    async fn deliver(
        &self,
        delivery: &mut Delivery<'_>,
        webhook: &Webhook,
        step: &Step,
    ) -> Result<(), JobFailure> {
        if let Some(body) = &step.body {
            let phase = step.after.phase.unwrap_or(Phase::Open);
            let event = MarketEventId { sequence: step.after.sequence, phase, revision: 1 };
            let id = format!("{}-{event}", delivery.market);
            let message = WebhookMessage { id, sent_at: self.context.now(), body: body.clone() };
            self.webhook_sender.send(&webhook.url, &self.secrets(webhook), &message).await?;
            delivery.has_delivered = true;
            if webhook.failing.is_some() {
                self.record_webhook_result(webhook.id, None).await?;
            }
        }
        let (lease, until) = (delivery.job.lease, self.context.now().plus(LEASE));
        let (webhook, market, after) = (delivery.webhook, delivery.market, step.after);
        let work = move |tx: &mut dyn Tx| {
            let is_ours = tx.extend_lease(lease, until)?;
            if is_ours {
                tx.move_webhook_cursor(webhook, market, after)?;
            }
            Ok(is_ours)
        };
        let is_ours = self.context.units.run("move_webhook_cursor", work).await?;
        if is_ours { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Returns the signing keys: the current one, and the previous one while it is valid.
    pub(super) fn secrets(&self, webhook: &Webhook) -> Vec<WebhookSecret> {
        let now = self.context.now();
        let replaced = webhook.replaced.filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        [Some(webhook.secret), replaced].into_iter().flatten().collect()
    }

    /// Ends the job and its cursor, unless new events have happened: the lock on the market
    /// decides.
    async fn finish_delivery(
        &self,
        delivery: &Delivery<'_>,
        cursor: WebhookCursor,
    ) -> Result<bool, JobFailure> {
        let (lease, webhook, market, now) =
            (delivery.job.lease, delivery.webhook, delivery.market, self.context.now());
        let work = move |tx: &mut dyn Tx| {
            if let Some(locked) = tx.lock_markets(&BTreeSet::from([market]))?.pop() {
                let record = locked.record();
                if (cursor.sequence, cursor.phase) != (record.bet_count, Some(record.phase)) {
                    return Ok(Some(false));
                }
            }
            if !tx.finish_job(lease, now)? {
                return Ok(None);
            }
            tx.delete_webhook_cursor(webhook, market)?;
            Ok(Some(true))
        };
        self.context.units.run("finish_delivery", work).await?.ok_or(JobFailure::Lost)
    }

    /// Ends the job before all events are sent: the webhook or market was deleted, or the webhook
    /// was disabled.
    async fn drop_delivery(&self, delivery: &Delivery<'_>) -> Result<(), JobFailure> {
        let (lease, webhook, market, now) =
            (delivery.job.lease, delivery.webhook, delivery.market, self.context.now());
        let work = move |tx: &mut dyn Tx| {
            // Locked if it exists, so that a concurrent batch cannot rely on the cursor that is
            // being deleted.
            tx.lock_markets(&BTreeSet::from([market]))?;
            let is_ours = tx.finish_job(lease, now)?;
            if is_ours {
                tx.delete_webhook_cursor(webhook, market)?;
            }
            Ok(is_ours)
        };
        let is_ours = self.context.units.run("drop_delivery", work).await?;
        if is_ours { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Records a failed delivery. After the last attempt, or a response 410, the webhook is
    /// disabled; after a successful message, the next one has all its attempts.
    async fn fail_delivery(
        &self,
        delivery: &Delivery<'_>,
        failure: JobFailure,
    ) -> Result<(), JobFailure> {
        let JobFailure::Webhook(error) = failure else { return Err(failure) };
        let failures =
            if delivery.has_delivered { 1 } else { delivery.job.failures.saturating_add(1) };
        let is_over = matches!(error, WebhookSendError::Gone)
            || self.retries.of(JobKind::Webhook).pause_after(failures, 0.5).is_none();
        if is_over {
            tracing::warn!(
                webhook_id = %delivery.webhook, %error,
                "webhook disabled after failed deliveries; fix the receiver and enable it again"
            );
            self.disable_failed(delivery.webhook, &error.to_string()).await?;
            return Err(error.into());
        }
        self.record_webhook_result(delivery.webhook, Some(error.to_string())).await?;
        let failure = JobFailure::from(error);
        if delivery.has_delivered {
            self.restart_delivery(delivery, failure.retry_after()).await
        } else {
            Err(failure)
        }
    }

    /// Ends the job, and adds another one for the remaining events.
    async fn restart_delivery(
        &self,
        delivery: &Delivery<'_>,
        retry_after: Option<Duration>,
    ) -> Result<(), JobFailure> {
        let (lease, now) = (delivery.job.lease, self.context.now());
        let pause = pause_for(self.retries.of(JobKind::Webhook).first_delay, retry_after);
        let id = JobId::from_u128(self.context.next_id());
        let (task, run_at) = (delivery.job.task, now.plus(pause));
        let rest = NewJob { id, task, run_at, once: None, created_at: now };
        let work = move |tx: &mut dyn Tx| {
            let is_ours = tx.finish_job(lease, now)?;
            if is_ours {
                tx.add_jobs(std::slice::from_ref(&rest))?;
            }
            Ok(is_ours)
        };
        let is_ours = self.context.units.run("restart_delivery", work).await?;
        if is_ours { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Records the error of the last message, or its success.
    async fn record_webhook_result(
        &self,
        id: WebhookId,
        failure: Option<String>,
    ) -> Result<(), StoreError> {
        let now = self.context.now();
        let work = move |tx: &mut dyn Tx| {
            let Some(mut webhook) = tx.lock_webhook(id)? else { return Ok(()) };
            let since = webhook.failing.as_ref().map_or(now, |(since, _)| *since);
            webhook.failing = failure.clone().map(|failure| (since, failure));
            tx.save_webhook(&webhook)
        };
        self.context.units.run("record_webhook_result", work).await
    }

    async fn disable_failed(&self, id: WebhookId, failure: &str) -> Result<(), StoreError> {
        let (now, failure) = (self.context.now(), failure.to_owned());
        let work = move |tx: &mut dyn Tx| {
            let Some(mut webhook) = tx.lock_webhook(id)? else { return Ok(()) };
            let since = webhook.failing.as_ref().map_or(now, |(since, _)| *since);
            webhook.failing = Some((since, failure.clone()));
            webhook.status = WebhookStatus::Disabled;
            tx.save_webhook(&webhook)?;
            tx.delete_webhook_cursors(&webhook)
        };
        self.context.units.run("disable_webhook", work).await?;
        self.webhook_watch.forget();
        Ok(())
    }
}
