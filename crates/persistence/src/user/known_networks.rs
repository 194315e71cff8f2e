//! The table `known_networks`.

use std::net::IpAddr;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use foretell_domain::id::UserId;
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_ports::known_network::KnownNetwork;

use crate::connection::{Connection, on};
use crate::error::{Failure, StoredRow};
use crate::id::{DbId, Id};
use crate::prepared::prepared;
use crate::schema::{known_networks, users};
use crate::unreadable_rows::skip_unreadable;

#[derive(Queryable, Selectable)]
#[diesel(table_name = known_networks)]
pub(crate) struct KnownNetworkRow {
    user_id: DbId,
    network: String,
    last_used_at_us: i64,
}

impl TryFrom<KnownNetworkRow> for KnownNetwork {
    type Error = Failure;

    fn try_from(row: KnownNetworkRow) -> Result<Self, Failure> {
        let stored = StoredRow {
            table: "known_networks",
            id: format_args!("{}, {}", row.user_id, row.network),
        };
        Ok(Self {
            network: stored.convert("network", row.network.parse())?,
            last_used_at: stored.time("last_used_at_us", row.last_used_at_us)?,
        })
    }
}

/// Inserts a network of a user, or updates the time of its last use, and deletes the user's least
/// recently used networks beyond `max`.
pub(crate) fn record(
    connection: &mut Connection<'_>,
    user: UserId,
    known: KnownNetwork,
    max: u32,
) -> Result<(), Failure> {
    const RECORD: &str =
        "INSERT INTO known_networks (user_id, network, last_used_at_us) VALUES (?, ?, ?)
        ON CONFLICT (user_id, network) DO UPDATE SET last_used_at_us = excluded.last_used_at_us";
    const TRIM: &str = "DELETE FROM known_networks WHERE user_id = ? AND network NOT IN (
        SELECT network FROM known_networks WHERE user_id = ?
        ORDER BY last_used_at_us DESC, network LIMIT ?)";
    // Networks are compared as text: the standard library writes each address in one way only.
    let user = DbId::from(user);
    let record = prepared(RECORD)
        .bind::<Id, _>(user)
        .bind::<Text, _>(known.network.to_string())
        .bind::<BigInt, _>(known.last_used_at.micros());
    on!(connection, |c| record.execute(c))?;
    // The network just recorded is the most recently used one, so it stays.
    let trim =
        prepared(TRIM).bind::<Id, _>(user).bind::<Id, _>(user).bind::<BigInt, _>(i64::from(max));
    on!(connection, |c| trim.execute(c))?;
    Ok(())
}

/// Deletes all networks of a user except `kept`, if any, and returns their number.
pub(crate) fn delete_all_of(
    connection: &mut Connection<'_>,
    user: UserId,
    kept: Option<IpAddr>,
) -> Result<usize, Failure> {
    let all = known_networks::table.filter(known_networks::user_id.eq(DbId::from(user)));
    Ok(match kept {
        None => on!(connection, |c| diesel::delete(all).execute(c))?,
        Some(kept) => {
            let others = all.filter(known_networks::network.ne(kept.to_string()));
            on!(connection, |c| diesel::delete(others).execute(c))?
        }
    })
}

/// Deletes networks that were last used before a time, the least recently used first, and returns
/// their number.
pub(crate) fn purge(
    connection: &mut Connection<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    const PURGE: &str = "DELETE FROM known_networks WHERE (user_id, network) IN (
        SELECT user_id, network FROM known_networks WHERE last_used_at_us < ?
        ORDER BY last_used_at_us LIMIT ?)";
    let purge =
        prepared(PURGE).bind::<BigInt, _>(before.micros()).bind::<BigInt, _>(i64::from(limit));
    let deleted = on!(connection, |c| purge.execute(c))?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// Returns the time when the user with this email address last signed in from a network.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    email: &Email,
    network: IpAddr,
) -> Result<Option<Timestamp>, Failure> {
    let row: Option<KnownNetworkRow> = on!(connection, |c| {
        known_networks::table
            .inner_join(users::table)
            .filter(users::email.eq(email.as_str()))
            .filter(known_networks::network.eq(network.to_string()))
            .select(KnownNetworkRow::as_select())
            .first(c)
            .optional()
    })?;
    // An unreadable row counts as absent: it must not keep its user from signing in.
    let known = skip_unreadable(row.map(KnownNetwork::try_from))?;
    Ok(known.first().map(|known| known.last_used_at))
}

/// Returns all networks of a user, the most recently used first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    user: UserId,
) -> Result<Vec<KnownNetwork>, Failure> {
    let rows: Vec<KnownNetworkRow> = on!(connection, |c| {
        known_networks::table
            .filter(known_networks::user_id.eq(DbId::from(user)))
            .order((known_networks::last_used_at_us.desc(), known_networks::network))
            .select(KnownNetworkRow::as_select())
            .load(c)
    })?;
    skip_unreadable(rows.into_iter().map(KnownNetwork::try_from))
}
