//! Rows of the table `bets`.

use diesel::prelude::*;
use foretell_domain::market::{Bet, Fill, FillRecord, FillRecordError, TradeSide};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;
use foretell_ports::portfolio::BetKey;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::market::prices;
use crate::schema::bets;

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = bets)]
pub(crate) struct BetRow {
    pub(crate) id: DbId,
    client_id: Option<DbId>,
    market_id: DbId,
    pub(crate) sequence: i64,
    market_version: i64,
    user_id: DbId,
    account_id: DbId,
    transfer_id: DbId,
    option_id: DbId,
    option_index: i32,
    side: String,
    cash_minor: i64,
    fee_minor: i64,
    shares_units: i64,
    prices_before: Vec<u8>,
    prices_after: Vec<u8>,
    created_at_us: i64,
}

impl BetRow {
    /// Returns the cursor in the list of the user's bets and sales.
    pub(crate) fn key(&self) -> BetKey {
        BetKey { created_at: Timestamp::from_micros(self.created_at_us), id: self.id.into() }
    }
}

impl TryFrom<BetRow> for Bet {
    type Error = Failure;

    fn try_from(row: BetRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "bets", id: row.id };
        let fill = FillRecord {
            option_index: stored.convert("option_index", usize::try_from(row.option_index))?,
            side: stored.named("side", TradeSide::from_name(&row.side))?,
            cash: stored.convert("cash_minor", Amount::new(row.cash_minor))?,
            fee: Balance::from_minor(row.fee_minor),
            shares: stored.convert("shares_units", Shares::new(row.shares_units))?,
            prices_before: stored.convert("prices_before", prices::decode(&row.prices_before))?,
            prices_after: stored.convert("prices_after", prices::decode(&row.prices_after))?,
            sequence: row.sequence,
            market_version: row.market_version,
        };
        let fill =
            Fill::restore(fill).or_else(|error| stored.convert(column_of(error), Err(error)))?;
        Ok(Self {
            id: row.id.into(),
            client_id: row.client_id.map(Into::into),
            market_id: row.market_id.into(),
            user_id: row.user_id.into(),
            account_id: row.account_id.into(),
            transfer_id: row.transfer_id.into(),
            option_id: row.option_id.into(),
            fill,
            created_at: stored.time("created_at_us", row.created_at_us)?,
        })
    }
}

/// Returns the column that violates a rule of fills.
const fn column_of(error: FillRecordError) -> &'static str {
    match error {
        FillRecordError::Prices => "prices_after",
        FillRecordError::Option => "option_index",
        FillRecordError::Fee => "fee_minor",
        FillRecordError::Sequence => "sequence",
        FillRecordError::MarketVersion => "market_version",
    }
}

/// Inserted columns of a bet.
#[derive(Insertable)]
#[diesel(table_name = bets, treat_none_as_default_value = false)]
pub(crate) struct NewBetRow<'a> {
    pub(crate) id: DbId,
    pub(crate) client_id: Option<DbId>,
    pub(crate) market_id: DbId,
    pub(crate) sequence: i64,
    pub(crate) market_version: i64,
    pub(crate) user_id: DbId,
    pub(crate) account_id: DbId,
    pub(crate) transfer_id: DbId,
    pub(crate) option_id: DbId,
    pub(crate) option_index: i32,
    pub(crate) side: &'a str,
    pub(crate) cash_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) shares_units: i64,
    pub(crate) prices_before: Vec<u8>,
    pub(crate) prices_after: Vec<u8>,
    pub(crate) created_at_us: i64,
}

impl From<&Bet> for NewBetRow<'static> {
    fn from(bet: &Bet) -> Self {
        let fill = &bet.fill;
        Self {
            id: bet.id.into(),
            client_id: bet.client_id.map(DbId::from),
            market_id: bet.market_id.into(),
            sequence: fill.sequence,
            market_version: fill.market_version,
            user_id: bet.user_id.into(),
            account_id: bet.account_id.into(),
            transfer_id: bet.transfer_id.into(),
            option_id: bet.option_id.into(),
            // Out of the range of the column, so that a CHECK rejects it; no market has that many
            // options.
            option_index: i32::try_from(fill.option_index).unwrap_or(i32::MAX),
            side: fill.side.as_str(),
            cash_minor: fill.cash.minor(),
            fee_minor: fill.fee.minor(),
            shares_units: fill.shares.units(),
            prices_before: prices::encode(&fill.prices_before),
            prices_after: prices::encode(&fill.prices_after),
            created_at_us: bet.created_at.micros(),
        }
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::id::MarketId;
    use foretell_domain::probability::Probability;

    use super::*;

    fn row() -> BetRow {
        let prices = prices::encode(&[Probability::default(); 2]);
        let id = DbId::from(MarketId::from_u128(9));
        BetRow {
            id,
            client_id: None,
            market_id: id,
            sequence: 1,
            market_version: 2,
            user_id: id,
            account_id: id,
            transfer_id: id,
            option_id: id,
            option_index: 1,
            side: "buy".to_owned(),
            cash_minor: 5,
            fee_minor: 0,
            shares_units: 7,
            prices_before: prices.clone(),
            prices_after: prices,
            created_at_us: 0,
        }
    }

    /// Checks which column of a changed row cannot be read.
    fn check(change: impl FnOnce(&mut BetRow), expected: Option<&str>) {
        let mut row = row();
        change(&mut row);
        let found = match Bet::try_from(row) {
            Ok(_) => None,
            Err(Failure::Corrupt { table: "bets", column, .. }) => Some(column),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn invalid_bet_names_its_column() {
        check(|_| (), None);
        check(|row| row.prices_after.truncate(8), Some("prices_after"));
        check(|row| row.option_index = 2, Some("option_index"));
        check(|row| row.fee_minor = -1, Some("fee_minor"));
        check(|row| row.sequence = 0, Some("sequence"));
        check(|row| row.market_version = 0, Some("market_version"));
    }
}
