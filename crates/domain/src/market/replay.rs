//! Replay of a market's trades: an audit of stored bets against the rules that computed them.

use super::lmsr::Mechanism as _;
use super::{Bet, Market, MarketError, MarketRecord, TradeSide};
use crate::id::{AccountId, UserId};
use crate::money::Balance;
use crate::probability::Probability;
use crate::shares::Shares;
use crate::transfer::{Transfer, TransferKind};

/// Relative difference that two computations of one price may have. Another version of the
/// mathematical functions may change the last bits; a unit of shares changes far more.
const PRICE_TOLERANCE: f64 = 1e-12;
/// Prices below this have lost digits and compare as equal.
const TINY_PRICE: f64 = 1e-290;

/// A stored value that differs from the value computed from other rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The column of the value.
    pub column: &'static str,
    /// The stored value.
    pub stored: String,
    /// The computed value.
    pub expected: String,
}

impl Difference {
    /// Compares two values. Returns `None` if they are equal.
    pub fn between<T: Copy + PartialEq + ToString>(
        column: &'static str,
        stored: T,
        expected: T,
    ) -> Option<Self> {
        (stored != expected).then(|| Self {
            column,
            stored: stored.to_string(),
            expected: expected.to_string(),
        })
    }
}

/// A stored bet with the rows that it references.
#[derive(Debug, Clone, Copy)]
pub struct StoredTrade<'a> {
    /// The bet.
    pub bet: &'a Bet,
    /// The referenced transfer, if it exists.
    pub transfer: Option<&'a Transfer>,
    /// Owner of the referenced account.
    pub owner: Option<UserId>,
}

/// The state of a market after the bets so far, computed from these bets alone.
#[derive(Debug, Clone)]
pub struct Replay {
    market: Market,
    outstanding: Vec<i128>,
    prices: Option<Vec<Probability>>,
    fees: i128,
    volume: i128,
    count: i64,
    sequence: i64,
    version: i64,
    pot_version: i64,
}

impl Replay {
    /// Creates the replay of a market before its first bet.
    ///
    /// # Errors
    /// [`MarketError::Probabilities`] if no mechanism can have its subsidy and probabilities.
    pub fn begin(record: &MarketRecord) -> Result<Self, MarketError> {
        let market = Market::restore(record.clone())?;
        let options = record.options.len();
        Ok(Self {
            prices: Some(market.mechanism.prices(&vec![Shares::ZERO; options])),
            market,
            outstanding: vec![0; options],
            fees: 0,
            volume: 0,
            count: 0,
            sequence: 0,
            version: 1,
            pot_version: 0,
        })
    }

    /// Returns the number of replayed bets.
    pub const fn count(&self) -> i64 {
        self.count
    }

    /// Replays the next bet, and returns its first difference from the market, its transfer and the
    /// bets before it.
    pub fn next(&mut self, trade: StoredTrade<'_>) -> Option<Difference> {
        let difference = self.check_identity(trade).or_else(|| self.check_transfer(trade));
        let (bet, fill) = (trade.bet, &trade.bet.fill);
        let shares = i128::from(fill.shares.units());
        if let Some(outstanding) = self.outstanding.get_mut(fill.option_index) {
            *outstanding += if fill.side == TradeSide::Buy { shares } else { -shares };
        }
        self.fees += i128::from(fill.fee.minor());
        self.volume += i128::from(fill.cash.minor());
        self.count += 1;
        (self.sequence, self.version) = (fill.sequence, self.possible_version(bet));
        let pot = AccountId::of_market(bet.market_id);
        let pots_side = trade.transfer.map(|transfer| transfer.side_of(pot));
        if let Some(side) = pots_side.filter(|side| side.account_id == pot) {
            self.pot_version = side.version;
        }
        difference.or(self.check_prices(bet))
    }

    /// Returns the differences of the stored market from the replayed bets, each with the number of
    /// the option concerned, if any.
    pub fn finish(&self, record: &MarketRecord) -> Vec<(Option<usize>, Difference)> {
        let wide = |balance: Balance| i128::from(balance.minor());
        let state = [
            Difference::between("bet_count", record.bet_count, self.count),
            Difference::between("fees_minor", wide(record.fees), self.fees),
            Difference::between("volume_minor", wide(record.volume), self.volume),
            Difference::between("version", record.version, record.version.max(self.version)),
        ];
        let option = |(index, (option, expected)): (usize, (&super::OptionState, &i128))| {
            let stored = i128::from(option.outstanding.units());
            Some((Some(index), Difference::between("outstanding_units", stored, *expected)?))
        };
        let options = record.options.iter().zip(&self.outstanding).enumerate().filter_map(option);
        state.into_iter().flatten().map(|difference| (None, difference)).chain(options).collect()
    }

