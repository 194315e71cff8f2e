//! A complete market in memory, without server or database, as an example of a program that embeds
//! the rules.
//!
//! Run it with `cargo run -p foretell-domain --example market_in_memory`.

use std::collections::BTreeMap;
use std::error::Error;

use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, MarketId, OptionId, TransferId, UserId};
use foretell_domain::market::{
    BuyOrder, Holding, Market, Opening, Quantity, SellOrder, Settlement, TradingDesk,
};
use foretell_domain::money::{Amount, Currency};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{TransferKind, TransferOrder, transfer};

const YES: OptionId = OptionId::from_u128(1);
const NO: OptionId = OptionId::from_u128(2);
const NOON: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// The accounts of the house and of three users, and the transfers that change them.
struct Bank {
    accounts: BTreeMap<AccountId, Account>,
    transfers: u128,
}

impl Bank {
    fn open(people: u128) -> Self {
        let users =
            (1..=people).map(|n| Account::user(AccountId::from_u128(n), UserId::from_u128(n)));
        let accounts = users.chain([Account::treasury(), Account::fees()]);
        Self { accounts: accounts.map(|account| (account.id(), account)).collect(), transfers: 0 }
    }

    fn pay(
        &mut self,
        kind: TransferKind,
        from: AccountId,
        to: AccountId,
        amount: Amount,
    ) -> Result<(), Box<dyn Error>> {
        let order = TransferOrder::new(self.next_transfer(), kind, amount, NOON);
        let mut debit = self.account(from)?;
        let mut credit = self.account(to)?;
        transfer(&mut debit, &mut credit, order)?;
        self.accounts.extend([(from, debit), (to, credit)]);
        Ok(())
    }

    fn next_transfer(&mut self) -> TransferId {
        self.transfers += 1;
        TransferId::from_u128(self.transfers)
    }

    /// Brings together what a trade of this person changes.
    fn desk(
        &self,
        market: Market,
        person: AccountId,
        holding: Holding,
    ) -> Result<TradingDesk, Box<dyn Error>> {
        let pot = self.account(AccountId::of_market(market.id()))?;
        let desk = TradingDesk::new(market, pot, self.account(person)?, holding);
        Ok(desk.ok_or("these rows do not belong together")?)
    }

    /// Stores what a trade has changed, and returns the market.
    fn store(&mut self, desk: TradingDesk, holdings: &mut BTreeMap<AccountId, Holding>) -> Market {
        let (market, pot, trader, holding) = desk.into_parts();
        self.accounts.extend([(pot.id(), pot), (trader.id(), trader)]);
        holdings.insert(trader.id(), holding);
        market
    }

    fn account(&self, id: AccountId) -> Result<Account, Box<dyn Error>> {
        Ok(*self.accounts.get(&id).ok_or("no such account")?)
    }
}

#[expect(clippy::print_stdout, reason = "the example shows what happens")]
fn main() -> Result<(), Box<dyn Error>> {
    let play = Currency::new("PLAY", 2)?;
    let [ada, ben, cleo] = [1, 2, 3].map(AccountId::from_u128);
    let mut bank = Bank::open(3);
    for person in [ada, ben, cleo] {
        bank.pay(TransferKind::Grant, AccountId::TREASURY, person, play.parse_amount("1000")?)?;
    }

    let (mut market, pot) = open_market(&mut bank, ada, play.parse_amount("100")?)?;
    let mut holdings = BTreeMap::new();
    for (person, option, amount) in [(ben, YES, "50"), (cleo, NO, "20"), (ben, YES, "25.50")] {
        let order = BuyOrder {
            option_id: option,
            amount: play.parse_amount(amount)?,
            min_shares: None,
            max_price: None,
        };
        let holding =
            holdings.remove(&person).unwrap_or_else(|| Holding::empty(market.id(), person, 2));
        let desk = bank.desk(market, person, holding)?;
        let (desk, trade) = desk.buy(&order, bank.next_transfer(), NOON)?;
        market = bank.store(desk, &mut holdings);
        println!("{person} pays {amount} for {} shares", play.display(trade.fill.shares.units()));
        print_prices(&market);
    }

    let sale = SellOrder { option_id: NO, quantity: Quantity::All, min_proceeds: None };
    let holding = holdings.remove(&cleo).ok_or("Cleo has bet")?;
    let desk = bank.desk(market, cleo, holding)?;
    let (desk, trade) = desk.sell(&sale, bank.next_transfer(), NOON)?;
    market = bank.store(desk, &mut holdings);
    println!("{cleo} sells out for {}", play.display(trade.fill.cash.minor()));
    print_prices(&market);

    settle(&mut bank, market, pot, ada, &holdings.into_values().collect::<Vec<_>>())?;
    for (id, account) in &bank.accounts {
        println!("{id} holds {}", play.display(account.balance().minor()));
    }
    let sum: i64 = bank.accounts.values().map(|account| account.balance().minor()).sum();
    assert_eq!(sum, 0, "money only moves");
    Ok(())
}

fn open_market(
    bank: &mut Bank,
    creator: AccountId,
    subsidy: Amount,
) -> Result<(Market, AccountId), Box<dyn Error>> {
    let opening = Opening {
        id: MarketId::from_u128(99),
        creator_id: UserId::from_u128(1),
        creator_account_id: creator,
        ends_at: NOON.plus_seconds(3_600),
        subsidy,
        fee_bps: 0,
        options: vec![(YES, None), (NO, None)],
    };
    let market = Market::open(opening, NOON)?;
    let pot = Account::pot(market.id());
    bank.accounts.insert(pot.id(), pot);
    bank.pay(TransferKind::Subsidy, creator, pot.id(), subsidy)?;
    print_prices(&market);
    Ok((market, pot.id()))
}

fn settle(
    bank: &mut Bank,
    market: Market,
    pot: AccountId,
    creator: AccountId,
    holdings: &[Holding],
) -> Result<(), Box<dyn Error>> {
    let (decided_by, basis_points) = (market.record().creator_id, market.winner(YES)?);
    let (market, terms) = market.resolve(basis_points)?;
    let settlement = Settlement::begin(market.id(), terms, decided_by, NOON);
    for payout in settlement.payouts(holdings) {
        bank.pay(TransferKind::Payout, pot, payout.account_id, payout.amount)?;
    }
    if let Some(rest) = bank.account(pot)?.balance().to_amount() {
        bank.pay(TransferKind::Remainder, pot, creator, rest)?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the example shows what happens")]
fn print_prices(market: &Market) {
    let prices: Vec<_> = market.probabilities().iter().map(|p| format!("{:.4}", p.get())).collect();
    println!("  prices: {}", prices.join(", "));
}
