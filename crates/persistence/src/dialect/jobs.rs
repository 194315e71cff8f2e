//! Database-specific statements of jobs: adding many at once, and leasing without waiting for other
//! workers.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use foretell_ports::job::LeaseRequest;

use super::bulk::bulk_insert;
use super::look_up::LOCK_ROWS;
use super::sum_of;
use crate::connection::Connection;
use crate::id::DbId;
use crate::job::job_rows::{LeasedRow, NewJobRow};
use crate::prepared::{Prepared, ended, prepared};
use crate::schema::jobs;

// `SKIP LOCKED`: two workers that poll at the same time lease different jobs instead of waiting.
// `ARRAY` makes Postgres evaluate the inner query once. A running job that is due has an expired
// lease, which counts as a failure.
// `due_at_us` is the time of a waiting job and the end of a running one's lease, so that one index
// finds both (ADR 0019).
const LEASE_ON_POSTGRES: &str =
    "UPDATE jobs SET state = 'running', due_at_us = ?, leases = leases + 1,
    failures = failures + CASE state WHEN 'running' THEN 1 ELSE 0 END
    WHERE id = ANY (ARRAY(SELECT id FROM jobs WHERE lane = ? AND due_at_us <= ?
    ORDER BY due_at_us, id LIMIT ? FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING id, kind, about_id, concerned_id, leases, failures";

// SQLite has one writer, so no other worker leases at the same time.
const LEASE_ON_SQLITE: &str = "UPDATE jobs
    SET state = 'running', due_at_us = ?, leases = leases + 1,
    failures = failures + CASE state WHEN 'running' THEN 1 ELSE 0 END
    WHERE id IN (SELECT id FROM jobs WHERE lane = ? AND due_at_us <= ?
    ORDER BY due_at_us, id LIMIT ?)
    RETURNING id, kind, about_id, concerned_id, leases, failures";

/// Adds jobs, except those whose unique name exists, and returns the number added.
pub(crate) fn insert_once(
    connection: &mut Connection<'_>,
    rows: &[NewJobRow<'_>],
) -> QueryResult<usize> {
    bulk_insert!(
        connection,
        rows,
        jobs(
            id,
            kind,
            lane,
            about_id,
            concerned_id,
            state,
            due_at_us,
            leases,
            failures,
            once,
            created_at_us,
        ),
        or_nothing_on once
    )
}

/// Deletes the jobs with these names and returns their number.
pub(crate) fn delete_named(
    connection: &mut Connection<'_>,
    names: &[String],
) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sum_of(names, |name| {
            prepared("DELETE FROM jobs WHERE once = ?").bind::<Text, _>(name.as_str()).execute(*c)
        }),
        Connection::Postgres(c) => prepared("DELETE FROM jobs WHERE once = ANY(?)")
            .bind::<Array<Text>, _>(names)
            .execute(*c),
    }
}

/// Leases due jobs, the longest due first.
pub(crate) fn lease(
    connection: &mut Connection<'_>,
    request: &LeaseRequest,
) -> QueryResult<Vec<LeasedRow>> {
    macro_rules! bound {
        ($text:expr) => {{
            let statement: Prepared<()> = prepared($text);
            statement
                .bind::<BigInt, _>(request.until.micros())
                .bind::<Text, _>(request.lane.as_str())
                .bind::<BigInt, _>(request.now.micros())
                .bind::<BigInt, _>(i64::from(request.limit))
        }};
    }
    match connection {
        Connection::Sqlite(c) => bound!(LEASE_ON_SQLITE).load(*c),
        Connection::Postgres(c) => bound!(LEASE_ON_POSTGRES).load(*c),
    }
}

/// Locks a job, if it exists.
pub(crate) fn lock(connection: &mut Connection<'_>, id: DbId) -> QueryResult<()> {
    // SQLite has one writer, which needs no row lock.
    if let Connection::Postgres(c) = connection {
        let row = jobs::table.find(id).select(jobs::id);
        ended(row, LOCK_ROWS).load::<DbId>(*c)?;
    }
    Ok(())
}
