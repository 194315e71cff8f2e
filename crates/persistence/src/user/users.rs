//! The table `users`.

use diesel::prelude::*;
use foretell_domain::id::UserId;
use foretell_domain::text::{AvatarUrl, Email};
use foretell_domain::time::Timestamp;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::secret::PasswordHash;
use foretell_ports::unit::Locked;
use foretell_ports::user::Credentials;

use crate::connection::{Connection, on};
use crate::dialect::{content, look_up};
use crate::error::{Failure, expect_saved};
use crate::id::{DbId, db_ids};
use crate::schema::users;
use crate::unreadable_rows::{load_page, skip_unreadable};
use crate::user::user_rows::{CredentialsRow, UserRow, credentials};

/// Returns the value of the column `status`.
const fn status_column(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Suspended | UserStatus::Erased => "suspended",
    }
}

/// Returns the time of erasure; for a user erased by this change it is the given time.
fn erased_at_us(user: &User, at: Timestamp) -> Option<i64> {
    (user.status == UserStatus::Erased).then_some(at.micros())
}

/// Inserts a user unless the email address is taken. Returns `true` if the user was inserted.
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
        users::status.eq(status_column(user.status)),
        users::password_hash.eq(&password.0),
        users::created_at_us.eq(user.created_at.micros()),
        users::version.eq(user.version),
        users::updated_at_us.eq(user.updated_at.micros()),
        users::erased_at_us.eq(erased_at_us(user, user.created_at)),
    );
    // A concurrent registration with the same address is no error of this unit.
    let insert =
        diesel::insert_into(users::table).values(row).on_conflict(users::email).do_nothing();
    Ok(on!(connection, |c| insert.execute(c))? == 1)
}

/// Locks users in ascending order of id and returns them in that order.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    id: UserId,
    others: look_up::Others,
) -> Result<Vec<Locked<Credentials>>, Failure> {
    let rows = look_up::lock_users(connection, id.into(), others)?;
    rows.into_iter().map(|row| credentials(row).map(Locked::assume)).collect()
}

/// Saves the mutable columns of a user.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    saved: &Locked<Credentials>,
    at: Timestamp,
) -> Result<(), Failure> {
    let Credentials { user, password } = &**saved;
    let row = (
        users::email.eq(user.email.as_str()),
        users::name.eq(user.name.as_str()),
        users::avatar.eq(user.avatar.as_ref().map(AvatarUrl::as_str)),
        users::role.eq(user.role.as_str()),
        users::status.eq(status_column(user.status)),
        users::password_hash.eq(&password.0),
        users::version.eq(user.version),
        users::updated_at_us.eq(user.updated_at.micros()),
        users::erased_at_us.eq(erased_at_us(user, at)),
    );
    let update = diesel::update(users::table.find(DbId::from(user.id))).set(row);
    let saved = on!(connection, |c| update.execute(c))?;
    expect_saved("users", 1, saved)
}

/// Returns the user with this email address, and the hash of the password.
pub(crate) fn find_credentials(
    connection: &mut Connection<'_>,
    email: &Email,
) -> Result<Option<Credentials>, Failure> {
    let found: Option<CredentialsRow> = on!(connection, |c| {
        users::table
            .filter(users::email.eq(email.as_str()))
            .select((UserRow::as_select(), users::password_hash))
            .first(c)
            .optional()
    })?;
    found.map(credentials).transpose()
}

/// Returns the user with this id.
pub(crate) fn find(connection: &mut Connection<'_>, id: UserId) -> Result<Option<User>, Failure> {
    let found = on!(connection, |c| {
        users::table.find(DbId::from(id)).select(UserRow::as_select()).first(c).optional()
    })?;
    found.map(User::try_from).transpose()
}

/// Returns a page of the users, newest first, without erased ones.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    page: PageRequest<UserId>,
) -> Result<Vec<User>, Failure> {
    let load = |page: &PageRequest<UserId>| {
        Ok(on!(connection, |c| {
            // The condition of the partial index `users_present`, which has these users by id.
            let present =
                users::table.filter(users::erased_at_us.is_null()).order(users::id.desc());
            let present = present.limit(page.limit.into()).select(UserRow::as_select());
            match page.start {
                PageStart::First => present.load(c),
                PageStart::Offset(rows) => present.offset(rows).load(c),
                PageStart::After(id) => present.filter(users::id.lt(DbId::from(id))).load(c),
            }
        })?)
    };
    load_page(page, load, |row: &UserRow| row.id.into(), User::try_from)
}

/// Returns the number of users, without erased ones.
pub(crate) fn count(connection: &mut Connection<'_>) -> Result<i64, Failure> {
    Ok(on!(connection, |c| users::table
        .filter(users::erased_at_us.is_null())
        .count()
        .get_result(c))?)
}

/// Returns the users with these ids whose rows are readable.
pub(crate) fn find_all(
    connection: &mut Connection<'_>,
    ids: &[UserId],
) -> Result<Vec<User>, Failure> {
    let rows: Vec<UserRow> = content::users(connection, &db_ids(ids.iter().copied()))?;
    skip_unreadable(rows.into_iter().map(User::try_from))
}

/// Returns `true` if there is any user.
pub(crate) fn has_any(connection: &mut Connection<'_>) -> Result<bool, Failure> {
    let any =
        on!(connection, |c| users::table.select(users::id).limit(1).first::<DbId>(c).optional())?;
    Ok(any.is_some())
}
