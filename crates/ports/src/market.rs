//! Storage of markets, bets, holdings and settlements.

use std::collections::BTreeSet;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, TransferId, UserId};
use foretell_domain::market::{
    Bet, Dispute, Holding, Market, MarketRevision, MarketTexts, Payout, Phase, Resolution,
    Settlement, Stakes,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;

use crate::error::StoreError;
use crate::locked::Locked;
use crate::page::{NumberedPage, Page, PageRequest};
use crate::portfolio::{BetKey, HeldKey, HeldPosition};

/// A market to be stored for the first time.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMarket {
    /// The market after its opening.
    pub market: Market,
    /// Texts of the market, with as many options as the market has.
    pub texts: MarketTexts,
    /// Creation time.
    pub created_at: Timestamp,
}

impl NewMarket {
    /// Returns the first revision.
    pub fn revision(&self) -> MarketRevision {
        let creator = self.market.record().creator_id;
        MarketRevision::of(&self.market, &self.texts, creator, self.created_at)
    }
}

/// Payouts of a set of holders; each is stored as a claim that no later set can repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidSet {
    /// The market.
    pub market_id: MarketId,
    /// The payouts.
    pub payouts: Vec<Payout>,
    /// Time of the payouts.
    pub at: Timestamp,
}

/// Money that an account owes because the treasury has paid for it: it no longer had what an undone
/// settlement had paid it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debt {
    /// The transfer by which the treasury has paid.
    pub transfer_id: TransferId,
    /// The account.
    pub account_id: AccountId,
    /// The market whose settlement was undone.
    pub market_id: MarketId,
    /// Amount owed.
    pub amount: Amount,
    /// Time of the transfer.
    pub created_at: Timestamp,
}

/// Writes markets within a unit of work. The lock on a market also protects its holdings and its
/// settlement: lock it before reading anything that will be written.
pub trait MarketTx {
    /// Inserts markets with their options.
    fn insert_markets(&mut self, markets: &[NewMarket]) -> Result<(), StoreError>;

    /// Locks the markets among `ids` that exist, in ascending order of id, and returns them in that
    /// order.
    fn lock_markets(&mut self, ids: &BTreeSet<MarketId>)
    -> Result<Vec<Locked<Market>>, StoreError>;

