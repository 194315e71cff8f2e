//! Markets and their traders.

use foretell_application::writer::{Decided, Decision, MarketState, Receipt, TradeReceipt};
use foretell_application::{AppError, Caller, MarketOpening, TradeTarget};
use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, MarketId, OptionId};
use foretell_domain::market::{
    BuyOrder, Evidence, MarketTexts, Quantity, Resolution, SellOrder, Settlement,
};
use foretell_domain::text::{Category, MarketDescription, MarketName, OptionName};
use foretell_domain::transfer::{Transfer, TransferKind};
use foretell_ports::ledger::LedgerQueries as _;
use foretell_ports::market::{MarketDetails, MarketQueries as _};
use foretell_ports::page::{NumberedPage, PageRequest, PageStart};

use super::fixture::{Fixture, amount};
use super::trouble::eventually;

/// A market with many traders.
pub(crate) struct Crowd {
    pub(crate) creator: Caller,
    pub(crate) market: MarketDetails,
    pub(crate) traders: Vec<Trader>,
}

/// A trader who has bet once.
pub(crate) struct Trader {
    pub(crate) caller: Caller,
    /// Position of the option.
    pub(crate) option: usize,
    pub(crate) stake: i64,
    pub(crate) shares: i64,
}

impl Crowd {
    /// Creates a market with these many traders, every third one on its second option.
    pub(crate) async fn gather(fixture: &Fixture, traders: usize) -> Self {
        let creator = fixture.user().await;
        let market = fixture.market(&creator, 5_000).await;
        let joining = (0..traders).map(|number| {
            let market = &market;
            async move {
                let caller = fixture.user().await;
                let (option, stake) =
                    (usize::from(number % 3 == 0), i64::try_from(100 + number % 7).unwrap());
                let receipt = fixture.bet(&caller, market, option, stake).await.unwrap();
                Trader { caller, option, stake, shares: receipt.bet.fill.shares.units() }
            }
        });
        // Concurrently, so that a batch of the writer serves many.
        let traders = futures::future::join_all(joining).await;
        Self { creator, market, traders }
    }

    pub(crate) fn id(&self) -> MarketId {
        self.market.market.id()
    }

    /// Checks that the market's settlement is complete and has paid each trader `owed`, in one
    /// transfer of this kind. transfer of this kind.
    pub(crate) async fn check_paid(
        &self,
        fixture: &Fixture,
        kind: TransferKind,
        owed: impl Fn(&Trader) -> i64,
    ) {
        let mut sum = 0;
        for trader in &self.traders {
            let rows = fixture.statement(trader.caller.account_id).await;
            let paid: Vec<_> =
                rows.iter().filter(|row| row.kind == kind).map(|row| row.amount.minor()).collect();
            let owed = owed(trader);
            assert_eq!(
                paid,
                if owed > 0 { vec![owed] } else { vec![] },
                "{:?}",
                trader.caller.account_id
            );
            sum += owed;
        }
        let settlement = fixture.settlement(self.id()).await;
        assert!(settlement.completed_at.is_some(), "{settlement:?}");
        assert_eq!((settlement.paid.minor(), fixture.pot(self.id()).await), (sum, 0));
        fixture.audit().await;
    }
}

impl Fixture {
    /// Returns the texts of a market with these many options.
    pub(crate) fn texts(options: usize) -> MarketTexts {
        let names =
            (1..=options).map(|number| OptionName::new(format!("Option {number}")).unwrap());
        let name = MarketName::new("Will it rain?").unwrap();
        let description = MarketDescription::new("By the weather service's word.").unwrap();
        MarketTexts::new(name, description, Category::new("politics").unwrap(), names.collect())
            .unwrap()
    }

    /// Returns the data of a new market with two options that ends in a day.
    pub(crate) fn opening(&self, subsidy: i64) -> MarketOpening {
        MarketOpening {
            texts: Self::texts(2),
            probabilities: vec![None; 2],
            ends_at: self.app.now().plus_seconds(86_400),
            subsidy: amount(subsidy),
        }
    }

    /// Creates a market with two options that ends in a day.
    pub(crate) async fn market(&self, creator: &Caller, subsidy: i64) -> MarketDetails {
        let receipt =
            self.app.markets.open_market(creator, self.key(), self.opening(subsidy)).await.unwrap();
        receipt.result.unwrap().into_details().unwrap()
    }

