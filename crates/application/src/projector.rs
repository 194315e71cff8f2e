//! Derives from domain events what else must happen: emails, embeddings, closings and webhooks.
//!
//! Use cases only say what has happened. This is the one place that knows who wants to hear of it,
//! and it writes in the unit of work of the change (transactional outbox): a crash can neither lose
//! nor invent a message.

use std::collections::BTreeMap;
use std::sync::Arc;

use foretell_domain::event::DomainEvent;
use foretell_domain::id::{JobId, MarketId};
use foretell_domain::job::JobTask;
use foretell_domain::market::Phase;
use foretell_domain::time::Timestamp;
use foretell_domain::webhook::{WebhookEvent, WebhookEvents};
use foretell_ports::error::StoreError;
use foretell_ports::job::NewJob;
use foretell_ports::system::IdSource;
use foretell_ports::unit::Tx;
use foretell_ports::webhook::{MarketChange, WebhookCursor};

use crate::notifications::webhook_watch::WebhookWatch;

/// Receivers of events that this server has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receivers {
    /// `true` if users get emails.
    pub(crate) emails: bool,
    /// `true` if texts are embedded for the semantic search.
    pub(crate) embeddings: bool,
    /// `true` if there may be an enabled webhook.
    pub(crate) webhooks: bool,
}

/// Knows the receivers of events.
#[derive(Clone)]
pub(crate) struct Projector {
    ids: Arc<dyn IdSource>,
    emails: bool,
    embeddings: bool,
    webhooks: Arc<WebhookWatch>,
}

impl Projector {
    pub(crate) fn new(
        ids: Arc<dyn IdSource>,
        emails: bool,
        embeddings: bool,
        webhooks: Arc<WebhookWatch>,
    ) -> Self {
        Self { ids, emails, embeddings, webhooks }
    }

    /// Prepares the projection of one unit of work. Call it before the unit, which must not wait
    /// for anything but its own statements.
    pub(crate) async fn prepare(&self) -> Projection {
        let receivers = Receivers {
            emails: self.emails,
            embeddings: self.embeddings,
            webhooks: self.webhooks.is_needed().await,
        };
        Projection { ids: Arc::clone(&self.ids), receivers }
    }
}

/// Projects the events of one unit of work.
#[derive(Clone)]
pub(crate) struct Projection {
    ids: Arc<dyn IdSource>,
    receivers: Receivers,
}

impl Projection {
    /// Writes what follows from `events`, which the unit has produced at `now`. Call it after the
    /// changes themselves are written.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub(crate) fn write(
        &self,
        tx: &mut dyn Tx,
        events: &[DomainEvent],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let Effects { tasks, rescheduled, ended, market_changes } =
            Effects::of(events, self.receivers, now);
        let job = |(task, run_at): (JobTask, Timestamp)| NewJob {
            id: JobId::from_u128(self.ids.next_id()),
            task,
            run_at,
            once: task.unique_name(),
            created_at: now,
        };
        if !ended.is_empty() {
            let names: Vec<_> = ended.into_iter().filter_map(JobTask::unique_name).collect();
            tx.delete_named_jobs(&names)?;
        }
        for task in rescheduled {
            tx.schedule_job(&job(task))?;
        }
        let mut jobs: Vec<_> = tasks.into_iter().map(job).collect();
        if !market_changes.is_empty() {
            let cursors = tx.add_webhook_cursors(&market_changes)?;
            let deliveries =
                cursors.into_iter().map(|(webhook, market)| JobTask::Webhook { webhook, market });
            jobs.extend(deliveries.map(|task| job((task, now))));
        }
        if jobs.is_empty() { Ok(()) } else { tx.add_jobs(&jobs).map(drop) }
    }
}

/// What follows from events.
#[derive(Debug, Default, PartialEq)]
struct Effects {
    /// New tasks with the time at which each is due.
    tasks: Vec<(JobTask, Timestamp)>,
    /// Tasks whose time was changed.
    rescheduled: Vec<(JobTask, Timestamp)>,
    /// Tasks that are no longer needed.
    ended: Vec<JobTask>,
    /// Changes that webhooks must receive, at most one for each market.
    market_changes: Vec<MarketChange>,
}

impl Effects {
    fn of(events: &[DomainEvent], receivers: Receivers, now: Timestamp) -> Self {
        let mut effects = Self::default();
        let mut changes = BTreeMap::new();
        for event in events {
            effects.add(event, receivers, now);
            if receivers.webhooks {
                add_change(&mut changes, event);
            }
        }
        effects.market_changes = changes.into_values().collect();
        effects
    }

    fn add(&mut self, event: &DomainEvent, receivers: Receivers, now: Timestamp) {
        let embedding = |task| receivers.embeddings.then_some((task, now));
        match *event {
            DomainEvent::UserRegistered(user) => {
                self.tasks.extend(receivers.emails.then_some((JobTask::WelcomeMail(user), now)));
            }
            DomainEvent::MarketOpened { market, ends_at } => {
                self.tasks.push((JobTask::CloseMarket(market), ends_at));
                self.tasks.extend(embedding(JobTask::EmbedMarket(market)));
            }
            DomainEvent::MarketEdited { market, ends_at } => {
                // A worker that closes the market for the former end date loses its lease, and its
                // command is rejected once this unit has ended.
                let closing = ends_at.map(|ends_at| (JobTask::CloseMarket(market), ends_at));
                self.rescheduled.extend(closing);
                self.tasks.extend(embedding(JobTask::EmbedMarket(market)));
            }
            DomainEvent::MarketDeleted(market) => self.ended.push(JobTask::CloseMarket(market)),
            DomainEvent::HoldersPaid { market, ref users } if receivers.emails => {
                let mail = |user: &_| (JobTask::DecisionMail { market, user: *user }, now);
                self.tasks.extend(users.iter().map(mail));
            }
            DomainEvent::PostWritten(post) => {
                self.tasks.extend(embedding(JobTask::EmbedPost(post)));
            }
            DomainEvent::SharesTraded { .. }
            | DomainEvent::PhaseChanged { .. }
            | DomainEvent::HoldersPaid { .. } => {}
        }
    }
}

