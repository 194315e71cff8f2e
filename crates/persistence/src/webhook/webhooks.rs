//! The tables `webhooks` and `webhook_places`.

use diesel::prelude::*;
use foretell_domain::id::{MarketId, WebhookId};
use foretell_domain::market::Phase;
use foretell_domain::webhook::{WebhookEvent, WebhookStatus};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::webhook::{MarketChange, Webhook, WebhookCursor};

use crate::connection::{Connection, on};
use crate::dialect;
use crate::error::{Failure, expect_saved};
use crate::id::DbId;
use crate::schema::{webhook_places, webhooks};
use crate::unreadable_rows::load_page;
use crate::webhook::webhook_rows::{CursorRow, NewCursorRow, WebhookRow, events_column};

/// Returns the number of webhooks; no other unit can insert one until this one ends.
pub(crate) fn lock_and_count(connection: &mut Connection<'_>) -> Result<i64, Failure> {
    dialect::webhooks::lock_table(connection)?;
    count(connection)
}

/// Returns the number of webhooks.
pub(crate) fn count(connection: &mut Connection<'_>) -> Result<i64, Failure> {
    Ok(on!(connection, |c| webhooks::table.count().get_result(c))?)
}

/// Inserts a webhook.
pub(crate) fn insert(connection: &mut Connection<'_>, webhook: &Webhook) -> Result<(), Failure> {
    let row = (
        webhooks::id.eq(DbId::from(webhook.id)),
        webhooks::created_at_us.eq(webhook.created_at.micros()),
        changeable(webhook),
    );
    on!(connection, |c| diesel::insert_into(webhooks::table).values(row).execute(c))?;
    Ok(())
}

/// Mutable columns of a webhook.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
struct ChangeableRow<'a> {
    url: &'a str,
    events: String,
    status: &'static str,
    secret: &'a [u8],
    replaced_secret: Option<Vec<u8>>,
    replaced_until_us: Option<i64>,
    failing_since_us: Option<i64>,
    failure: Option<String>,
}

fn changeable(webhook: &Webhook) -> ChangeableRow<'_> {
    ChangeableRow {
        url: webhook.url.as_str(),
        events: events_column(webhook.events),
        status: webhook.status.as_str(),
        secret: &webhook.secret.0,
        replaced_secret: webhook.replaced.map(|(secret, _)| secret.0.to_vec()),
        replaced_until_us: webhook.replaced.map(|(_, until)| until.micros()),
        failing_since_us: webhook.failing.as_ref().map(|(since, _)| since.micros()),
        failure: webhook.failing.as_ref().map(|(_, failure)| failure.clone()),
    }
}

/// Locks a webhook.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    id: WebhookId,
) -> Result<Option<Webhook>, Failure> {
    dialect::webhooks::lock(connection, id.into())?.map(Webhook::try_from).transpose()
}

/// Saves the mutable columns of a webhook.
pub(crate) fn save(connection: &mut Connection<'_>, webhook: &Webhook) -> Result<(), Failure> {
    let update =
        diesel::update(webhooks::table.find(DbId::from(webhook.id))).set(changeable(webhook));
    expect_saved("webhooks", 1, on!(connection, |c| update.execute(c))?)
}

/// Deletes a webhook with its cursors. Returns `true` if it existed.
pub(crate) fn delete(connection: &mut Connection<'_>, id: WebhookId) -> Result<bool, Failure> {
    let row = webhooks::table.find(DbId::from(id));
    Ok(on!(connection, |c| diesel::delete(row).execute(c))? > 0)
}

/// Returns the webhook with this id.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    id: WebhookId,
) -> Result<Option<Webhook>, Failure> {
    let row: Option<WebhookRow> = on!(connection, |c| {
        webhooks::table.find(DbId::from(id)).select(WebhookRow::as_select()).first(c).optional()
    })?;
    row.map(Webhook::try_from).transpose()
}