    /// Stores the state of locked markets: phase, outstanding shares, sums, counts and version.
    fn save_markets(
        &mut self,
        markets: &[&Locked<Market>],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Returns the details of a locked market, which nothing can change before the unit ends.
    fn get_details(&mut self, market: &Locked<Market>) -> Result<MarketDetails, StoreError>;

    /// Stores the fields of a locked market that an edit changes beside its state: the name, the
    /// description and the end date.
    fn save_market_texts(
        &mut self,
        market: &Locked<Market>,
        texts: &MarketTexts,
    ) -> Result<(), StoreError>;

    /// Inserts revisions of new or locked markets. An existing number causes
    /// [`StoreError::Rejected`].
    fn insert_revisions(&mut self, revisions: &[MarketRevision]) -> Result<(), StoreError>;

    /// Returns the end date with which a locked market was opened: that of its first revision, or
    /// the present one without a first revision.
    fn first_end_date(&mut self, market: &Locked<Market>) -> Result<Timestamp, StoreError>;

    /// Returns who has ever held shares of a locked market, of which `actor` is the one who acts.
    fn find_stakes(&mut self, market: &Locked<Market>, actor: UserId)
    -> Result<Stakes, StoreError>;

    /// Deletes locked markets without bets, with their options, revisions and comments. Their
    /// accounts and transfers are kept. A market with a settlement causes [`StoreError::Rejected`].
    fn delete_markets(&mut self, markets: Vec<Locked<Market>>) -> Result<(), StoreError>;

    /// Returns the holdings of these accounts in these markets, in any order; a trader who never
    /// traded there has none. Each market must be locked, and `option_count` is its number of
    /// options.
    fn find_holdings(&mut self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError>;

    /// Inserts or replaces the given positions, `(holding, option index)` each.
    fn save_positions(&mut self, positions: &[(&Holding, usize)]) -> Result<(), StoreError>;

    /// Returns at most `limit` holdings of a locked market whose accounts are greater than `after`,
    /// by ascending account.
    fn list_holdings_after(
        &mut self,
        market: &Locked<Market>,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Holding>, StoreError>;

    /// Returns the bets among `ids` that exist, in any order.
    fn find_bets(&mut self, ids: &[BetId]) -> Result<Vec<Bet>, StoreError>;

    /// Returns those of these client ids that the account has already used for a trade. A bet
    /// stored before client ids existed counts with its own id, which the client may have chosen.
    fn find_traded_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError>;

    /// Inserts bets. An existing id or sequence number causes [`StoreError::Rejected`].
    fn insert_bets(&mut self, bets: &[Bet]) -> Result<(), StoreError>;

    /// Inserts the settlement of a locked market. A second one causes [`StoreError::Rejected`].
    fn insert_settlement(&mut self, settlement: &Settlement) -> Result<(), StoreError>;

    /// Returns the settlement of a locked market.
    fn lock_settlement(
        &mut self,
        market: &Locked<Market>,
    ) -> Result<Option<Locked<Settlement>>, StoreError>;

    /// Stores the progress of a settlement: cursors, sums and completion.
    fn save_settlement(&mut self, settlement: &Locked<Settlement>) -> Result<(), StoreError>;

    /// Inserts the claims of a paid set. A second claim of an account causes
    /// [`StoreError::Rejected`].
    fn insert_payouts(&mut self, set: &PaidSet) -> Result<(), StoreError>;

    /// Returns at most `limit` payments of the settlement of a locked market that are not reversed
    /// and gave the pot a version below `before`, newest first.
    fn list_payments_before(
        &mut self,
        market: &Locked<Market>,
        before: i64,
        limit: usize,
    ) -> Result<Vec<Transfer>, StoreError>;

    /// Deletes the claims of these accounts in a locked market, whose payments are reversed in this
    /// unit.
    fn delete_payouts(
        &mut self,
        market: &Locked<Market>,
        accounts: &[AccountId],
    ) -> Result<(), StoreError>;

    /// Deletes an undone settlement, so that the market can have another.
    fn delete_settlement(&mut self, settlement: Locked<Settlement>) -> Result<(), StoreError>;

    /// Inserts debts.
    fn insert_debts(&mut self, debts: &[Debt]) -> Result<(), StoreError>;

    /// Returns the newest resolution of a locked market, the only one that may change.
    fn find_newest_resolution(
        &mut self,
        market: &Locked<Market>,
    ) -> Result<Option<Resolution>, StoreError>;

    /// Inserts or replaces resolutions of locked markets.
    fn save_resolutions(&mut self, resolutions: &[&Resolution]) -> Result<(), StoreError>;

    /// Inserts a dispute of a resolution whose market is locked. Returns `false` if the user has
    /// already disputed it.
    fn insert_dispute(&mut self, dispute: &Dispute) -> Result<bool, StoreError>;
}

/// A holding to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedHolding {
    /// The market, which is locked.
    pub market_id: MarketId,
    /// The trader's account.
    pub account_id: AccountId,
    /// Number of options of the market.
    pub option_count: usize,
}

/// A market with its texts and dates.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketDetails {
    /// State.
    pub market: Market,
    /// Texts.
    pub texts: MarketTexts,
    /// Balance of the market's account.
    pub pot: Balance,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// Filter of a list of markets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketFilter {
    /// Only markets of this category.
    pub category: Option<String>,
    /// Only markets in this phase; an open market whose end date is at or before `now` counts as
    /// closed.
    pub phase: Option<(Phase, Timestamp)>,
    /// Only markets of this creator.
    pub creator_id: Option<UserId>,
}

impl MarketFilter {
    /// Returns `true` if a market matches.
    pub fn wants(&self, market: &Market, texts: &MarketTexts) -> bool {
        self.category.as_ref().is_none_or(|category| texts.category.as_str() == category)
            && self.phase.is_none_or(|(phase, now)| market.phase_at(now) == phase)
            && self.creator_id.is_none_or(|creator| market.record().creator_id == creator)
    }
}

/// Sort order of a list of markets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MarketSort {
    /// Newest first.
    #[default]
    Newest,
    /// Earliest end date first.
    Closing,
    /// Highest volume first.
    Volume,
}

