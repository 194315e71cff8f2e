//! The table `sessions`.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use foretell_domain::id::{SessionId, UserId};
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::secret::TokenHash;
use foretell_ports::user::{Session, SessionDetails};

use crate::connection::{Connection, on};
use crate::error::{Failure, StoredRow};
use crate::id::{DbId, Id};
use crate::prepared::prepared;
use crate::schema::{accounts, sessions, users};
use crate::unreadable_rows::load_page;
use crate::user::user_rows::UserRow;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionRow {
    pub(crate) id: DbId,
    user_id: DbId,
    token_hash: Vec<u8>,
    created_at_us: i64,
    expires_at_us: i64,
}

impl TryFrom<SessionRow> for Session {
    type Error = Failure;

    fn try_from(row: SessionRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "sessions", id: row.id };
        Ok(Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            token_hash: TokenHash(
                stored.convert("token_hash", row.token_hash.as_slice().try_into())?,
            ),
            created_at: stored.time("created_at_us", row.created_at_us)?,
            expires_at: stored.time("expires_at_us", row.expires_at_us)?,
        })
    }
}

/// Inserts a session.
pub(crate) fn insert(connection: &mut Connection<'_>, session: &Session) -> Result<(), Failure> {
    let row = (
        sessions::id.eq(DbId::from(session.id)),
        sessions::user_id.eq(DbId::from(session.user_id)),
        sessions::token_hash.eq(session.token_hash.0.as_slice()),
        sessions::created_at_us.eq(session.created_at.micros()),
        sessions::expires_at_us.eq(session.expires_at.micros()),
    );
    on!(connection, |c| diesel::insert_into(sessions::table).values(row).execute(c))?;
    Ok(())
}

/// Deletes a session of this user. Returns `true` if it existed.
pub(crate) fn delete(
    connection: &mut Connection<'_>,
    user: UserId,
    session: SessionId,
) -> Result<bool, Failure> {
    // With the user, so that nobody can end the session of another one by its id.
    let row =
        sessions::table.find(DbId::from(session)).filter(sessions::user_id.eq(DbId::from(user)));
    Ok(on!(connection, |c| diesel::delete(row).execute(c))? > 0)
}

/// Deletes all sessions of a user except `kept`, if any, and returns their number.
pub(crate) fn delete_all_of(
    connection: &mut Connection<'_>,
    user: UserId,
    kept: Option<SessionId>,
) -> Result<usize, Failure> {
    let all = sessions::table.filter(sessions::user_id.eq(DbId::from(user)));
    Ok(match kept {
        None => on!(connection, |c| diesel::delete(all).execute(c))?,
        Some(kept) => {
            let others = all.filter(sessions::id.ne(DbId::from(kept)));
            on!(connection, |c| diesel::delete(others).execute(c))?
        }
    })
}

/// Deletes the oldest sessions of a user that end after a time, except the newest `kept`, and
/// returns their number.
pub(crate) fn end_oldest(
    connection: &mut Connection<'_>,
    user: UserId,
    ending_after: Timestamp,
    kept: u32,
) -> Result<usize, Failure> {
    // SQLite accepts an offset only after a limit.
    // Ids begin with the time of their creation, so the newest sessions have the highest.
    const END: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions
        WHERE user_id = ? AND expires_at_us > ? ORDER BY id DESC LIMIT ? OFFSET ?)";
    let end = prepared(END)
        .bind::<Id, _>(DbId::from(user))
        .bind::<BigInt, _>(ending_after.micros())
        .bind::<BigInt, _>(i64::MAX)
        .bind::<BigInt, _>(i64::from(kept));
    Ok(on!(connection, |c| end.execute(c))?)
}

/// Deletes sessions that ended before a time, and returns their number.
pub(crate) fn purge(
    connection: &mut Connection<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    const PURGE: &str = "DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE expires_at_us < ? ORDER BY expires_at_us LIMIT ?)";
    let purge =
        prepared(PURGE).bind::<BigInt, _>(before.micros()).bind::<BigInt, _>(i64::from(limit));
    let deleted = on!(connection, |c| purge.execute(c))?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// Returns a page of a user's sessions that end after a time, newest first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    user: UserId,
    ending_after: Timestamp,
    page: PageRequest<SessionId>,
) -> Result<Vec<Session>, Failure> {
    let load = |page: &PageRequest<SessionId>| {
        Ok(on!(connection, |c| {
            let live = sessions::table
                .filter(sessions::user_id.eq(DbId::from(user)))
                .filter(sessions::expires_at_us.gt(ending_after.micros()))
                .order(sessions::id.desc())
                .limit(page.limit.into())
                .select(SessionRow::as_select());
            match page.start {
                PageStart::First => live.load(c),
                PageStart::Offset(rows) => live.offset(rows).load(c),
                PageStart::After(id) => live.filter(sessions::id.lt(DbId::from(id))).load(c),
            }
        })?)
    };
    load_page(page, load, |row: &SessionRow| row.id.into(), Session::try_from)
}

/// Returns the number of a user's sessions that end after a time.
pub(crate) fn count(
    connection: &mut Connection<'_>,
    user: UserId,
    ending_after: Timestamp,
) -> Result<i64, Failure> {
    Ok(on!(connection, |c| {
        sessions::table
            .filter(sessions::user_id.eq(DbId::from(user)))
            .filter(sessions::expires_at_us.gt(ending_after.micros()))
            .count()
            .get_result(c)
    })?)
}

/// Returns the session with this token, its user and the oldest account, with one statement, since
/// every request needs it.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    token: TokenHash,
) -> Result<Option<SessionDetails>, Failure> {
    let found: Option<(SessionRow, UserRow, DbId)> = on!(connection, |c| {
        sessions::table
            .inner_join(users::table)
            .inner_join(accounts::table.on(accounts::owner_id.eq(users::id.nullable())))
            .filter(sessions::token_hash.eq(token.0.as_slice()))
            .order((accounts::created_at_us, accounts::id))
            .select((SessionRow::as_select(), UserRow::as_select(), accounts::id))
            .first(c)
            .optional()
    })?;
    let details = |(session, user, account_id): (SessionRow, UserRow, DbId)| {
        let (session, user) = (Session::try_from(session)?, User::try_from(user)?);
        Ok(SessionDetails { session, user, account_id: account_id.into() })
    };
    found.map(details).transpose()
}
