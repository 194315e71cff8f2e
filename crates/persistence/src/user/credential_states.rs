//! Credentials with the state of their users, for authorization inside a unit of work.

use std::collections::BTreeSet;

use foretell_domain::user::Role;
use foretell_ports::user::{CredentialId, CredentialLock, CredentialState};

use crate::connection::Connection;
use crate::dialect::credentials::{self, StateRow};
use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::user::user_rows::status_of;

/// Returns those of the credentials that exist.
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

/// Converts a row. An unreadable row fails the unit of work, so that it permits nothing.
fn state(credential: CredentialId, row: &StateRow) -> Result<CredentialState, Failure> {
    let user = StoredRow { table: "users", id: row.user_id };
    let stored = StoredRow { table: table_of(credential), id: row.credential_id };
    Ok(CredentialState {
        credential,
        user_id: row.user_id.into(),
        role: user.named("role", Role::from_name(&row.role))?,
        status: user.named("status", status_of(&row.status, row.erased_at_us))?,
        expires_at: stored.optional_time("expires_at_us", row.expires_at_us)?,
    })
}

const fn table_of(credential: CredentialId) -> &'static str {
    match credential {
        CredentialId::Session(_) => "sessions",
        CredentialId::ApiKey(_) => "api_keys",
        CredentialId::User(_) => "users",
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::id::{ApiKeyId, SessionId};
    use foretell_domain::time::Timestamp;

    use super::*;

    fn row() -> StateRow {
        StateRow {
            credential_id: SessionId::from_u128(1).into(),
            user_id: SessionId::from_u128(2).into(),
            role: "USER".to_owned(),
            status: "active".to_owned(),
            erased_at_us: None,
            expires_at_us: Some(Timestamp::MAX.micros()),
        }
    }

    #[test]
    fn credential_with_unreadable_expiry_is_rejected() {
        let session = CredentialId::Session(SessionId::from_u128(1));
        let key = CredentialId::ApiKey(ApiKeyId::from_u128(1));
        let found = state(session, &row()).unwrap();
        assert_eq!(found.expires_at, Some(Timestamp::MAX));
        for (credential, expected) in [(session, "sessions"), (key, "api_keys")] {
            for expires_at_us in [i64::MIN, Timestamp::MAX.micros() + 1, i64::MAX] {
                let row = StateRow { expires_at_us: Some(expires_at_us), ..row() };
                let Err(Failure::Corrupt { table, column, id, .. }) = state(credential, &row)
                else {
                    panic!("{credential:?} that expires at {expires_at_us} is accepted");
                };
                assert_eq!((table, column), (expected, "expires_at_us"));
                assert_eq!(id, row.credential_id.to_string());
            }
        }
    }

    #[test]
    fn credential_of_unreadable_user_is_rejected() {
        let session = CredentialId::Session(SessionId::from_u128(1));
        for row in [
            StateRow { role: "KING".to_owned(), ..row() },
            StateRow { status: "odd".to_owned(), ..row() },
            StateRow { erased_at_us: Some(5), ..row() },
        ] {
            let failure = state(session, &row);
            assert!(matches!(failure, Err(Failure::Corrupt { table: "users", .. })), "{failure:?}");
        }
    }
}
