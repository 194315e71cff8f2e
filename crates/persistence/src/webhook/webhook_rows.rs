//! Rows of the tables `webhooks` and `webhook_places`.

use diesel::prelude::*;
use foretell_domain::market::Phase;
use foretell_domain::webhook::{WebhookEvent, WebhookEvents, WebhookStatus, WebhookUrl};
use foretell_ports::webhook::{Webhook, WebhookCursor, WebhookSecret};

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::{webhook_places, webhooks};

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = webhooks)]
pub(crate) struct WebhookRow {
    pub(crate) id: DbId,
    url: String,
    events: String,
    status: String,
    secret: Vec<u8>,
    replaced_secret: Option<Vec<u8>>,
    replaced_until_us: Option<i64>,
    created_at_us: i64,
    failing_since_us: Option<i64>,
    failure: Option<String>,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = Failure;

    fn try_from(row: WebhookRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "webhooks", id: row.id };
        let replaced =
            row.replaced_secret.map(|secret| secret_of("replaced_secret", &secret, &stored));
        let replaced_until = stored.optional_time("replaced_until_us", row.replaced_until_us)?;
        let failing_since = stored.optional_time("failing_since_us", row.failing_since_us)?;
        Ok(Self {
            id: row.id.into(),
            url: WebhookUrl::restore(row.url),
            events: stored.named("events", events_of(&row.events))?,
            status: stored.named("status", WebhookStatus::from_name(&row.status))?,
            secret: secret_of("secret", &row.secret, &stored)?,
            replaced: replaced.transpose()?.zip(replaced_until),
            created_at: stored.time("created_at_us", row.created_at_us)?,
            failing: failing_since.zip(row.failure),
        })
    }
}

fn secret_of(
    column: &'static str,
    secret: &[u8],
    stored: &StoredRow<DbId>,
) -> Result<WebhookSecret, Failure> {
    Ok(WebhookSecret(stored.convert(column, secret.try_into())?))
}

fn events_of(column: &str) -> Option<WebhookEvents> {
    let events: Option<Vec<_>> = column.split(' ').map(WebhookEvent::from_name).collect();
    WebhookEvents::new(events?)
}

/// Returns the column value of events: their names in a fixed order, separated by spaces.
pub(crate) fn events_column(events: WebhookEvents) -> String {
    events.iter().map(WebhookEvent::as_str).collect::<Vec<_>>().join(" ")
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_places)]
pub(crate) struct CursorRow {
    webhook_id: DbId,
    pub(crate) market_id: DbId,
    sequence: i64,
    phase: Option<String>,
}

impl TryFrom<CursorRow> for WebhookCursor {
    type Error = Failure;

    fn try_from(row: CursorRow) -> Result<Self, Failure> {
        let stored = StoredRow {
            table: "webhook_places",
            id: format_args!("{}, {}", row.webhook_id, row.market_id),
        };
        let phase = row.phase.map(|name| stored.named("phase", Phase::from_name(&name)));
        Ok(Self { sequence: row.sequence, phase: phase.transpose()? })
    }
}

/// A cursor to insert for each enabled webhook with matching events.
pub(crate) struct NewCursorRow {
    pub(crate) market_id: DbId,
    pub(crate) sequence: i64,
    pub(crate) phase: Option<&'static str>,
    /// `LIKE` pattern of the column `events` of such a webhook.
    pub(crate) wanted: &'static str,
}

/// A cursor that was inserted.
#[derive(QueryableByName)]
#[diesel(table_name = webhook_places)]
pub(crate) struct InsertedCursorRow {
    pub(crate) webhook_id: DbId,
    pub(crate) market_id: DbId,
}
