//! Database-specific statements of webhooks: locks, and inserting many cursors at once.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::look_up::LOCK_ROWS;
use super::{column, each};
use crate::connection::Connection;
use crate::id::{DbId, Id};
use crate::prepared::{ended, prepared};
use crate::schema::webhooks;
use crate::webhook::webhook_rows::{InsertedCursorRow, NewCursorRow, WebhookRow};

// In one order, so that concurrent units wait for each other instead of deadlocking.
const INSERT_CURSORS: &str = "INSERT INTO webhook_places (webhook_id, market_id, sequence, phase)
    SELECT webhooks.id, change.market_id, change.sequence, change.phase
    FROM webhooks, unnest(?, ?, ?, ?) AS change (market_id, sequence, phase, wanted)
    WHERE webhooks.status = 'enabled' AND webhooks.events LIKE change.wanted
    ORDER BY change.market_id, webhooks.id
    ON CONFLICT DO NOTHING RETURNING webhook_id, market_id";

// An existing cursor stays: it is older, and its job delivers everything since (ADR 0020).
const INSERT_CURSOR: &str = "INSERT INTO webhook_places (webhook_id, market_id, sequence, phase)
    SELECT id, ?, ?, ? FROM webhooks WHERE status = 'enabled' AND events LIKE ?
    ON CONFLICT DO NOTHING RETURNING webhook_id, market_id";

/// Locks a webhook.
pub(crate) fn lock(connection: &mut Connection<'_>, id: DbId) -> QueryResult<Option<WebhookRow>> {
    let row = webhooks::table.find(id);
    match connection {
        Connection::Sqlite(c) => row.select(WebhookRow::as_select()).first(*c).optional(),
        Connection::Postgres(c) => {
            Ok(ended(row.select(WebhookRow::as_select()), LOCK_ROWS).load(*c)?.pop())
        }
    }
}

/// Prevents other units from inserting webhooks until this one ends; reads continue. `SQLite` has
/// one writer.
pub(crate) fn lock_table(connection: &mut Connection<'_>) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(c) => {
            // Row locks cannot keep other units from inserting rows.
            prepared("LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE").execute(*c).map(drop)
        }
    }
}

/// Inserts missing cursors for the enabled webhooks with matching events, and returns those
/// inserted.
pub(crate) fn insert_places_once(
    connection: &mut Connection<'_>,
    rows: &[NewCursorRow],
) -> QueryResult<Vec<InsertedCursorRow>> {
    match connection {
        Connection::Sqlite(c) => each(rows, |row| {
            prepared(INSERT_CURSOR)
                .bind::<Id, _>(row.market_id)
                .bind::<BigInt, _>(row.sequence)
                .bind::<Nullable<Text>, _>(row.phase)
                .bind::<Text, _>(row.wanted)
                .load(*c)
        }),
        Connection::Postgres(c) => prepared(INSERT_CURSORS)
            .bind::<Array<Id>, _>(column(rows, |row| row.market_id))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.sequence))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.phase))
            .bind::<Array<Text>, _>(column(rows, |row| row.wanted))
            .load(*c),
    }
}