impl MarketSort {
    /// Returns the cursor of a market in a list of this order.
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

/// Cursor in a list of markets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketKey {
    /// Sort value: 0 for the newest, the end date in microseconds, or the volume in minor units.
    pub rank: i64,
    /// The market, as the tie breaker.
    pub id: MarketId,
}

/// One trader's position in one option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionRow {
    /// Trader.
    pub user_id: UserId,
    /// Account of the trader.
    pub account_id: AccountId,
    /// The option's position among the market's options.
    pub option_index: usize,
    /// The shares, and the money paid and received for them.
    pub position: foretell_domain::market::Position,
}

impl PositionRow {
    /// Returns the cursor of the position in the market's list by holder.
    pub const fn key(&self) -> PositionKey {
        PositionKey { account_id: self.account_id, option_index: self.option_index }
    }
}

/// Cursor in a market's list of positions by holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PositionKey {
    /// The holder's account.
    pub account_id: AccountId,
    /// The option's position among the market's options.
    pub option_index: usize,
}

/// Prices after one trade.
#[derive(Debug, Clone, PartialEq)]
pub struct PricePoint {
    /// Time of the trade.
    pub at: Timestamp,
    /// Probability of every option after it.
    pub prices: Vec<Probability>,
    /// The money traded.
    pub volume: Balance,
}

/// Time window of a price history: trades at or after `from` and before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceWindow {
    /// The market.
    pub market_id: MarketId,
    /// Start, inclusive.
    pub from: Timestamp,
    /// End, exclusive.
    pub to: Timestamp,
}

/// Cursor in the list of proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProposalKey {
    /// Time at which the proposal takes effect.
    pub takes_effect_at: Timestamp,
    /// The market, as the tie breaker.
    pub market_id: MarketId,
}

impl ProposalKey {
    /// Returns the cursor of a proposal.
    pub fn of(proposal: &Resolution) -> Self {
        let takes_effect_at = proposal.takes_effect_at.unwrap_or(proposal.proposed_at);
        Self { takes_effect_at, market_id: proposal.market_id }
    }
}

/// Reads markets.
#[async_trait]
pub trait MarketQueries: Send + Sync {
    /// Returns the market with this id.
    async fn find_market(&self, id: MarketId) -> Result<Option<MarketDetails>, StoreError>;

    /// Returns the version of the market with this id: the cheapest way to detect a change.
    async fn find_market_version(&self, id: MarketId) -> Result<Option<i64>, StoreError>;

    /// Returns those of these markets that exist, each once, in any order, with a constant number
    /// of statements.
    async fn find_markets(&self, ids: &[MarketId]) -> Result<Vec<MarketDetails>, StoreError>;

    /// Returns a page of the markets that match a filter; ties are ordered by id, newest first. The
    /// key must be of the same order, see [`MarketSort::key_of`].
    async fn list_markets(
        &self,
        filter: &MarketFilter,
        sort: MarketSort,
        page: PageRequest<MarketKey>,
    ) -> Result<Vec<MarketDetails>, StoreError>;

    /// Returns the number of markets that match a filter. The cost may grow with their number.
    async fn count_markets(&self, filter: &MarketFilter) -> Result<i64, StoreError>;

