//! Reads of many rows by their keys, with locks if the unit will write them: one statement with an
//! array on Postgres, one prepared statement per key on `SQLite`.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use foretell_domain::id::{AccountId, ClientId};
use foretell_domain::user::{Role, UserStatus};
use foretell_ports::idempotency::CommandKey;
use foretell_ports::market::WantedHolding;

use super::content::hexadecimal;
use super::each;
use crate::connection::Connection;
use crate::id::{DbId, Id};
use crate::idempotency::rows::OutcomeRow;
use crate::ledger::account_rows::AccountRow;
use crate::ledger::transfer_rows::TransferRow;
use crate::market::bet_rows::BetRow;
use crate::market::market_rows::{MarketRow, OptionRow, StateRow};
use crate::market::position_rows::PositionRow;
use crate::prepared::{ended, prepared};
use crate::schema::{
    accounts, bets, idempotency_keys, market_options, market_states, markets, transfers, users,
};
use crate::user::user_rows::{CredentialsRow, UserRow};

/// Locks rows against other writers but not against foreign keys that reference them. `SQLite` has
/// one writer, which needs no row lock.
pub(super) const LOCK_ROWS: &str = " FOR NO KEY UPDATE";

/// Locks accounts in ascending order of id and returns them in that order; `ids` ascend.
pub(crate) fn lock_accounts(
    connection: &mut Connection<'_>,
    ids: &[DbId],
) -> QueryResult<Vec<AccountRow>> {
    match connection {
        Connection::Sqlite(c) => {
            each(ids, |id| accounts::table.find(id).select(AccountRow::as_select()).load(*c))
        }
        Connection::Postgres(c) => {
            // Postgres locks the rows in the order in which it returns them: without an order,
            // units that share accounts could deadlock.
            let rows = accounts::table.filter(accounts::id.eq_any(ids)).order(accounts::id);
            ended(rows.select(AccountRow::as_select()), LOCK_ROWS).load(*c)
        }
    }
}

/// Users that are locked together with a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// No other user.
    None,
    /// Every active admin.
    ActiveAdmins,
}

/// Locks a user, and the others if any, in ascending order of id and returns them in that order.
pub(crate) fn lock_users(
    connection: &mut Connection<'_>,
    id: DbId,
    others: Others,
) -> QueryResult<Vec<CredentialsRow>> {
    macro_rules! columns {
        () => {
            (UserRow::as_select(), users::password_hash)
        };
    }
    let one = users::table.find(id);
    let is_admin =
        users::role.eq(Role::Admin.as_str()).and(users::status.eq(UserStatus::Active.as_str()));
    // In ascending order too: two admins who change each other wait instead of deadlocking.
    let several = users::table.filter(users::id.eq(id).or(is_admin)).order(users::id);
    match (connection, others) {
        (Connection::Sqlite(c), Others::None) => one.select(columns!()).load(*c),
        (Connection::Sqlite(c), Others::ActiveAdmins) => several.select(columns!()).load(*c),
        (Connection::Postgres(c), Others::None) => {
            ended(one.select(columns!()), LOCK_ROWS).load(*c)
        }
        (Connection::Postgres(c), Others::ActiveAdmins) => {
            ended(several.select(columns!()), LOCK_ROWS).load(*c)
        }
    }
}

/// Locks the states of markets in ascending order of id and returns them in that order; `ids`
/// ascend. No other table is joined: after waiting for a lock, Postgres rereads the locked row, but
/// keeps the joined rows from before the wait.
pub(crate) fn lock_states(
    connection: &mut Connection<'_>,
    ids: &[DbId],
) -> QueryResult<Vec<(DbId, StateRow)>> {
    macro_rules! columns {
        () => {
            (market_states::market_id, StateRow::as_select())
        };
    }
    match connection {
        Connection::Sqlite(c) => {
            each(ids, |id| market_states::table.find(id).select(columns!()).load(*c))
        }
        Connection::Postgres(c) => {
            let rows = market_states::table.filter(market_states::market_id.eq_any(ids));
            ended(rows.order(market_states::market_id).select(columns!()), LOCK_ROWS).load(*c)
        }
    }
}

