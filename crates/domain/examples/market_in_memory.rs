//! A complete market in memory, without server or database, as an example of a program that embeds
//! the rules.
//!
//! Run it with `cargo run -p foretell-domain --example market_in_memory`.

use std::collections::BTreeMap;
use std::error::Error;

use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, MarketId, OptionId, TransferId, UserId};
use foretell_domain::market::{
    BuyOrder, Holding, Market, Opening, Quantity, SellOrder, Settlement, TradeSide,
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
        let users = (1..=people).map(|n| Account::user(AccountId::from_u128(n), UserId::from_u128(n)));
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
        self.transfers += 1;
        let order = TransferOrder::new(TransferId::from_u128(self.transfers), kind, amount, NOON);
        let mut debit = self.account(from)?;
        let mut credit = self.account(to)?;
        transfer(&mut debit, &mut credit, order)?;
        self.accounts.extend([(from, debit), (to, credit)]);
        Ok(())
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
        let fill = market.price_buy(&order, bank.account(pot)?.balance(), NOON)?;
        bank.pay(TransferKind::Bet, person, pot, fill.cash)?;
        let holding = holdings.entry(person).or_insert_with(|| Holding::empty(market.id(), person, 2));
        market.record_fill(&fill, holding, bank.account(pot)?.balance())?;
        println!("{person} pays {amount} for {} shares", play.display(fill.shares.units()));
        print_prices(&market);
    }

    let sale = SellOrder { option_id: NO, quantity: Quantity::All, min_proceeds: None };
    if let Some(holding) = holdings.get_mut(&cleo) {
        let shares = holding.shares_to_sell(1, sale.quantity)?;
        let fill = market.price_sell(&sale, shares, bank.account(pot)?.balance(), NOON)?;
        assert_eq!(fill.side, TradeSide::Sell);
        bank.pay(TransferKind::Sale, pot, cleo, fill.cash)?;
        market.record_fill(&fill, holding, bank.account(pot)?.balance())?;
        println!("{cleo} sells out for {}", play.display(fill.cash.minor()));
        print_prices(&market);
    }

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
