//! Database-specific statements of invitations: locks.

use diesel::prelude::*;

use super::look_up::LOCK_ROWS;
use crate::connection::Connection;
use crate::id::DbId;
use crate::prepared::ended;
use crate::schema::invitations;
use crate::user::invitations::InvitationRow;

/// Locks an invitation.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    id: DbId,
) -> QueryResult<Option<InvitationRow>> {
    let row = invitations::table.find(id);
    match connection {
        // SQLite has one writer, which needs no row lock.
        Connection::Sqlite(c) => row.select(InvitationRow::as_select()).first(*c).optional(),
        Connection::Postgres(c) => {
            Ok(ended(row.select(InvitationRow::as_select()), LOCK_ROWS).load(*c)?.pop())
        }
    }
}
