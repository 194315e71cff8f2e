//! The table `users`.

use diesel::prelude::*;
use foretell_domain::id::UserId;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::time::Timestamp;
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::secret::PasswordHash;
use foretell_ports::user::Credentials;

use crate::connection::{Connection, on};
use crate::dialect::content;
use crate::error::{Failure, StoredRow, expect_saved};
use crate::id::{DbId, db_ids};
use crate::schema::users;

/// Whose row it is, without the password's hash.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    id: DbId,
    email: String,
    name: String,
    avatar: Option<String>,
    role: String,
    status: String,
    created_at_us: i64,
}

impl TryFrom<UserRow> for User {
    type Error = Failure;

    fn try_from(row: UserRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "users", id: row.id };
        Ok(Self {
            id: row.id.into(),
            email: stored.convert("email", Email::new(&row.email))?,
            name: stored.convert("name", UserName::new(row.name))?,
            avatar: stored.convert("avatar", row.avatar.map(AvatarUrl::new).transpose())?,
            role: stored.named("role", Role::from_name(&row.role))?,
            status: stored.named("status", UserStatus::from_name(&row.status))?,
            created_at: Timestamp::from_micros(row.created_at_us),
        })
    }
}

/// Inserts a user unless the mail address is taken, and says whether it did.
pub(crate) fn insert_once(
    connection: &mut Connection<'_>,
    user: &User,
    password: &PasswordHash,
) -> Result<bool, Failure> {
    let row = (
        users::id.eq(DbId::from(user.id)),
        users::email.eq(user.email.as_str()),
        users::name.eq(user.name.as_str()),
        users::avatar.eq(user.avatar.as_ref().map(AvatarUrl::as_str)),
        users::role.eq(user.role.as_str()),
        users::status.eq(user.status.as_str()),
        users::password_hash.eq(&password.0),
        users::created_at_us.eq(user.created_at.micros()),
    );
    let insert = diesel::insert_into(users::table).values(row).on_conflict(users::email).do_nothing();
    Ok(on!(connection, |c| insert.execute(c))? == 1)
}

/// Replaces the password's hash.
pub(crate) fn save_password(
    connection: &mut Connection<'_>,
    user: UserId,
    password: &PasswordHash,
) -> Result<(), Failure> {
    let update = diesel::update(users::table.find(DbId::from(user)));
    let update = update.set(users::password_hash.eq(&password.0));
    let saved = on!(connection, |c| update.execute(c))?;
    expect_saved("users", 1, saved)
}

/// The user with this mail address, and the password's hash.
pub(crate) fn find_credentials(
    connection: &mut Connection<'_>,
    email: &Email,
) -> Result<Option<Credentials>, Failure> {
    let found: Option<(UserRow, String)> = on!(connection, |c| {
        users::table
            .filter(users::email.eq(email.as_str()))
            .select((UserRow::as_select(), users::password_hash))
            .first(c)
            .optional()
    })?;
    let credentials =
        |(row, hash)| Ok(Credentials { user: User::try_from(row)?, password: PasswordHash(hash) });
    found.map(credentials).transpose()
}

/// The user with this id.
pub(crate) fn find(connection: &mut Connection<'_>, id: UserId) -> Result<Option<User>, Failure> {
    let found = on!(connection, |c| {
        users::table.find(DbId::from(id)).select(UserRow::as_select()).first(c).optional()
    })?;
    found.map(User::try_from).transpose()
}

/// The users with these ids.
pub(crate) fn find_all(connection: &mut Connection<'_>, ids: &[UserId]) -> Result<Vec<User>, Failure> {
    let rows: Vec<UserRow> = content::users(connection, &db_ids(ids.iter().copied()))?;
    rows.into_iter().map(User::try_from).collect()
}

/// Whether there is any user at all.
pub(crate) fn has_any(connection: &mut Connection<'_>) -> Result<bool, Failure> {
    let any = on!(connection, |c| users::table.select(users::id).limit(1).first::<DbId>(c).optional())?;
    Ok(any.is_some())
}