    fn check_identity(
        &self,
        StoredTrade { bet, owner, .. }: StoredTrade<'_>,
    ) -> Option<Difference> {
        let (record, fill) = (self.market.record(), &bet.fill);
        let option = record.options.get(fill.option_index).map(|option| option.id);
        let charged = match fill.side {
            TradeSide::Buy => i128::from(fill.cash.minor()),
            TradeSide::Sell => i128::from(fill.cash.minor()) + i128::from(fill.fee.minor()),
        };
        let whole = i128::from(super::WHOLE_BPS);
        let fee = (charged * i128::from(record.fee_bps) + whole - 1) / whole;
        Difference::between("sequence", fill.sequence, self.sequence + 1)
            .or_else(|| {
                Difference::between(
                    "market_version",
                    fill.market_version,
                    self.possible_version(bet),
                )
            })
            .or_else(|| {
                Difference::between(
                    "option_id",
                    shown(Some(bet.option_id)).as_str(),
                    &shown(option),
                )
            })
            .or_else(|| {
                Difference::between("user_id", shown(Some(bet.user_id)).as_str(), &shown(owner))
            })
            .or_else(|| Difference::between("fee_minor", i128::from(fill.fee.minor()), fee))
    }

    /// Returns the version of the market after a bet, or the nearest possible one: every bet
    /// increments the version, and so do edits between bets.
    fn possible_version(&self, bet: &Bet) -> i64 {
        let record = self.market.record();
        let later_bets = record.bet_count.saturating_sub(bet.fill.sequence);
        let most = record.version.saturating_sub(later_bets);
        bet.fill.market_version.min(most).max(self.version.saturating_add(1))
    }

    fn check_transfer(
        &self,
        StoredTrade { bet, transfer, .. }: StoredTrade<'_>,
    ) -> Option<Difference> {
        let Some(transfer) = transfer else {
            let (stored, expected) = (bet.transfer_id.to_string(), "a transfer".to_owned());
            return Some(Difference { column: "transfer_id", stored, expected });
        };
        let (kind, traders_side, pots_side) = match bet.fill.side {
            TradeSide::Buy => (TransferKind::Bet, transfer.debit, transfer.credit),
            TradeSide::Sell => (TransferKind::Sale, transfer.credit, transfer.debit),
        };
        let pot = AccountId::of_market(bet.market_id);
        let is_its_transfer = transfer.kind == kind
            && pots_side.account_id == pot
            && transfer.market_id == Some(bet.market_id)
            && pots_side.version > self.pot_version;
        let named = || bet.transfer_id.to_string();
        let other = || {
            Some(Difference {
                column: "transfer_id",
                stored: named(),
                expected: format!("a later {} in the pot of the market", kind.as_str()),
            })
        };
        let cash = (bet.fill.cash.minor(), transfer.amount.minor());
        let at = (bet.created_at.micros(), transfer.created_at.micros());
        let account = (bet.account_id, traders_side.account_id);
        (if is_its_transfer { None } else { other() })
            .or_else(|| Difference::between("cash_minor", cash.0, cash.1))
            .or_else(|| Difference::between("account_id", account.0, account.1))
            .or_else(|| Difference::between("created_at_us", at.0, at.1))
    }

    /// Compares prices until the first difference: later differences follow from it.
    fn check_prices(&mut self, bet: &Bet) -> Option<Difference> {
        let before = self.prices.take()?;
        let units = self.outstanding.iter().map(|units| i64::try_from(*units).ok());
        let shares: Option<Vec<_>> = units.map(|units| Shares::new(units?).ok()).collect();
        let after = shares.map(|shares| self.market.mechanism.prices(&shares)).unwrap_or_default();
        let difference = |column, stored: &[Probability], expected: &[Probability]| {
            let shown = |prices: &[Probability]| {
                format!("{:?}", prices.iter().map(|p| p.get()).collect::<Vec<_>>())
            };
            (!are_close(stored, expected)).then(|| Difference {
                column,
                stored: shown(stored),
                expected: shown(expected),
            })
        };
        if after.is_empty() {
            let (stored, expected) =
                (bet.fill.shares.units().to_string(), "shares that are held".to_owned());
            return Some(Difference { column: "shares_units", stored, expected });
        }
        let found = difference("prices_before", &bet.fill.prices_before, &before)
            .or_else(|| difference("prices_after", &bet.fill.prices_after, &after));
        if found.is_none() {
            self.prices = Some(after);
        }
        found
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn are_close(left: &[Probability], right: &[Probability]) -> bool {
    let close = |(left, right): (&Probability, &Probability)| {
        let (left, right) = (left.get(), right.get());
        let larger = left.max(right);
        larger < TINY_PRICE || (left - right).abs() <= PRICE_TOLERANCE * larger
    };
    left.len() == right.len() && left.iter().zip(right).all(close)
}
