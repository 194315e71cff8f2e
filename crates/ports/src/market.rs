//! Markets, bets, holdings and settlements: writing and reading them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, UserId};
use foretell_domain::market::{Bet, Holding, Listing, Market, Payout, Phase, Settlement};
use foretell_domain::money::Balance;
use foretell_domain::probability::Probability;
use foretell_domain::time::Timestamp;

use crate::error::StoreError;
use crate::page::{Page, PageRequest, Stretch};
use crate::portfolio::{BetKey, HeldKey, HeldPosition};
use crate::unit::Locked;

/// A market that is about to be stored for the first time.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMarket {
    /// The market after its opening.
    pub market: Market,
    /// What people read of it; as many options as the market has.
    pub listing: Listing,
    /// When it opened.
    pub created_at: Timestamp,
}

/// What a set of holders was paid, as claims that no second set can repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidSet {
    /// The market.
    pub market_id: MarketId,
    /// Who was paid what.
    pub payouts: Vec<Payout>,
    /// When.
    pub at: Timestamp,
}

/// Writes markets within a unit of work. Holdings and settlements are protected by the lock on their market:
/// lock it before reading what is to be written.
pub trait MarketTx {
    /// Inserts markets with their options.
    fn insert_markets(&mut self, markets: &[NewMarket]) -> Result<(), StoreError>;

    /// Locks the markets among `ids` that exist, in ascending order of id, and returns them in that order.
    fn lock_markets(&mut self, ids: &BTreeSet<MarketId>) -> Result<Vec<Locked<Market>>, StoreError>;

    /// Stores the state of locked markets: phase, outstanding shares, sums, counts and version.
    fn save_markets(&mut self, markets: &[&Locked<Market>], at: Timestamp) -> Result<(), StoreError>;

    /// A locked market as it is read: no one changes any of it before the unit ends.
    fn get_details(&mut self, market: &Locked<Market>) -> Result<MarketDetails, StoreError>;

    /// Stores what an edit changes of a locked market beside its state: the listing's name and description, and
    /// the end date.
    fn save_listing(&mut self, market: &Locked<Market>, listing: &Listing) -> Result<(), StoreError>;

    /// Deletes locked markets that nobody has bet in, with their options and the comments on them. Their accounts
    /// and transfers stay. One with a settlement makes it [`StoreError::Rejected`].
    fn delete_markets(&mut self, markets: Vec<Locked<Market>>) -> Result<(), StoreError>;

    /// The holdings of these accounts in these markets, in any order; a trader who never traded there has
    /// none. Each market must be locked, and `option_count` is how many options it has.
    fn find_holdings(&mut self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError>;

    /// Inserts or replaces the given positions, `(holding, option index)` each.
    fn save_positions(&mut self, positions: &[(&Holding, usize)]) -> Result<(), StoreError>;

    /// At most `limit` holdings of a locked market whose accounts come after `after`, by ascending account.
    fn list_holdings_after(
        &mut self,
        market: &Locked<Market>,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Holding>, StoreError>;

    /// The bets among `ids` that exist, in any order.
    fn find_bets(&mut self, ids: &[BetId]) -> Result<Vec<Bet>, StoreError>;

    /// Those of these client ids under which the account has traded already. A bet of before client ids were stored
    /// counts with its own id, which the client may have chosen.
    fn find_traded_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError>;

    /// Inserts bets. A known id or a taken sequence number makes it [`StoreError::Rejected`].
    fn insert_bets(&mut self, bets: &[Bet]) -> Result<(), StoreError>;

    /// Inserts the settlement of a locked market. A second one makes it [`StoreError::Rejected`].
    fn insert_settlement(&mut self, settlement: &Settlement) -> Result<(), StoreError>;

    /// The settlement of a locked market.
    fn lock_settlement(&mut self, market: &Locked<Market>) -> Result<Option<Locked<Settlement>>, StoreError>;

    /// Stores the progress of a settlement: cursor, sums and completion.
    fn save_settlement(&mut self, settlement: &Locked<Settlement>) -> Result<(), StoreError>;

    /// Inserts the claims of a paid set. An account claimed before makes it [`StoreError::Rejected`].
    fn insert_payouts(&mut self, set: &PaidSet) -> Result<(), StoreError>;
}

/// A holding to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedHolding {
    /// The market, which is locked.
    pub market_id: MarketId,
    /// The trader's account.
    pub account_id: AccountId,
    /// How many options the market has.
    pub option_count: usize,
}

/// A market as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketDetails {
    /// Its state.
    pub market: Market,
    /// What people read of it.
    pub listing: Listing,
    /// What its account holds.
    pub pot: Balance,
    /// When it opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which markets are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketFilter {
    /// Only of this category.
    pub category: Option<String>,
    /// Only in this phase; an open market whose end date is at or before `now` counts as closed.
    pub phase: Option<(Phase, Timestamp)>,
    /// Only by this creator.
    pub creator_id: Option<UserId>,
}

