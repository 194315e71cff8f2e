//! Scene of a contract test: an open store, and methods that fill it with sound data.

use std::collections::BTreeSet;
use std::slice::from_ref;

use foretell_domain::account::Account;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{
    Bet, BuyOrder, Fill, FillRecord, Holding, Market, Quantity, SellOrder,
};
use foretell_domain::money::Balance;
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Transfer, TransferKind, TransferOrder, transfer};
use foretell_domain::user::User;
use foretell_ports::error::StoreError;
use foretell_ports::ledger::AccountDetails;
use foretell_ports::market::{MarketDetails, NewMarket, WantedHolding};
use foretell_ports::page::{NumberedPage, PageRequest, PageStart};
use foretell_ports::unit::{Locked, Tx};

use super::{Adapters, Harness};
use crate::builders::{Factory, MarketBuilder, amount};
use crate::clock::START;

/// An open store and a factory of values to store.
pub(super) struct Fixture {
    pub(super) ports: Adapters,
    pub(super) make: Factory,
}

/// An order for money or for shares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trade {
    pub(super) market_id: MarketId,
    pub(super) account: Account,
    pub(super) option_index: usize,
    pub(super) side: Side,
    pub(super) at: Timestamp,
}

/// Kind of a [`Trade`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    /// Shares for this many minor units.
    Buy(i64),
    /// Money for all shares.
    SellAll,
}

impl Fixture {
    pub(super) async fn open(harness: &dyn Harness) -> Self {
        Self { ports: harness.open().await, make: Factory::new(1) }
    }