/// Returns the options of markets, each with its market, those of one market together and in order.
pub(crate) fn options(
    connection: &mut Connection<'_>,
    markets: &[DbId],
) -> QueryResult<Vec<(MarketRow, OptionRow)>> {
    // The constant columns are read here and not with the locked state: joined to it, they would be
    // those from before the wait for the lock (ADR 0016).
    let rows = market_options::table.inner_join(markets::table);
    match connection {
        Connection::Sqlite(c) => each(markets, |market| {
            rows.filter(market_options::market_id.eq(market))
                .order(market_options::option_index)
                .select((MarketRow::as_select(), OptionRow::as_select()))
                .load(*c)
        }),
        Connection::Postgres(c) => rows
            .filter(market_options::market_id.eq_any(markets))
            .order((market_options::market_id, market_options::option_index))
            .select((MarketRow::as_select(), OptionRow::as_select()))
            .load(*c),
    }
}

/// Returns the transfers with these ids.
pub(crate) fn transfers(
    connection: &mut Connection<'_>,
    ids: &[DbId],
) -> QueryResult<Vec<TransferRow>> {
    match connection {
        Connection::Sqlite(c) => {
            each(ids, |id| transfers::table.find(id).select(TransferRow::as_select()).load(*c))
        }
        Connection::Postgres(c) => transfers::table
            .filter(transfers::id.eq_any(ids))
            .select(TransferRow::as_select())
            .load(*c),
    }
}

/// Returns those of `ids` that a transfer has reversed.
pub(crate) fn reversed(connection: &mut Connection<'_>, ids: &[DbId]) -> QueryResult<Vec<DbId>> {
    let reversed = transfers::reversal_of.assume_not_null();
    match connection {
        Connection::Sqlite(c) => each(ids, |id| {
            transfers::table.filter(transfers::reversal_of.eq(id)).select(reversed).load(*c)
        }),
        Connection::Postgres(c) => {
            transfers::table.filter(transfers::reversal_of.eq_any(ids)).select(reversed).load(*c)
        }
    }
}

/// Returns the bets and sales with these ids.
pub(crate) fn bets(connection: &mut Connection<'_>, ids: &[DbId]) -> QueryResult<Vec<BetRow>> {
    match connection {
        Connection::Sqlite(c) => {
            each(ids, |id| bets::table.find(id).select(BetRow::as_select()).load(*c))
        }
        Connection::Postgres(c) => {
            bets::table.filter(bets::id.eq_any(ids)).select(BetRow::as_select()).load(*c)
        }
    }
}

