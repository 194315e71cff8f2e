//! The table `api_keys`.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use foretell_domain::id::{ApiKeyId, UserId};
use foretell_domain::scope::{Scope, Scopes};
use foretell_domain::text::KeyName;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;
use foretell_ports::api_key::{ApiKey, ApiKeyDetails};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::secret::TokenHash;

use crate::connection::{Connection, on};
use crate::error::{Failure, StoredRow};
use crate::id::{DbId, Id};
use crate::prepared::prepared;
use crate::schema::{accounts, api_keys, users};
use crate::unreadable_rows::load_page;
use crate::user::user_rows::UserRow;

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(crate) struct ApiKeyRow {
    pub(crate) id: DbId,
    user_id: DbId,
    name: String,
    secret_hash: Vec<u8>,
    scopes: String,
    created_at_us: i64,
    expires_at_us: Option<i64>,
    last_used_at_us: Option<i64>,
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = Failure;

    fn try_from(row: ApiKeyRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "api_keys", id: row.id };
        Ok(Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            name: KeyName::restore(row.name),
            secret_hash: TokenHash(
                stored.convert("secret_hash", row.secret_hash.as_slice().try_into())?,
            ),
            scopes: stored.named("scopes", scopes_of(&row.scopes))?,
            created_at: stored.time("created_at_us", row.created_at_us)?,
            expires_at: stored.optional_time("expires_at_us", row.expires_at_us)?,
            last_used_at: stored.optional_time("last_used_at_us", row.last_used_at_us)?,
        })
    }
}

fn scopes_of(column: &str) -> Option<Scopes> {
    let scopes: Option<Vec<_>> = column.split(' ').map(Scope::from_name).collect();
    Scopes::new(scopes?)
}

/// Returns the column value of scopes: their names in a fixed order, separated by spaces.
fn scopes_column(scopes: Scopes) -> String {
    scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
}

/// Returns the number of a user's keys.
pub(crate) fn count_of(connection: &mut Connection<'_>, user: UserId) -> Result<i64, Failure> {
    Ok(on!(connection, |c| {
        api_keys::table.filter(api_keys::user_id.eq(DbId::from(user))).count().get_result(c)
    })?)
}

/// Inserts a key.
pub(crate) fn insert(connection: &mut Connection<'_>, key: &ApiKey) -> Result<(), Failure> {
    let row = (
        api_keys::id.eq(DbId::from(key.id)),
        api_keys::user_id.eq(DbId::from(key.user_id)),
        api_keys::name.eq(key.name.as_str()),
        api_keys::secret_hash.eq(key.secret_hash.0.as_slice()),
        api_keys::scopes.eq(scopes_column(key.scopes)),
        api_keys::created_at_us.eq(key.created_at.micros()),
        api_keys::expires_at_us.eq(key.expires_at.map(Timestamp::micros)),
        api_keys::last_used_at_us.eq(key.last_used_at.map(Timestamp::micros)),
    );
    on!(connection, |c| diesel::insert_into(api_keys::table).values(row).execute(c))?;
    Ok(())
}

/// Deletes a key of this user. Returns `true` if it existed.
pub(crate) fn delete(
    connection: &mut Connection<'_>,
    user: UserId,
    key: ApiKeyId,
) -> Result<bool, Failure> {
    // With the user, so that nobody can delete the key of another one by its id.
    let row = api_keys::table.find(DbId::from(key)).filter(api_keys::user_id.eq(DbId::from(user)));
    Ok(on!(connection, |c| diesel::delete(row).execute(c))? > 0)
}

/// Deletes all keys of a user and returns their number.
pub(crate) fn delete_all_of(
    connection: &mut Connection<'_>,
    user: UserId,
) -> Result<usize, Failure> {
    let rows = api_keys::table.filter(api_keys::user_id.eq(DbId::from(user)));
    Ok(on!(connection, |c| diesel::delete(rows).execute(c))?)
}

/// Records that a key was used, unless a later use is recorded or it was deleted.
pub(crate) fn record_use(
    connection: &mut Connection<'_>,
    key: ApiKeyId,
    at: Timestamp,
) -> Result<(), Failure> {
    const RECORD: &str = "UPDATE api_keys SET last_used_at_us = ?
        WHERE id = ? AND (last_used_at_us IS NULL OR last_used_at_us < ?)";
    // Several nodes record uses, in any order: an older one must not replace a newer one.
    let record = prepared(RECORD).bind::<BigInt, _>(at.micros());
    let record = record.bind::<Id, _>(DbId::from(key)).bind::<BigInt, _>(at.micros());
    on!(connection, |c| record.execute(c))?;
    Ok(())
}

/// Returns the key with this secret, its user and the oldest account, with one statement, since
/// every request needs it.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    secret: TokenHash,
) -> Result<Option<ApiKeyDetails>, Failure> {
    let found: Option<(ApiKeyRow, UserRow, DbId)> = on!(connection, |c| {
        api_keys::table
            .inner_join(users::table)
            .inner_join(accounts::table.on(accounts::owner_id.eq(users::id.nullable())))
            .filter(api_keys::secret_hash.eq(secret.0.as_slice()))
            .order((accounts::created_at_us, accounts::id))
            .select((ApiKeyRow::as_select(), UserRow::as_select(), accounts::id))
            .first(c)
            .optional()
    })?;
    let details = |(key, user, account_id): (ApiKeyRow, UserRow, DbId)| {
        let (key, user) = (ApiKey::try_from(key)?, User::try_from(user)?);
        Ok(ApiKeyDetails { key, user, account_id: account_id.into() })
    };
    found.map(details).transpose()
}

/// Returns a page of a user's keys, newest first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    user: UserId,
    page: PageRequest<ApiKeyId>,
) -> Result<Vec<ApiKey>, Failure> {
    let load = |page: &PageRequest<ApiKeyId>| {
        Ok(on!(connection, |c| {
            let all = api_keys::table
                .filter(api_keys::user_id.eq(DbId::from(user)))
                .order(api_keys::id.desc())
                .limit(page.limit.into())
                .select(ApiKeyRow::as_select());
            match page.start {
                PageStart::First => all.load(c),
                PageStart::Offset(rows) => all.offset(rows).load(c),
                PageStart::After(id) => all.filter(api_keys::id.lt(DbId::from(id))).load(c),
            }
        })?)
    };
    load_page(page, load, |row: &ApiKeyRow| row.id.into(), ApiKey::try_from)
}
