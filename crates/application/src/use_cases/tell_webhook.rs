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
use foretell_domain::webhook::{WebhookError, WebhookStatus};
use foretell_ports::error::StoreError;
use foretell_ports::job::{LeasedJob, NewJob};
use foretell_ports::market::MarketDetails;
use foretell_ports::unit::Tx;
use foretell_ports::webhook::{Webhook, WebhookMessage, WebhookPlace, WebhookSecret, WebhookSendError};

use super::lease_jobs::later;
use super::run_job::JobFailure;
use super::stream_market_events::MarketEventId;
use crate::Application;
use crate::error::AppError;
use crate::market_feed::read_bets;
use crate::retry::pause_for;

/// Duration of the lease for each message: longer than any request takes.
const LEASE: Duration = Duration::from_mins(1);

/// A job that delivers events of a market to a webhook.
struct Telling<'a> {
    job: &'a LeasedJob,
    webhook: WebhookId,
    market: MarketId,
    /// `true` if a message has arrived since the job was leased.
    has_told: bool,
}

/// One event, and the cursor after it.
struct News {
    after: WebhookPlace,
    /// `None` if the webhook does not receive this kind of event.
    body: Option<Vec<u8>>,
}

impl Application {
    /// Delivers all events of a market to a webhook, and ends the job.
    pub(super) async fn tell_webhook(
        &self,
        job: &LeasedJob,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<(), JobFailure> {
        let mut telling = Telling { job, webhook, market, has_told: false };
        loop {
            let found = self.ports.webhooks.find_webhook(webhook).await?;
            let enabled = found.filter(|found| found.status == WebhookStatus::Enabled);
            let details = self.ports.markets.find_market(market).await?;
            let place = self.ports.webhooks.webhook_place(webhook, market).await?;
            let (Some(webhook), Some(details), Some(place)) = (enabled, details, place) else {
                return self.drop_telling(&telling).await;
            };
            let news = self.next_news(&webhook, &details, place).await?;
            if news.is_empty() && self.finish_telling(&telling, place).await? {
                return Ok(());
            }
            for news in news {
                if let Err(failure) = self.tell(&mut telling, &webhook, &news).await {
                    return self.fail_telling(&telling, failure).await;
                }
            }
        }
    }

    /// Returns the events after a cursor: some trades, or else the phase.
    async fn next_news(
        &self,
        webhook: &Webhook,
        details: &MarketDetails,
        place: WebhookPlace,
    ) -> Result<Vec<News>, AppError> {
        let record = details.market.record();
        if place.phase.is_none() {
            // The original state of a market is not stored: its opening is sent with the current
            // state, but before all trades.
            let after = WebhookPlace { phase: Some(Phase::Open), ..place };
            return Ok(vec![self.status_news(webhook, details, after)?]);
        }
        if place.sequence < record.bet_count && webhook.events.trades {
            let (bets, end) = read_bets(record.id, place.sequence, details, &*self.ports.markets).await?;
            let write = |bet: Arc<foretell_domain::market::Bet>| {
                let after = WebhookPlace { sequence: bet.fill.sequence, ..place };
                let body = self.ports.webhook_bodies.trade(&bet).ok_or(AppError::Internal("a body"))?;
                Ok(News { after, body: Some(body) })
            };
            let mut news = bets.into_iter().map(write).collect::<Result<Vec<_>, AppError>>()?;
            if news.last().is_none_or(|last| last.after.sequence < end) {
                // The last ones are unreadable.
                news.push(News { after: WebhookPlace { sequence: end, ..place }, body: None });
            }
            return Ok(news);
        }
        let after = WebhookPlace { sequence: record.bet_count, phase: Some(record.phase) };
        if after.phase == place.phase {
            return Ok(if after == place { Vec::new() } else { vec![News { after, body: None }] });
        }
        Ok(vec![self.status_news(webhook, details, after)?])
    }

    fn status_news(
        &self,
        webhook: &Webhook,
        details: &MarketDetails,
        after: WebhookPlace,
    ) -> Result<News, AppError> {
        if !webhook.events.statuses {
            return Ok(News { after, body: None });
        }
        let body = self.ports.webhook_bodies.status(details, self.now());
        Ok(News { after, body: Some(body.ok_or(AppError::Internal("a body"))?) })
    }

    /// Sends one message, and moves the cursor.
    async fn tell(
        &self,
        telling: &mut Telling<'_>,
        webhook: &Webhook,
        news: &News,
    ) -> Result<(), JobFailure> {
        if let Some(body) = &news.body {
            let phase = news.after.phase.unwrap_or(Phase::Open);
            let position = MarketEventId { sequence: news.after.sequence, phase };
            let id = format!("{}-{position}", telling.market);
            let message = WebhookMessage { id, sent_at: self.now(), body: body.clone() };
            self.ports.webhook_sender.send(&webhook.url, &self.secrets(webhook), &message).await?;
            telling.has_told = true;
            if webhook.failing.is_some() {
                self.note_webhook(webhook.id, None).await?;
            }
        }
        let (lease, until) = (telling.job.lease, later(self.now(), LEASE));
        let (webhook, market, after) = (telling.webhook, telling.market, news.after);
        let work = move |tx: &mut dyn Tx| {
            let is_ours = tx.extend_lease(lease, until)?;
            if is_ours {
                tx.move_webhook_place(webhook, market, after)?;
            }
            Ok(is_ours)
        };
        let is_ours = self.ports.units.run("move_webhook_place", work).await?;
        if is_ours { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Returns the signing keys: the current one, and the previous one while it is valid.
    pub(super) fn secrets(&self, webhook: &Webhook) -> Vec<WebhookSecret> {
        let now = self.now();
        let replaced = webhook.replaced.filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        [Some(webhook.secret), replaced].into_iter().flatten().collect()
    }

    /// Ends the job and its cursor, unless new events have happened: the lock on the market
    /// decides.
    async fn finish_telling(&self, telling: &Telling<'_>, place: WebhookPlace) -> Result<bool, JobFailure> {
        let (lease, webhook, market, now) = (telling.job.lease, telling.webhook, telling.market, self.now());
        let work = move |tx: &mut dyn Tx| {
            if let Some(locked) = tx.lock_markets(&BTreeSet::from([market]))?.pop() {
                let record = locked.record();
                if (place.sequence, place.phase) != (record.bet_count, Some(record.phase)) {
                    return Ok(Some(false));
                }
            }
            if !tx.finish_job(lease, now)? {
                return Ok(None);
            }
            tx.delete_webhook_place(webhook, market)?;
            Ok(Some(true))
        };
        self.ports.units.run("finish_telling", work).await?.ok_or(JobFailure::Lost)
    }

    /// Ends the job before all events are sent: the webhook or market was deleted, or the webhook
    /// was disabled.
    async fn drop_telling(&self, telling: &Telling<'_>) -> Result<(), JobFailure> {
        let (lease, webhook, market, now) = (telling.job.lease, telling.webhook, telling.market, self.now());
        let work = move |tx: &mut dyn Tx| {
            // Locked if it exists, so that a concurrent batch cannot rely on the cursor that is
            // being deleted.
            tx.lock_markets(&BTreeSet::from([market]))?;
            let is_ours = tx.finish_job(lease, now)?;
            if is_ours {
                tx.delete_webhook_place(webhook, market)?;
            }
            Ok(is_ours)
        };
        let is_ours = self.ports.units.run("drop_telling", work).await?;
        if is_ours { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Records a failed delivery. After the last attempt, or a response 410, the webhook is
    /// disabled; after a successful message, the next one has all its attempts.
    async fn fail_telling(&self, telling: &Telling<'_>, failure: JobFailure) -> Result<(), JobFailure> {
        let JobFailure::Webhook(error) = failure else { return Err(failure) };
        let failures = if telling.has_told { 1 } else { telling.job.failures.saturating_add(1) };
        let is_over = matches!(error, WebhookSendError::Gone)
            || self.settings.retries.of(JobKind::Webhook).pause_after(failures, 0.5).is_none();
        if is_over {
            tracing::warn!(
                webhook_id = %telling.webhook, %error,
                "webhook disabled after failed deliveries; fix the receiver and enable it again"
            );
            self.disable_failed(telling.webhook, &error.to_string()).await?;
            return Err(error.into());
        }
        self.note_webhook(telling.webhook, Some(error.to_string())).await?;
        let failure = JobFailure::from(error);
        if telling.has_told { self.begin_anew(telling, failure.retry_after()).await } else { Err(failure) }
    }

    /// Ends the job, and adds another one for the remaining events.
    async fn begin_anew(
        &self,
        telling: &Telling<'_>,
        retry_after: Option<Duration>,
    ) -> Result<(), JobFailure> {
        let (lease, now) = (telling.job.lease, self.now());
        let pause = pause_for(self.settings.retries.of(JobKind::Webhook).first_delay, retry_after);
        let id = JobId::from_u128(self.ports.ids.next_id());
        let (task, run_at) = (telling.job.task, later(now, pause));
        let rest = NewJob { id, task, run_at, once: None, created_at: now };
        let work = move |tx: &mut dyn Tx| {
            let is_ours = tx.finish_job(lease, now)?;
            if is_ours {
                tx.add_jobs(std::slice::from_ref(&rest))?;
            }
            Ok(is_ours)
        };
        let is_ours = self.ports.units.run("begin_anew", work).await?;
        if is_ours { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Records the error of the last message, or its success.
    async fn note_webhook(&self, id: WebhookId, failure: Option<String>) -> Result<(), StoreError> {
        let now = self.now();
        let work = move |tx: &mut dyn Tx| {
            let Some(mut webhook) = tx.lock_webhook(id)? else { return Ok(()) };
            let since = webhook.failing.as_ref().map_or(now, |(since, _)| *since);
            webhook.failing = failure.clone().map(|failure| (since, failure));
            tx.save_webhook(&webhook)
        };
        self.ports.units.run("note_webhook", work).await
    }

    async fn disable_failed(&self, id: WebhookId, failure: &str) -> Result<(), StoreError> {
        let (now, failure) = (self.now(), failure.to_owned());
        let work = move |tx: &mut dyn Tx| {
            let Some(mut webhook) = tx.lock_webhook(id)? else { return Ok(()) };
            let since = webhook.failing.as_ref().map_or(now, |(since, _)| *since);
            webhook.failing = Some((since, failure.clone()));
            webhook.status = WebhookStatus::Disabled;
            tx.save_webhook(&webhook)?;
            tx.delete_webhook_places(&webhook)
        };
        self.ports.units.run("disable_webhook", work).await?;
        self.webhook_watch.forget();
        Ok(())
    }
}

impl From<WebhookError> for AppError {
    fn from(refusal: WebhookError) -> Self {
        Self::Refused(refusal.into())
    }
}
