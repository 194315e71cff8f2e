//! Secrets shared by all nodes of one database.

use diesel::prelude::*;
use foretell_ports::error::StoreError;
use foretell_ports::secret::SecretTx;

use crate::connection::{Connection, on};
use crate::error::{Failure, StoredRow};
use crate::schema::secrets;
use crate::tx::UnitTx;

/// Stores a secret under a name that has none, and returns the stored one.
pub(crate) fn insert_if_absent(
    connection: &mut Connection<'_>,
    name: &str,
    candidate: [u8; 32],
) -> Result<[u8; 32], Failure> {
    let row = (secrets::name.eq(name), secrets::value.eq(&candidate[..]));
    let insert = diesel::insert_into(secrets::table).values(row).on_conflict_do_nothing();
    on!(connection, |c| insert.execute(c))?;
    let stored: Vec<u8> =
        on!(connection, |c| secrets::table.find(name).select(secrets::value).first(c))?;
    StoredRow { table: "secrets", id: name }
        .convert("value", <[u8; 32]>::try_from(stored.as_slice()))
}

impl SecretTx for UnitTx<'_, '_> {
    fn insert_secret_if_absent(
        &mut self,
        name: &'static str,
        candidate: [u8; 32],
    ) -> Result<[u8; 32], StoreError> {
        self.step(|c| insert_if_absent(c, name, candidate))
    }
}