    /// Runs a unit that must succeed.
    pub(super) async fn commit<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.ports.uow.run("contract", work).await.expect("the unit is committed")
    }

    /// Runs a unit that storage must reject.
    pub(super) async fn check_rejected<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) {
        let result = self.ports.uow.run("contract", work).await.map(|_| "committed");
        assert!(matches!(result, Err(StoreError::Rejected(_))), "rejected, not {result:?}");
    }

    /// Stores a user.
    pub(super) async fn user(&self) -> User {
        let (user, password) = (self.make.user(), self.make.password());
        let stored = user.clone();
        assert!(
            self.commit(move |tx| tx.insert_user_once(&user, &password)).await,
            "the user is new"
        );
        stored
    }

    /// Stores an account.
    pub(super) async fn store_account(&self, account: Account) {
        assert_eq!(
            self.commit(move |tx| tx.insert_accounts_once(&[account], START)).await,
            1,
            "{account:?}"
        );
    }

    /// Stores a user and an empty account.
    pub(super) async fn account(&self) -> Account {
        let account = self.make.account(self.user().await.id);
        self.store_account(account).await;
        account
    }

    /// Stores a user and a post.
    pub(super) async fn post(&self, status: PostStatus, tags: &[&str]) -> Post {
        let post = self.make.post(self.user().await.id, status, tags);
        self.store_post(post.clone()).await;
        post
    }

    /// Stores a post.
    pub(super) async fn store_post(&self, post: Post) {
        self.commit(move |tx| tx.insert_post(&post)).await;
    }

    /// Stores a user and a comment on a stored subject.
    pub(super) async fn comment(&self, subject: impl Into<CommentSubject>) -> Comment {
        let comment = self.make.comment(self.user().await.id, subject);
        self.store_comment(comment.clone()).await;
        comment
    }

    /// Stores a comment.
    pub(super) async fn store_comment(&self, comment: Comment) {
        self.commit(move |tx| tx.insert_comment(&comment)).await;
    }

    /// Stores a user and an account with this many minor units from the treasury.
    pub(super) async fn funded(&self, minor: i64) -> Account {
        let account = self.account().await;
        self.commit(|tx| tx.insert_accounts_once(&[Account::treasury()], START)).await;
        self.transfer(
            [AccountId::TREASURY, account.id()],
            self.make.order(TransferKind::Mint, minor),
        )
        .await;
        self.stored(account.id()).await.account
    }

    /// Returns the stored account.
    pub(super) async fn stored(&self, id: AccountId) -> AccountDetails {
        self.ports.ledger.find_account(id).await.expect("an answer").expect("the account is stored")
    }

    /// Moves money from the first of two stored accounts to the second.
    pub(super) async fn transfer(&self, sides: [AccountId; 2], order: TransferOrder) -> Transfer {
        self.commit(move |tx| move_money(tx, sides, &order)).await
    }

    /// Stores a market with its creator, its pot and its subsidy.
    pub(super) async fn market(
        &self,
        adapt: impl FnOnce(MarketBuilder) -> MarketBuilder,
    ) -> NewMarket {
        let creator = self.funded(1_000_000).await;
        let new = adapt(self.make.market(&creator)).build();
        self.store_market(new.clone()).await;
        new
    }

    /// Stores a market with its pot and its subsidy.
    pub(super) async fn store_market(&self, new: NewMarket) {
        let record = new.market.record();
        let (id, creator) = (record.id, record.creator_account_id);
        let order = self.make.order(TransferKind::Subsidy, record.subsidy.minor()).about(id);
        let order = TransferOrder { at: new.created_at, ..order };
        self.commit(move |tx| {
            tx.insert_accounts_once(&[Account::pot(id)], new.created_at)?;
            tx.insert_markets(from_ref(&new))?;
            move_money(tx, [creator, AccountId::of_market(id)], &order)
        })
        .await;
    }

    /// Returns the stored market.
    pub(super) async fn stored_market(&self, id: MarketId) -> MarketDetails {
        let markets = &self.ports.markets;
        let stored =
            markets.find_market(id).await.expect("an answer").expect("the market is stored");
        let version = markets.find_market_version(id).await.expect("an answer");
        assert_eq!(version, Some(stored.market.record().version), "the cheap way says the same");
        stored
    }

    /// Changes one stored account like a unit: reads it under its lock, changes it and saves it.
    pub(super) async fn alter_account(
        &self,
        id: AccountId,
        change: impl Fn(&mut Account) + Send + 'static,
    ) {
        self.commit(move |tx| {
            let mut locked = tx.lock_accounts(&BTreeSet::from([id]))?;
            for account in &mut locked {
                change(account);
            }
            tx.save_accounts(&locked.iter().collect::<Vec<_>>())
        })
        .await;
    }

    /// Changes one stored market like a unit: reads it under its lock, changes it and saves it.
    pub(super) async fn alter_market(
        &self,
        id: MarketId,
        change: impl Fn(&Market) -> Market + Send + 'static,
    ) {
        self.commit(move |tx| {
            let mut market = lock_market(tx, id)?;
            *market = change(&market);
            tx.save_markets(&[&market], START)
        })
        .await;
    }

    /// Makes a trade like the money writer, and returns the bet and the holding.
    pub(super) async fn trade(&self, trade: Trade) -> (Bet, Holding) {
        let bet_id = self.make.ids().bet();
        let kind =
            if matches!(trade.side, Side::Buy(_)) { TransferKind::Bet } else { TransferKind::Sale };
        let order =
            TransferOrder { at: trade.at, ..self.make.order(kind, 1).about(trade.market_id) };
        self.commit(move |tx| {
            let market = lock_market(tx, trade.market_id)?;
            let pot = AccountId::of_market(trade.market_id);
            let sides = match trade.side {
                Side::Buy(_) => [trade.account.id(), pot],
                Side::SellAll => [pot, trade.account.id()],
            };
            let pot = tx.lock_accounts(&BTreeSet::from([pot]))?.remove(0).balance();
            let holding = find_holding(tx, &market, trade.account.id())?;
            let fill = price(&market, &holding, &trade, pot);
            let order = TransferOrder { amount: fill.cash, ..order.clone() };
            let moved = move_money(tx, sides, &order)?;
            let bet = Bet {
                id: bet_id,
                client_id: None,
                market_id: trade.market_id,
                user_id: trade.account.owner().expect("traders are users"),
                account_id: trade.account.id(),
                transfer_id: moved.id,
                option_id: market.record().options[trade.option_index].id,
                fill,
                created_at: trade.at,
            };
            record(tx, market, holding, bet)
        })
        .await
    }
}