/// Returns a page of all webhooks, newest first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    page: PageRequest<WebhookId>,
) -> Result<Vec<Webhook>, Failure> {
    let load = |page: &PageRequest<WebhookId>| {
        Ok(on!(connection, |c| {
            let all = webhooks::table
                .order(webhooks::id.desc())
                .limit(page.limit.into())
                .select(WebhookRow::as_select());
            match page.start {
                PageStart::First => all.load(c),
                PageStart::Offset(rows) => all.offset(rows).load(c),
                PageStart::After(id) => all.filter(webhooks::id.lt(DbId::from(id))).load(c),
            }
        })?)
    };
    load_page(page, load, |row: &WebhookRow| row.id.into(), Webhook::try_from)
}

/// Returns `true` if any webhook is enabled.
pub(crate) fn has_enabled(connection: &mut Connection<'_>) -> Result<bool, Failure> {
    let enabled = webhooks::table.filter(webhooks::status.eq(WebhookStatus::Enabled.as_str()));
    let first: Option<DbId> =
        on!(connection, |c| enabled.select(webhooks::id).first(c).optional())?;
    Ok(first.is_some())
}

/// Inserts missing cursors, and returns those inserted.
pub(crate) fn add_cursors(
    connection: &mut Connection<'_>,
    changes: &[MarketChange],
) -> Result<Vec<(WebhookId, MarketId)>, Failure> {
    let mut rows: Vec<_> = changes.iter().map(new_cursor).collect();
    rows.sort_by_key(|row| row.market_id);
    let made = dialect::webhooks::insert_places_once(connection, &rows)?;
    Ok(made.into_iter().map(|row| (row.webhook_id.into(), row.market_id.into())).collect())
}

fn new_cursor(change: &MarketChange) -> NewCursorRow {
    // The column has the names in a fixed order: see `events_column`.
    let has = |event| change.events.contains(event);
    let wanted = match (has(WebhookEvent::Trade), has(WebhookEvent::Status)) {
        (true, true) => "%",
        (true, false) => "market.trade%",
        (false, _) => "%market.status",
    };
    let WebhookCursor { sequence, phase } = change.before;
    NewCursorRow {
        market_id: change.market_id.into(),
        sequence,
        phase: phase.map(Phase::as_str),
        wanted,
    }
}

/// Returns the cursor of a webhook in a market.
pub(crate) fn find_cursor(
    connection: &mut Connection<'_>,
    webhook: WebhookId,
    market: MarketId,
) -> Result<Option<WebhookCursor>, Failure> {
    let key = (DbId::from(webhook), DbId::from(market));
    let row: Option<CursorRow> = on!(connection, |c| {
        webhook_places::table.find(key).select(CursorRow::as_select()).first(c).optional()
    })?;
    row.map(WebhookCursor::try_from).transpose()
}

/// Moves the cursor of a webhook in a market, if it exists.
pub(crate) fn move_cursor(
    connection: &mut Connection<'_>,
    webhook: WebhookId,
    market: MarketId,
    cursor: WebhookCursor,
) -> Result<(), Failure> {
    let key = (DbId::from(webhook), DbId::from(market));
    // A missing row is no error: the webhook may have been deleted or disabled meanwhile.
    let update = diesel::update(webhook_places::table.find(key)).set((
        webhook_places::sequence.eq(cursor.sequence),
        webhook_places::phase.eq(cursor.phase.map(Phase::as_str)),
    ));
    on!(connection, |c| update.execute(c))?;
    Ok(())
}

/// Deletes the cursor of a webhook in a market, if it exists.
pub(crate) fn delete_cursor(
    connection: &mut Connection<'_>,
    webhook: WebhookId,
    market: MarketId,
) -> Result<(), Failure> {
    let row = webhook_places::table.find((DbId::from(webhook), DbId::from(market)));
    on!(connection, |c| diesel::delete(row).execute(c))?;
    Ok(())
}

/// Deletes all cursors of a webhook.
pub(crate) fn delete_cursors(
    connection: &mut Connection<'_>,
    webhook: WebhookId,
) -> Result<(), Failure> {
    let rows = webhook_places::table.filter(webhook_places::webhook_id.eq(DbId::from(webhook)));
    on!(connection, |c| diesel::delete(rows).execute(c))?;
    Ok(())
}
