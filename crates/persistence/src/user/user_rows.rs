//! Rows of the table `users`.

use diesel::prelude::*;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::secret::PasswordHash;
use foretell_ports::user::Credentials;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::users;

/// Columns of a user, without the hash of the password.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    pub(crate) id: DbId,
    email: String,
    name: String,
    avatar: Option<String>,
    role: String,
    status: String,
    created_at_us: i64,
    version: i64,
    erased_at_us: Option<i64>,
    updated_at_us: Option<i64>,
}

impl TryFrom<UserRow> for User {
    type Error = Failure;

    fn try_from(row: UserRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "users", id: row.id };
        Ok(Self {
            id: row.id.into(),
            email: Email::restore(row.email),
            name: UserName::restore(row.name),
            // A URL that browsers must not receive any more is left out.
            avatar: row.avatar.and_then(|url| AvatarUrl::new(url).ok()),
            role: stored.named("role", Role::from_name(&row.role))?,
            status: stored.named("status", status_of(&row.status, row.erased_at_us))?,
            version: row.version,
            created_at: stored.time("created_at_us", row.created_at_us)?,
            updated_at: stored
                .time("updated_at_us", row.updated_at_us.unwrap_or(row.created_at_us))?,
        })
    }
}

/// A row with the hash of the password.
pub(crate) type CredentialsRow = (UserRow, String);

pub(crate) fn credentials((row, hash): CredentialsRow) -> Result<Credentials, Failure> {
    Ok(Credentials { user: User::try_from(row)?, password: PasswordHash(hash) })
}

/// Returns the status of a row: the column has no value for erased users, who are stored as
/// suspended.
pub(crate) fn status_of(status: &str, erased_at_us: Option<i64>) -> Option<UserStatus> {
    match (status, erased_at_us) {
        ("active", None) => Some(UserStatus::Active),
        ("suspended", None) => Some(UserStatus::Suspended),
        ("suspended", Some(_)) => Some(UserStatus::Erased),
        _ => None,
    }
}
