//! Replays a market with the domain's own rules, trade by trade, from the server's responses.

use std::collections::BTreeMap;

use foretell_domain::id::{AccountId, UserId};
use foretell_domain::market::{
    BuyOrder, Fill, Holding, Market, Opening, Quantity, SellOrder, Settlement, SettlementTerms,
    TradeSide,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;
use serde_json::Value;

use crate::client::{Client, text};
use crate::minor;

/// Time of all events; no rule of these tests depends on it.
const NOW: Timestamp = Timestamp::from_micros(0);

/// Half of the last digit of a probability in a response, and a little for the sum's own error.
const SHOWN: f64 = 0.500_001e-6;

/// A market after its creation, with the trades applied so far.
pub struct Replay {
    market: Market,
    pot: Balance,
    accounts: BTreeMap<String, AccountId>,
    holdings: BTreeMap<AccountId, Holding>,
}

impl Replay {
    /// Creates the replay of the market requested as `sent` and returned as `opened`, in which
    /// `people` may trade; the first is its creator.
    pub fn new(sent: &Value, opened: &Value, people: &[&Client]) -> Self {
        let probability =
            |option: &Value| option["probability"].as_f64().map(|p| Probability::new(p).unwrap());
        let options =
            sent["options"].as_array().unwrap().iter().zip(opened["options"].as_array().unwrap());
        let account = |client: &Client| client.account_id.parse::<AccountId>().unwrap();
        let subsidy = Amount::new(minor(&opened["subsidy"])).unwrap();
        let opening = Opening {
            id: text(&opened["id"]).parse().unwrap(),
            creator_id: people[0].user_id.parse::<UserId>().unwrap(),
            creator_account_id: account(people[0]),
            ends_at: NOW.plus_seconds(1),
            subsidy,
            fee_bps: 0,
            options: options
                .map(|(sent, made)| (text(&made["id"]).parse().unwrap(), probability(sent)))
                .collect(),
        };
        Self {
            market: Market::open(opening, NOW).unwrap(),
            pot: subsidy.into(),
            accounts: people
                .iter()
                .map(|client| (client.user_id.clone(), account(client)))
                .collect(),
            holdings: BTreeMap::new(),
        }
    }

    /// Applies bets and sales, oldest first, and checks each result against the rules.
    pub fn apply_all<'a>(&mut self, bets: impl IntoIterator<Item = &'a Value>) {
        for bet in bets {
            self.apply(bet);
        }
    }

    /// Applies a bet or sale and checks its result against the rules.
    pub fn apply(&mut self, bet: &Value) {
        let account_id = self.accounts[&text(&bet["userId"])];
        let option_count = self.market.record().options.len();
        let holding = self
            .holdings
            .entry(account_id)
            .or_insert_with(|| Holding::empty(self.market.id(), account_id, option_count));
        let fill = price(&self.market, holding, self.pot, bet);
        self.pot = match fill.side {
            TradeSide::Buy => self.pot.plus(fill.cash),
            TradeSide::Sell => self.pot.minus(fill.cash),
        }
        .unwrap();
        self.market.record_fill(&fill, holding, self.pot).unwrap();
        check(&fill, bet);
    }

    /// Checks that the server returns the market in the replayed state.
    pub fn check_market(&self, shown: &Value) {
        for (option, expected) in
            shown["options"].as_array().unwrap().iter().zip(self.market.probabilities())
        {
            check_probability(&option["probability"], expected, shown);
        }
        let record = self.market.record();
        assert_eq!(shown["version"], record.version, "{shown:#}");
        assert_eq!(minor(&shown["volume"]), record.volume.minor(), "{shown:#}");
    }

    /// Returns the payment to each account if the options pay these basis points, including the
    /// creator's remainder.
    pub fn payouts(&self, basis_points: &[u16]) -> BTreeMap<String, i64> {
        let (_, terms) = self.market.clone().resolve(basis_points.to_vec()).unwrap();
        self.settle(terms)
    }

    /// Returns the refund of each account if the market is cancelled, including the creator's
    /// remainder.
    pub fn refunds(&self) -> BTreeMap<String, i64> {
        let (_, terms) = self.market.clone().cancel(self.pot).unwrap();
        self.settle(terms)
    }

    fn settle(&self, terms: SettlementTerms) -> BTreeMap<String, i64> {
        let record = self.market.record();
        let settlement = Settlement::begin(record.id, terms, record.creator_id, NOW);
        let holdings: Vec<_> = self.holdings.values().cloned().collect();
        let mut left = self.pot.minor();
        let mut paid = BTreeMap::new();
        for payout in settlement.payouts(&holdings) {
            left -= payout.amount.minor();
            paid.insert(payout.account_id.to_string(), payout.amount.minor());
        }
        *paid.entry(record.creator_account_id.to_string()).or_default() += left;
        paid
    }
}

fn price(market: &Market, holding: &Holding, pot: Balance, bet: &Value) -> Fill {
    let option_id = text(&bet["optionId"]).parse().unwrap();
    if bet["side"] == "buy" {
        let amount = Amount::new(minor(&bet["amount"])).unwrap();
        let order = BuyOrder { option_id, amount, min_shares: None, max_price: None };
        market.price_buy(&order, pot, NOW).unwrap()
    } else {
        let quantity = Quantity::Shares(Shares::new(minor(&bet["shares"])).unwrap());
        let shares =
            holding.shares_to_sell(market.option_index(option_id).unwrap(), quantity).unwrap();
        let order = SellOrder { option_id, quantity, min_proceeds: None };
        market.price_sell(&order, shares, pot, NOW).unwrap()
    }
}

fn check(fill: &Fill, bet: &Value) {
    assert_eq!(minor(&bet["amount"]), fill.cash.minor(), "{bet:#}");
    assert_eq!(minor(&bet["shares"]), fill.shares.units(), "{bet:#}");
    assert_eq!(bet["sequence"], fill.sequence, "{bet:#}");
    assert_eq!(bet["marketVersion"], fill.market_version, "{bet:#}");
    check_probability(&bet["priceBefore"], fill.prices_before[fill.option_index], bet);
    check_probability(&bet["priceAfter"], fill.prices_after[fill.option_index], bet);
}

fn check_probability(shown: &Value, expected: Probability, within: &Value) {
    let shown = shown.as_f64().unwrap_or_else(|| panic!("{shown} is no probability in {within:#}"));
    assert!(
        (shown - expected.get()).abs() <= SHOWN,
        "{shown} is not {} in {within:#}",
        expected.get()
    );
}
