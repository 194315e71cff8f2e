//! Credentials with the state of their users, as authorization inside a unit of work reads them.

use std::collections::BTreeSet;

use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;
use foretell_ports::user::{CredentialId, CredentialLock, CredentialState};

use crate::connection::Connection;
use crate::dialect::credentials::{self, StateRow};
use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::users::status_of;

/// Finds those of the credentials that exist.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    wanted: &BTreeSet<CredentialId>,
    lock: CredentialLock,
) -> Result<Vec<CredentialState>, Failure> {
    let (mut sessions, mut keys, mut users) = (Vec::new(), Vec::new(), Vec::new());
    for credential in wanted {
        match credential {
            CredentialId::Session(id) => sessions.push(DbId::from(*id)),
            CredentialId::ApiKey(id) => keys.push(DbId::from(*id)),
            CredentialId::User(id) => users.push(DbId::from(*id)),
        }
    }
    let mut states = Vec::with_capacity(wanted.len());
    for row in credentials::sessions(connection, &sessions, lock)? {
        states.push(state(CredentialId::Session(row.credential_id.into()), &row)?);
    }
    for row in credentials::api_keys(connection, &keys, lock)? {
        states.push(state(CredentialId::ApiKey(row.credential_id.into()), &row)?);
    }
    for row in credentials::users(connection, &users, lock)? {
        states.push(state(CredentialId::User(row.credential_id.into()), &row)?);
    }
    Ok(states)
}

fn state(credential: CredentialId, row: &StateRow) -> Result<CredentialState, Failure> {
    let stored = StoredRow { table: "users", id: row.user_id };
    Ok(CredentialState {
        credential,
        user_id: row.user_id.into(),
        role: stored.named("role", Role::from_name(&row.role))?,
        status: stored.named("status", status_of(&row.status, row.erased_at_us))?,
        expires_at: row.expires_at_us.map(Timestamp::from_micros),
    })
}