/// Looks up which of these client ids an account has used in a table. Rows stored before the column
/// `client_id` existed have it as their id.
macro_rules! used_client_ids {
    ($(#[$doc:meta])* $name:ident: $table:ident by $account:ident) => {
        $(#[$doc])*
        pub(crate) fn $name(
            connection: &mut Connection<'_>,
            wanted: &[(AccountId, ClientId)],
        ) -> QueryResult<Vec<(AccountId, ClientId)>> {
            const USED: &str = concat!(
                "SELECT wanted.account_id, wanted.client_id
                FROM unnest(?, ?) AS wanted (account_id, client_id)
                WHERE EXISTS (SELECT FROM ", stringify!($table), "
                    WHERE ", stringify!($account), " = wanted.account_id
                    AND client_id = wanted.client_id)
                OR EXISTS (SELECT FROM ", stringify!($table), "
                    WHERE id = wanted.client_id
                    AND ", stringify!($account), " = wanted.account_id)",
            );
            match connection {
                Connection::Sqlite(c) => each(wanted, |&(account_id, client_id)| {
                    let (account, id) = (DbId::from(account_id), DbId::from(client_id));
                    let by_client_id = $table::$account.eq(account).and($table::client_id.eq(id));
                    let by_id = $table::id.eq(id).and($table::$account.eq(account));
                    let rows = $table::table.filter(by_client_id.or(by_id));
                    let is_used: bool = select(exists(rows)).get_result(*c)?;
                    Ok(is_used.then_some((account_id, client_id)).into_iter().collect())
                }),
                Connection::Postgres(c) => used_on_postgres(c, USED, wanted),
            }
        }
    };
}

used_client_ids! {
    /// Returns those of these client ids that the account has used for payments.
    used_in_transfers: transfers by debit_account_id
}

used_client_ids! {
    /// Returns those of these client ids that the account has used for trades.
    used_in_bets: bets by account_id
}

/// A client id with the account that chose it.
#[derive(QueryableByName)]
struct ClientIdRow {
    #[diesel(sql_type = Id)]
    account_id: DbId,
    #[diesel(sql_type = Id)]
    client_id: DbId,
}

fn used_on_postgres(
    c: &mut PgConnection,
    statement: &'static str,
    wanted: &[(AccountId, ClientId)],
) -> QueryResult<Vec<(AccountId, ClientId)>> {
    let accounts: Vec<_> = wanted.iter().map(|(account, _)| DbId::from(*account)).collect();
    let ids: Vec<_> = wanted.iter().map(|(_, id)| DbId::from(*id)).collect();
    let rows: Vec<ClientIdRow> =
        prepared(statement).bind::<Array<Id>, _>(accounts).bind::<Array<Id>, _>(ids).load(c)?;
    Ok(rows.into_iter().map(|row| (row.account_id.into(), row.client_id.into())).collect())
}

/// Returns the outcomes stored under these keys.
pub(crate) fn outcomes(
    connection: &mut Connection<'_>,
    keys: &BTreeSet<&CommandKey>,
) -> QueryResult<Vec<OutcomeRow>> {
    // A join with the keys, so that each is found in the primary key whatever their number.
    const WANTED: &str = "SELECT stored.* FROM unnest(?, ?) AS wanted (user_id, key)
        JOIN idempotency_keys AS stored ON stored.user_id = wanted.user_id
        AND stored.key = wanted.key";
    match connection {
        Connection::Sqlite(c) => each(keys, |key| {
            idempotency_keys::table
                .find((DbId::from(key.user_id), &key.key))
                .select(OutcomeRow::as_select())
                .load(*c)
        }),
        Connection::Postgres(c) => {
            let users: Vec<_> = keys.iter().map(|key| DbId::from(key.user_id)).collect();
            let names: Vec<_> = keys.iter().map(|key| key.key.as_str()).collect();
            prepared(WANTED).bind::<Array<Id>, _>(users).bind::<Array<Text>, _>(names).load(*c)
        }
    }
}

/// Returns the positions of these accounts in these markets.
pub(crate) fn positions(
    connection: &mut Connection<'_>,
    wanted: &BTreeSet<WantedHolding>,
) -> QueryResult<Vec<PositionRow>> {
    const WANTED: &str = "SELECT held.* FROM unnest(?, ?) AS wanted (market_id, account_id)
        JOIN positions AS held
        ON held.market_id = wanted.market_id AND held.account_id = wanted.account_id";
    const OF_ACCOUNT: &str = "SELECT * FROM positions
        WHERE market_id IN (SELECT unhex(value) FROM json_each(?)) AND account_id = ?";
    match connection {
        // One statement per account, so that a page of one trader's positions needs only one.
        Connection::Sqlite(c) => {
            let mut markets: BTreeMap<_, Vec<DbId>> = BTreeMap::new();
            for wanted in wanted {
                markets.entry(wanted.account_id).or_default().push(wanted.market_id.into());
            }
            each(&markets, |(account_id, markets)| {
                let statement = prepared(OF_ACCOUNT).bind::<Text, _>(hexadecimal(markets));
                statement.bind::<Id, _>(DbId::from(*account_id)).load(*c)
            })
        }
        Connection::Postgres(c) => {
            let markets: Vec<_> =
                wanted.iter().map(|wanted| DbId::from(wanted.market_id)).collect();
            let accounts: Vec<_> =
                wanted.iter().map(|wanted| DbId::from(wanted.account_id)).collect();
            prepared(WANTED).bind::<Array<Id>, _>(markets).bind::<Array<Id>, _>(accounts).load(*c)
        }
    }
}