/// Adds an event to what webhooks receive of its market. A webhook reads the events from its cursor
/// on, so only the first event of a market decides where that is.
fn add_change(changes: &mut BTreeMap<MarketId, MarketChange>, event: &DomainEvent) {
    let (market_id, before, kind) = match *event {
        DomainEvent::MarketOpened { market, .. } => {
            (market, WebhookCursor { sequence: 0, phase: None }, WebhookEvent::Status)
        }
        DomainEvent::SharesTraded { market, sequence } => {
            let before = WebhookCursor { sequence: sequence - 1, phase: Some(Phase::Open) };
            (market, before, WebhookEvent::Trade)
        }
        DomainEvent::PhaseChanged { market, from, sequence } => {
            (market, WebhookCursor { sequence, phase: Some(from) }, WebhookEvent::Status)
        }
        DomainEvent::MarketDeleted(market) => {
            // Nobody could read its events any more.
            changes.remove(&market);
            return;
        }
        DomainEvent::UserRegistered(_)
        | DomainEvent::MarketEdited { .. }
        | DomainEvent::HoldersPaid { .. }
        | DomainEvent::PostWritten(_) => return,
    };
    let event = WebhookEvents::from(kind);
    let change =
        changes.entry(market_id).or_insert(MarketChange { market_id, before, events: event });
    change.events = change.events.and(event);
}

#[cfg(test)]
mod tests {
    use foretell_domain::id::{PostId, UserId};

    use super::*;

    const MARKET: MarketId = MarketId::from_u128(1);
    const USER: UserId = UserId::from_u128(2);
    const POST: PostId = PostId::from_u128(3);
    const NOW: Timestamp = Timestamp::from_micros(10);
    const END: Timestamp = Timestamp::from_micros(20);
    const ALL: Receivers = Receivers { emails: true, embeddings: true, webhooks: true };
    const NONE: Receivers = Receivers { emails: false, embeddings: false, webhooks: false };

    fn every_event() -> Vec<DomainEvent> {
        vec![
            DomainEvent::UserRegistered(USER),
            DomainEvent::MarketOpened { market: MARKET, ends_at: END },
            DomainEvent::MarketEdited { market: MARKET, ends_at: Some(END) },
            DomainEvent::SharesTraded { market: MARKET, sequence: 1 },
            DomainEvent::PhaseChanged { market: MARKET, from: Phase::Open, sequence: 1 },
            DomainEvent::HoldersPaid { market: MARKET, users: vec![USER] },
            DomainEvent::PostWritten(POST),
        ]
    }

    #[test]
    fn events_reach_all_receivers() {
        let effects = Effects::of(&every_event(), ALL, NOW);
        assert_eq!(
            effects.tasks,
            [
                (JobTask::WelcomeMail(USER), NOW),
                (JobTask::CloseMarket(MARKET), END),
                (JobTask::EmbedMarket(MARKET), NOW),
                (JobTask::EmbedMarket(MARKET), NOW),
                (JobTask::DecisionMail { market: MARKET, user: USER }, NOW),
                (JobTask::EmbedPost(POST), NOW),
            ]
        );
        assert_eq!(effects.rescheduled, [(JobTask::CloseMarket(MARKET), END)]);
        let [change] = effects.market_changes.as_slice() else { panic!("one market") };
        assert_eq!(change.before, WebhookCursor { sequence: 0, phase: None });
        assert_eq!(change.events, WebhookEvents::ALL);
    }

    #[test]
    fn markets_close_without_any_receiver() {
        let effects = Effects::of(&every_event(), NONE, NOW);
        assert_eq!(effects.tasks, [(JobTask::CloseMarket(MARKET), END)]);
        assert_eq!(effects.rescheduled, [(JobTask::CloseMarket(MARKET), END)]);
        assert_eq!(effects.market_changes, []);
    }

    #[test]
    fn first_event_of_market_decides_cursor() {
        let trade = |sequence| DomainEvent::SharesTraded { market: MARKET, sequence };
        let change = DomainEvent::PhaseChanged { market: MARKET, from: Phase::Open, sequence: 8 };
        let cursor = |events: &[DomainEvent]| {
            let effects = Effects::of(events, ALL, NOW);
            effects.market_changes.into_iter().map(|change| change.before).collect::<Vec<_>>()
        };
        let open = |sequence| WebhookCursor { sequence, phase: Some(Phase::Open) };
        assert_eq!(cursor(&[trade(7), trade(8), change.clone()]), [open(6)]);
        assert_eq!(cursor(&[change]), [open(8)]);
    }

    #[test]
    fn deleted_market_ends_its_job_and_tells_nobody() {
        let change = DomainEvent::PhaseChanged { market: MARKET, from: Phase::Open, sequence: 0 };
        let effects = Effects::of(&[change, DomainEvent::MarketDeleted(MARKET)], ALL, NOW);
        let ended = vec![JobTask::CloseMarket(MARKET)];
        assert_eq!(effects, Effects { ended, ..Effects::default() });
    }
}