    /// Returns the target of a bet in a market, without a client id.
    pub(crate) fn target(market: &MarketDetails) -> TradeTarget {
        TradeTarget { market_id: market.market.id(), client_id: None }
    }

    /// Returns the id of a market's option.
    pub(crate) fn option(market: &MarketDetails, index: usize) -> OptionId {
        market.market.record().options[index].id
    }

    /// Returns an order for shares of an option, without limits.
    pub(crate) fn order(market: &MarketDetails, index: usize, minor: i64) -> BuyOrder {
        let option_id = Self::option(market, index);
        BuyOrder { option_id, amount: amount(minor), min_shares: None, max_price: None }
    }

    /// Places a bet under a new key.
    pub(crate) async fn bet(
        &self,
        trader: &Caller,
        market: &MarketDetails,
        option: usize,
        minor: i64,
    ) -> Result<TradeReceipt, DomainError> {
        let order = Self::order(market, option, minor);
        let placed = self.app.trading.place_bet(trader, self.key(), Self::target(market), order);
        placed.await.unwrap().result
    }

    /// Sells all shares of an option under a new key.
    pub(crate) async fn sell_all(
        &self,
        trader: &Caller,
        market: &MarketDetails,
        option: usize,
    ) -> Result<TradeReceipt, DomainError> {
        let option_id = Self::option(market, option);
        let order = SellOrder { option_id, quantity: Quantity::All, min_proceeds: None };
        let sold = self.app.trading.sell_shares(trader, self.key(), Self::target(market), order);
        sold.await.unwrap().result
    }

    /// Decides a market under a new key, for a caller who can do so at once.
    pub(crate) async fn decide(
        &self,
        caller: &Caller,
        market: &MarketDetails,
        decision: Decision,
    ) -> Result<Receipt<MarketState>, AppError> {
        let Receipt { result, is_replay } =
            self.decide_or_propose(caller, market, decision).await?;
        let result = result.map(|decided| match decided {
            Decided::Now(state) => *state,
            Decided::Proposed(proposal) => panic!("only proposed: {proposal:?}"),
        });
        Ok(Receipt { result, is_replay })
    }

    /// Decides a market under a new key, or proposes to.
    pub(crate) async fn decide_or_propose(
        &self,
        caller: &Caller,
        market: &MarketDetails,
        decision: Decision,
    ) -> Result<Receipt<Decided>, AppError> {
        let (id, evidence) = (market.market.id(), Evidence::default());
        self.app.markets.decide_market(caller, self.key(), id, decision, evidence).await
    }

    /// Proposes to decide a market, and returns the proposal.
    pub(crate) async fn propose(
        &self,
        caller: &Caller,
        market: &MarketDetails,
        decision: Decision,
    ) -> Resolution {
        let receipt = self.decide_or_propose(caller, market, decision).await.unwrap();
        match receipt.result.unwrap() {
            Decided::Proposed(proposal) => *proposal,
            Decided::Now(state) => panic!("decided at once: {state:?}"),
        }
    }

    /// Returns the resolutions of a market, newest first.
    pub(crate) async fn resolutions(&self, market: MarketId) -> Vec<Resolution> {
        let page = PageRequest { start: PageStart::First, limit: 100 };
        self.app.markets.list_resolutions(market, page).await.unwrap().1
    }

    /// Returns the settlement of a decided market.
    pub(crate) async fn settlement(&self, market: MarketId) -> Settlement {
        self.memory.find_settlement(market).await.unwrap().expect("the market is decided")
    }

    /// Waits until a market is settled.
    pub(crate) async fn settled(&self, market: MarketId) {
        eventually(async || self.settlement(market).await.completed_at.is_some()).await;
    }

    /// Returns the balance of a market's pot, in minor units.
    pub(crate) async fn pot(&self, market: MarketId) -> i64 {
        self.balance(AccountId::of_market(market)).await
    }

    /// Returns all transfers of an account, newest first.
    pub(crate) async fn statement(&self, account: AccountId) -> Vec<Transfer> {
        let mut rows = Vec::new();
        for page in 1.. {
            let request = NumberedPage::new(page, 100).unwrap();
            let mut found = self.memory.page_transfers(account, request.into()).await.unwrap();
            if found.rows.is_empty() {
                break;
            }
            rows.append(&mut found.rows);
        }
        rows
    }
}
