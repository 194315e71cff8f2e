//! Reads credentials with their users, and locks both if the unit depends on them until it ends.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use foretell_ports::user::CredentialLock;

use super::each;
use crate::connection::Connection;
use crate::id::{DbId, Id};
use crate::prepared::prepared;

/// A credential with the state of its user.
#[derive(QueryableByName)]
pub(crate) struct StateRow {
    #[diesel(sql_type = Id)]
    pub(crate) credential_id: DbId,
    #[diesel(sql_type = Id)]
    pub(crate) user_id: DbId,
    #[diesel(sql_type = Text)]
    pub(crate) role: String,
    #[diesel(sql_type = Text)]
    pub(crate) status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) erased_at_us: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) expires_at_us: Option<i64>,
}

/// Statements of one kind of credential: by one id, by an array of ids, and the latter with locks.
struct Statements {
    one: &'static str,
    many: &'static str,
    /// Locks users before credentials, like every change of both, and users in ascending order of
    /// id. Both are locked, because Postgres rereads only the locked rows after it has waited for
    /// one of them.
    many_locked: &'static str,
    /// Like `many_locked`, with users locked exclusively.
    many_owned: &'static str,
}

macro_rules! statements {
    ($rows:literal, $credentials:literal) => {
        Statements {
            one: concat!($rows, " = ?"),
            many: concat!($rows, " = ANY(?)"),
            many_locked: concat!(
                $rows,
                " = ANY(?) ORDER BY users.id FOR SHARE OF users",
                $credentials
            ),
            many_owned: concat!(
                $rows,
                " = ANY(?) ORDER BY users.id FOR NO KEY UPDATE OF users FOR SHARE OF users",
                $credentials
            ),
        }
    };
}

const SESSIONS: Statements = statements!(
    "SELECT sessions.id AS credential_id, users.id AS user_id, users.role, users.status,
        users.erased_at_us, sessions.expires_at_us
    FROM users JOIN sessions ON sessions.user_id = users.id WHERE sessions.id",
    ", sessions"
);

const API_KEYS: Statements = statements!(
    "SELECT api_keys.id AS credential_id, users.id AS user_id, users.role, users.status,
        users.erased_at_us, api_keys.expires_at_us
    FROM users JOIN api_keys ON api_keys.user_id = users.id WHERE api_keys.id",
    ", api_keys"
);

const USERS: Statements = statements!(
    "SELECT users.id AS credential_id, users.id AS user_id, users.role, users.status,
        users.erased_at_us, NULL AS expires_at_us
    FROM users WHERE users.id",
    ""
);

/// Returns the sessions with these ids.
pub(crate) fn sessions(
    connection: &mut Connection<'_>,
    ids: &[DbId],
    lock: CredentialLock,
) -> QueryResult<Vec<StateRow>> {
    load(connection, &SESSIONS, ids, lock)
}

/// Returns the API keys with these ids.
pub(crate) fn api_keys(
    connection: &mut Connection<'_>,
    ids: &[DbId],
    lock: CredentialLock,
) -> QueryResult<Vec<StateRow>> {
    load(connection, &API_KEYS, ids, lock)
}

/// Returns the users with these ids.
pub(crate) fn users(
    connection: &mut Connection<'_>,
    ids: &[DbId],
    lock: CredentialLock,
) -> QueryResult<Vec<StateRow>> {
    load(connection, &USERS, ids, lock)
}

fn load(
    connection: &mut Connection<'_>,
    statements: &Statements,
    ids: &[DbId],
    lock: CredentialLock,
) -> QueryResult<Vec<StateRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    match connection {
        // SQLite has one writer, which needs no row lock.
        Connection::Sqlite(c) => {
            each(ids, |id| prepared(statements.one).bind::<Id, _>(*id).load(*c))
        }
        Connection::Postgres(c) => {
            let text = match lock {
                CredentialLock::None => statements.many,
                CredentialLock::Shared => statements.many_locked,
                CredentialLock::Exclusive => statements.many_owned,
            };
            prepared(text).bind::<Array<Id>, _>(ids.to_vec()).load(*c)
        }
    }
}