/// Prices a trade on the current market.
fn price(market: &Market, holding: &Holding, trade: &Trade, pot: Balance) -> Fill {
    let option_id = market.record().options[trade.option_index].id;
    let fill = match trade.side {
        Side::Buy(minor) => {
            let order =
                BuyOrder { option_id, amount: amount(minor), min_shares: None, max_price: None };
            market.price_buy(&order, pot, trade.at)
        }
        Side::SellAll => {
            let order = SellOrder { option_id, quantity: Quantity::All, min_proceeds: None };
            let shares =
                holding.shares_to_sell(trade.option_index, Quantity::All).expect("shares are held");
            market.price_sell(&order, shares, pot, trade.at)
        }
    };
    fill.expect("the trade is possible")
}

/// Returns a copy of a fill with this number.
pub(super) fn renumbered(fill: &Fill, sequence: i64) -> Fill {
    Fill::restore(FillRecord { sequence, ..(**fill).clone() }).expect("a fill")
}

/// Records a bet whose money has moved.
fn record(
    tx: &mut dyn Tx,
    mut market: Locked<Market>,
    mut holding: Holding,
    bet: Bet,
) -> Result<(Bet, Holding), StoreError> {
    let pot = tx
        .lock_accounts(&BTreeSet::from([AccountId::of_market(bet.market_id)]))?
        .remove(0)
        .balance();
    market.record_fill(&bet.fill, &mut holding, pot).expect("the fill is for this market");
    tx.insert_bets(from_ref(&bet))?;
    tx.save_positions(&[(&holding, bet.fill.option_index)])?;
    tx.save_markets(&[&market], bet.created_at)?;
    Ok((bet, holding))
}

/// Moves money from the first of two stored accounts to the second within a unit.
pub(super) fn move_money(
    tx: &mut dyn Tx,
    [from, to]: [AccountId; 2],
    order: &TransferOrder,
) -> Result<Transfer, StoreError> {
    let mut accounts = tx.lock_accounts(&BTreeSet::from([from, to]))?;
    let [first, second] = accounts.as_mut_slice() else { panic!("{from:?} and {to:?} are stored") };
    let (debit, credit) = if first.id() == from { (first, second) } else { (second, first) };
    let row = transfer(debit, credit, order.clone()).expect("the money can move");
    tx.insert_transfers(from_ref(&row))?;
    tx.save_accounts(&[debit, credit])?;
    Ok(row)
}

/// Locks a stored market.
pub(super) fn lock_market(tx: &mut dyn Tx, id: MarketId) -> Result<Locked<Market>, StoreError> {
    Ok(tx.lock_markets(&BTreeSet::from([id]))?.pop().expect("the market is stored"))
}

/// Returns the holding of an account in a locked market, empty if there is none.
pub(super) fn find_holding(
    tx: &mut dyn Tx,
    market: &Locked<Market>,
    account_id: AccountId,
) -> Result<Holding, StoreError> {
    let (market_id, option_count) = (market.id(), market.record().options.len());
    let found = tx.find_holdings(&[WantedHolding { market_id, account_id, option_count }])?.pop();
    Ok(found.unwrap_or_else(|| Holding::empty(market_id, account_id, option_count)))
}

/// Returns a valid page request.
pub(super) fn page(number: u32, limit: u32) -> NumberedPage {
    NumberedPage::new(number, limit).expect("the page can be asked for")
}

/// Returns the moment this many seconds after [`START`].
pub(super) const fn after(seconds: i64) -> Timestamp {
    START.plus_seconds(seconds)
}

/// Returns a request of the first so many rows of a list.
pub(super) const fn first<K>(limit: u32) -> PageRequest<K> {
    PageRequest { start: PageStart::Offset(0), limit }
}