    /// Returns a page of the revisions of a market, newest first.
    async fn list_revisions(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Vec<MarketRevision>, StoreError>;

    /// Returns a page of the resolutions of a market, newest first.
    async fn list_resolutions(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Vec<Resolution>, StoreError>;

    /// Returns the disputes of these resolutions of a market, oldest first, at most `limit` each.
    async fn list_disputes(
        &self,
        market: MarketId,
        numbers: &[i64],
        limit: u32,
    ) -> Result<Vec<Dispute>, StoreError>;

    /// Returns at most `limit` markets with an undisputed proposal that takes effect by `now`, the
    /// longest due first.
    async fn list_due_proposals(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError>;

    /// Returns a page of the proposals of all markets that wait, the first to take effect first.
    async fn list_proposals(
        &self,
        page: PageRequest<ProposalKey>,
    ) -> Result<Vec<Resolution>, StoreError>;

    /// Returns the number of these proposals.
    async fn count_proposals(&self) -> Result<i64, StoreError>;

    /// Returns a page of the debts of all accounts, newest first.
    async fn list_debts(&self, page: PageRequest<TransferId>) -> Result<Vec<Debt>, StoreError>;

    /// Returns the number of these debts. The cost grows with their number.
    async fn count_debts(&self) -> Result<i64, StoreError>;

    /// Returns the bet or sale that `trader` made under this client id, or else the one with this
    /// id.
    async fn find_bet(
        &self,
        id: BetId,
        trader: Option<AccountId>,
    ) -> Result<Option<Bet>, StoreError>;

    /// Returns the bets and sales of a market, newest first. The total is the market's count, and a
    /// deep page costs as much as the first.
    async fn page_bets(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Page<Bet>, StoreError>;

    /// Returns at most `limit` bets and sales of each of these markets, by ascending market and
    /// newest first, in one statement.
    async fn list_newest_bets(
        &self,
        markets: &[MarketId],
        limit: u32,
    ) -> Result<Vec<Bet>, StoreError>;

    /// Returns the positions of a market with shares above zero, by option and then by descending
    /// shares.
    async fn page_positions(
        &self,
        market: MarketId,
        page: NumberedPage,
    ) -> Result<Page<PositionRow>, StoreError>;

    /// Returns the same positions by account and option, at most `limit` of them after `after`.
    /// Every page costs the same.
    async fn list_positions(
        &self,
        market: MarketId,
        after: Option<PositionKey>,
        limit: u32,
    ) -> Result<Vec<PositionRow>, StoreError>;

    /// Returns a page of the bets and sales of a user in all markets, newest first, see [`BetKey`].
    async fn list_bets_of(
        &self,
        user: UserId,
        page: PageRequest<BetKey>,
    ) -> Result<Vec<Bet>, StoreError>;

    /// Returns the number of these bets and sales. The cost grows with their number.
    async fn count_bets_of(&self, user: UserId) -> Result<i64, StoreError>;

    /// Returns the holdings of these accounts in these markets, in any order; those without a
    /// position are left out.
    async fn find_holdings(&self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError>;

    /// Returns a page of the positions of an account in all markets, including those sold
    /// completely. [`HeldKey`] defines their order.
    async fn list_positions_of(
        &self,
        account: AccountId,
        page: PageRequest<HeldKey>,
    ) -> Result<Vec<HeldPosition>, StoreError>;

    /// Returns the number of these positions. The cost grows with their number.
    async fn count_positions_of(&self, account: AccountId) -> Result<i64, StoreError>;

    /// Returns the prices after the last trade before `before`, if there was one.
    async fn find_prices_before(
        &self,
        market: MarketId,
        before: Timestamp,
    ) -> Result<Option<Vec<Probability>>, StoreError>;

    /// Returns the prices after the trades of a window in order, at most `limit` of them beginning
    /// with number `after_sequence + 1`, each with its sequence number.
    async fn list_prices(
        &self,
        window: PriceWindow,
        after_sequence: i64,
        limit: u32,
    ) -> Result<Vec<(i64, PricePoint)>, StoreError>;

    /// Returns the settlement of a market.
    async fn find_settlement(&self, market: MarketId) -> Result<Option<Settlement>, StoreError>;

    /// Returns the settlements of those of these markets that have one, each once, in any order, in
    /// one statement.
    async fn find_settlements(&self, markets: &[MarketId]) -> Result<Vec<Settlement>, StoreError>;

    /// Returns at most `limit` markets whose settlement, or its undoing, is not complete, by
    /// ascending id after `after`.
    async fn list_unsettled(
        &self,
        after: Option<MarketId>,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError>;
}
