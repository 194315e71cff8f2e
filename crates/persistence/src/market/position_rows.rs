//! Rows of the table `positions`.

use std::fmt;

use diesel::prelude::*;
use foretell_domain::market::{Holding, Position};
use foretell_domain::money::Balance;
use foretell_domain::shares::Shares;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::positions;

#[derive(Queryable, QueryableByName, Selectable, Insertable, Clone, Copy)]
#[diesel(table_name = positions, treat_none_as_default_value = false)]
pub(crate) struct PositionRow {
    pub(crate) market_id: DbId,
    pub(crate) account_id: DbId,
    pub(crate) option_index: i32,
    pub(crate) shares_units: i64,
    pub(crate) spent_minor: i64,
    pub(crate) received_minor: i64,
}

/// Writes the row's key.
impl fmt::Display for PositionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.market_id, self.account_id, self.option_index)
    }
}

impl PositionRow {
    /// Returns the account and the option index as stored.
    pub(crate) const fn key(&self) -> (DbId, i32) {
        (self.account_id, self.option_index)
    }

    /// Returns the position of the option among the market's options, and the account's position in
    /// it.
    pub(crate) fn convert(self) -> Result<(usize, Position), Failure> {
        let stored = StoredRow { table: "positions", id: self };
        let option_index = stored.convert("option_index", usize::try_from(self.option_index))?;
        let position = Position {
            shares: stored.convert("shares_units", Shares::new(self.shares_units))?,
            spent: Balance::from_minor(self.spent_minor),
            received: Balance::from_minor(self.received_minor),
        };
        Ok((option_index, position))
    }

    /// Adds the row to its holding.
    pub(crate) fn enter(self, holding: &mut Holding) -> Result<(), Failure> {
        let (option_index, position) = self.convert()?;
        let slot = holding.positions.get_mut(option_index).ok_or("the market has no such option");
        *StoredRow { table: "positions", id: self }.convert("option_index", slot)? = position;
        Ok(())
    }
}
