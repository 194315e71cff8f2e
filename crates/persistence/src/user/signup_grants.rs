//! The table `signup_grants`.

use diesel::prelude::*;
use foretell_domain::time::Timestamp;
use foretell_ports::grant::EmailHash;

use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::schema::signup_grants;

/// Records an email address unless it is recorded already. Returns `true` if it was new.
pub(crate) fn record_once(
    connection: &mut Connection<'_>,
    email: EmailHash,
    at: Timestamp,
) -> Result<bool, Failure> {
    let row = (
        signup_grants::email_hash.eq(email.0.as_slice()),
        signup_grants::recorded_at_us.eq(at.micros()),
    );
    let insert = diesel::insert_into(signup_grants::table).values(row).on_conflict_do_nothing();
    Ok(on!(connection, |c| insert.execute(c))? == 1)
}