impl MarketFilter {
    /// Whether a market is wanted.
    pub fn wants(&self, market: &Market, listing: &Listing) -> bool {
        self.category.as_ref().is_none_or(|category| listing.category.as_str() == category)
            && self.phase.is_none_or(|(phase, now)| market.phase_at(now) == phase)
            && self.creator_id.is_none_or(|creator| market.record().creator_id == creator)
    }
}

/// The order of a list of markets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MarketSort {
    /// The newest first.
    #[default]
    Newest,
    /// The one that ends first first.
    Closing,
    /// The one with the most money traded first.
    Volume,
}

impl MarketSort {
    /// The place of a market in a list of this order.
    pub const fn key_of(self, details: &MarketDetails) -> MarketKey {
        let record = details.market.record();
        let rank = match self {
            Self::Newest => 0,
            Self::Closing => record.ends_at.micros(),
            Self::Volume => record.volume.minor(),
        };
        MarketKey { rank, id: record.id }
    }
}

/// The place of a market in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketKey {
    /// What the list is sorted by: nothing for the newest, the end date in microseconds, or the volume in minor
    /// units.
    pub rank: i64,
    /// The market, which breaks ties.
    pub id: MarketId,
}

/// One holder's position in one option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionRow {
    /// Who holds it.
    pub user_id: UserId,
    /// With which account.
    pub account_id: AccountId,
    /// The option's position among the market's options.
    pub option_index: usize,
    /// What they hold, and what went in and out for it.
    pub position: foretell_domain::market::Position,
}

impl PositionRow {
    /// Its place among the positions of its market by holder.
    pub const fn key(&self) -> PositionKey {
        PositionKey { account_id: self.account_id, option_index: self.option_index }
    }
}

/// The place of a position among those of its market by holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PositionKey {
    /// The holder's account.
    pub account_id: AccountId,
    /// The option's position among the market's options.
    pub option_index: usize,
}

/// The prices that one trade left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct PricePoint {
    /// When the trade happened.
    pub at: Timestamp,
    /// The probability of every option after it.
    pub prices: Vec<Probability>,
    /// The money traded.
    pub volume: Balance,
}

/// Which prices are wanted: those of trades at or after `from` and before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceWindow {
    /// The market.
    pub market_id: MarketId,
    /// From here on.
    pub from: Timestamp,
    /// Up to here, not included.
    pub to: Timestamp,
}

/// Reads markets.
#[async_trait]
pub trait MarketQueries: Send + Sync {
    /// The market with this id.
    async fn find_market(&self, id: MarketId) -> Result<Option<MarketDetails>, StoreError>;

    /// The version of the market with this id: the cheapest way to find out whether it has changed.
    async fn find_market_version(&self, id: MarketId) -> Result<Option<i64>, StoreError>;

    /// Those of these markets that exist, each once, in any order, by a number of statements that does not depend on
    /// how many they are.
    async fn find_markets(&self, ids: &[MarketId]) -> Result<Vec<MarketDetails>, StoreError>;

    /// A stretch of the markets that a filter lets through; ties are broken by id, the newest first. A key is
    /// that of the same order, see [`MarketSort::key_of`].
    async fn list_markets(
        &self,
        filter: &MarketFilter,
        sort: MarketSort,
        stretch: Stretch<MarketKey>,
    ) -> Result<Vec<MarketDetails>, StoreError>;

    /// How many markets a filter lets through. It may cost as much as there are.
    async fn count_markets(&self, filter: &MarketFilter) -> Result<i64, StoreError>;

    /// The bet or sale that `trader` made under this client id, or else the one with this id.
    async fn find_bet(&self, id: BetId, trader: Option<AccountId>) -> Result<Option<Bet>, StoreError>;

    /// The bets and sales of a market, newest first. The total is the market's count, and a deep page costs
    /// what the first does.
    async fn page_bets(&self, market: MarketId, stretch: Stretch<i64>) -> Result<Page<Bet>, StoreError>;

    /// At most `limit` bets and sales of each of these markets, by ascending market and the newest first, all in
    /// one statement.
    async fn list_newest_bets(&self, markets: &[MarketId], limit: u32) -> Result<Vec<Bet>, StoreError>;

    /// The positions of a market with shares above zero, by option and then by shares, the most first.
    async fn page_positions(
        &self,
        market: MarketId,
        page: PageRequest,
    ) -> Result<Page<PositionRow>, StoreError>;

    /// The same positions by account and option, at most `limit` of them after the place `after`. Costs the same
    /// everywhere.
    async fn list_positions(
        &self,
        market: MarketId,
        after: Option<PositionKey>,
        limit: u32,
    ) -> Result<Vec<PositionRow>, StoreError>;

    /// A stretch of the bets and sales of a user over all markets, the newest first, see [`BetKey`].
    async fn list_bets_of(&self, user: UserId, stretch: Stretch<BetKey>) -> Result<Vec<Bet>, StoreError>;

    /// How many bets and sales that are. It costs as much as there are.
    async fn count_bets_of(&self, user: UserId) -> Result<i64, StoreError>;

    /// The holdings of these accounts in these markets, in any order; those without a position are left out.
    async fn find_holdings(&self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError>;

    /// A stretch of the positions of an account over all markets, those that it has sold out of too, see
    /// [`HeldKey`] for their order.
    async fn list_positions_of(
        &self,
        account: AccountId,
        stretch: Stretch<HeldKey>,
    ) -> Result<Vec<HeldPosition>, StoreError>;

    /// How many positions that are. It costs as much as there are.
    async fn count_positions_of(&self, account: AccountId) -> Result<i64, StoreError>;

    /// The prices after the last trade before `before`, if there was one.
    async fn find_prices_before(
        &self,
        market: MarketId,
        before: Timestamp,
    ) -> Result<Option<Vec<Probability>>, StoreError>;

    /// The prices after the trades of a window in their order, at most `limit` of them beginning with
    /// number `after_sequence + 1`, each with its sequence number.
    async fn list_prices(
        &self,
        window: PriceWindow,
        after_sequence: i64,
        limit: u32,
    ) -> Result<Vec<(i64, PricePoint)>, StoreError>;

    /// The settlement of a market.
    async fn find_settlement(&self, market: MarketId) -> Result<Option<Settlement>, StoreError>;

    /// The settlements of these markets, as far as they have one, each once, in any order, in one statement.
    async fn find_settlements(&self, markets: &[MarketId]) -> Result<Vec<Settlement>, StoreError>;

    /// At most `limit` markets whose settlement is not complete, by ascending id after `after`.
    async fn list_unsettled(&self, after: Option<MarketId>, limit: u32) -> Result<Vec<MarketId>, StoreError>;
}
