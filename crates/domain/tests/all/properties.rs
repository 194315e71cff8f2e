//! Properties of any sequence of orders: rounding never profits a trader, and the pot covers every
//! payout.

use foretell_domain::market::MAX_OPTIONS;
use foretell_domain::market::lmsr::{Lmsr, MAX_UNITS, Mechanism};
use foretell_domain::money::Amount;
use foretell_domain::shares::Shares;

use crate::random::Random;

const ROUND_TRIPS: u32 = 100_000;
const LARGEST_ORDER: i64 = 1_000_000_000_000;
const LARGEST_SUBSIDY: i64 = 100_000_000_000_000;

/// One market with its pot, in integers alone.
struct Table {
    lmsr: Lmsr,
    outstanding: Vec<Shares>,
    pot: i64,
}

impl Table {
    fn open(random: &mut Random) -> Self {
        let (lmsr, options) = random.market(LARGEST_SUBSIDY);
        let pot = lmsr.worst_case_loss().minor();
        Self { lmsr, outstanding: vec![Shares::ZERO; options], pot }
    }

    /// Buys shares. Returns `None`, and changes nothing, if the order is out of range.
    fn buy(&mut self, option: usize, spend: Amount) -> Option<Shares> {
        let shares = self.lmsr.shares_for(&self.outstanding, option, spend)?;
        self.outstanding[option] = self.outstanding[option].plus(shares)?;
        self.pot += spend.minor();
        self.assert_covered();
        Some(shares)
    }

    fn buy_shares(&mut self, option: usize, shares: Shares) -> Option<Amount> {
        let cost = self.lmsr.cost_of(&self.outstanding, option, shares)?;
        self.outstanding[option] = self.outstanding[option].plus(shares)?;
        self.pot += cost.minor();
        self.assert_covered();
        Some(cost)
    }

    /// Sells shares and returns the proceeds; sells nothing if they would be zero.
    fn sell(&mut self, option: usize, shares: Shares) -> i64 {
        let Some(proceeds) = self.lmsr.proceeds_of(&self.outstanding, option, shares) else {
            return 0;
        };
        self.outstanding[option] = self.outstanding[option].minus(shares).expect("they were held");
        self.pot -= proceeds.minor();
        self.assert_covered();
        proceeds.minor()
    }

    fn assert_covered(&self) {
        let owed = self.outstanding.iter().map(|shares| shares.units()).max().unwrap_or(0);
        let (pot, lmsr) = (self.pot, &self.lmsr);
        assert!(pot >= owed, "the pot of {pot} owes {owed}: {:?} {lmsr:?}", self.outstanding);
    }

    /// Makes up to four purchases, each limited so that prices shift by a few b, or entirely
    /// random.
    fn stir(&mut self, random: &mut Random) {
        for _ in 0..random.below(5) {
            let option = random.below(self.outstanding.len());
            let near = self.lmsr.worst_case_loss().minor().min(LARGEST_ORDER);
            let largest = if random.below(4) == 0 { LARGEST_ORDER } else { near };
            self.buy(option, random.amount(largest));
        }
    }
}

#[test]
fn buying_and_selling_back_never_profits() {
    let mut random = Random::new(1);
    let mut done = 0;
    let mut emptied = 0;
    while done < ROUND_TRIPS {
        let mut table = Table::open(&mut random);
        table.stir(&mut random);
        let option = random.below(table.outstanding.len());
        let spend = random.amount(LARGEST_ORDER);
        let Some(shares) = table.buy(option, spend) else { continue };
        let proceeds = table.sell(option, shares);
        assert!(
            proceeds <= spend.minor(),
            "{proceeds} for {spend:?}: {table:?}",
            table = table.lmsr
        );
        assert!(shares.units() >= spend.minor());
        done += 1;
        emptied += u32::from(proceeds == 0);
    }
    assert!(emptied < ROUND_TRIPS / 4, "{emptied} round trips tested nothing");
}

#[test]
fn selling_and_buying_back_never_profits() {
    let mut random = Random::new(2);
    let mut done = 0;
    while done < 20_000 {
        let mut table = Table::open(&mut random);
        let option = random.below(table.outstanding.len());
        if table.buy(option, random.amount(LARGEST_ORDER)).is_none() {
            continue;
        }
        let shares = random.shares(table.outstanding[option]);
        let Ok(proceeds) = Amount::new(table.sell(option, shares)) else { continue };
        let again = table.lmsr.shares_for(&table.outstanding, option, proceeds);
        assert!(again.expect("in range") <= shares, "{:?}", table.lmsr);
        let cost = table.buy_shares(option, shares).expect("in range");
        assert!(cost >= proceeds && cost.minor() <= shares.units(), "{:?}", table.lmsr);
        done += 1;
    }
}

#[test]
fn full_set_never_costs_less_than_payout() {
    let mut random = Random::new(3);
    for _ in 0..10_000 {
        let mut table = Table::open(&mut random);
        table.stir(&mut random);
        let shares = Shares::new(random.units(LARGEST_ORDER)).unwrap();
        let options = 0..table.outstanding.len();
        let paid: i64 =
            options.clone().filter_map(|i| Some(table.buy_shares(i, shares)?.minor())).sum();
        assert!(paid >= shares.units(), "{paid} for {shares:?}: {:?}", table.lmsr);
        let received: i64 = options.map(|option| table.sell(option, shares)).sum();
        assert!(received <= shares.units(), "{received} for {shares:?}: {:?}", table.lmsr);
    }
}

#[test]
fn purchase_in_pieces_never_gets_more_shares() {
    let mut random = Random::new(4);
    let mut done = 0;
    while done < 20_000 {
        let mut table = Table::open(&mut random);
        table.stir(&mut random);
        let option = random.below(table.outstanding.len());
        let pieces: Vec<Amount> =
            (0..2 + random.below(4)).map(|_| random.amount(1_000_000)).collect();
        let whole = Amount::new(pieces.iter().map(|piece| piece.minor()).sum()).unwrap();
        let at_once = table.lmsr.shares_for(&table.outstanding, option, whole);
        // Up to here the slack is far below one share; beyond, the next test compares with the
        // curve.
        let Some(at_once) = at_once.filter(|shares| shares.units() < 100_000_000) else { continue };
        let bought =
            pieces.iter().map(|piece| table.buy(option, *piece).expect("in range").units());
        let in_pieces: i64 = bought.sum();
        assert!(in_pieces <= at_once.units(), "{in_pieces} and {at_once:?}: {:?}", table.lmsr);
        done += 1;
    }
}

#[test]
fn large_pieces_never_beat_the_curve() {
    let mut random = Random::new(5);
    let mut done = 0;
    while done < 20_000 {
        let mut table = Table::open(&mut random);
        table.stir(&mut random);
        let option = random.below(table.outstanding.len());
        let pieces: Vec<Amount> =
            (0..2 + random.below(4)).map(|_| random.amount(LARGEST_ORDER)).collect();
        let whole: i64 = pieces.iter().map(|piece| piece.minor()).sum();
        let before = table.outstanding.clone();
        let bought: Option<Vec<Shares>> =
            pieces.iter().map(|piece| table.buy(option, *piece)).collect();
        let Some(bought) = bought else { continue };
        let in_pieces: i64 = bought.iter().map(|shares| shares.units()).sum();
        let quantities: Vec<f64> = before.iter().map(|shares| real(shares.units())).collect();
        let price = table.lmsr.curve().price(&quantities, option).expect("a known option");
        let exact = price.shares_for_spend(real(whole));
        let most = exact * (1.0 + libm::exp2(-44.0));
        assert!(real(in_pieces) <= most, "{in_pieces} and {exact}: {:?}", table.lmsr);
        done += 1;
    }
}

#[test]
fn pot_covers_payouts_of_random_histories() {
    let mut random = Random::new(6);
    for _ in 0..1_000 {
        let mut table = Table::open(&mut random);
        let near = table.lmsr.worst_case_loss().minor();
        for _ in 0..100 {
            let option = random.below(table.outstanding.len());
            let held = table.outstanding[option];
            match random.below(4) {
                0 => drop(table.buy(option, random.amount(LARGEST_ORDER))),
                1 => drop(table.buy_shares(option, Shares::new(random.units(near)).unwrap())),
                2 if !held.is_zero() => drop(table.sell(option, random.shares(held))),
                _ => drop(table.buy(option, random.amount(near))),
            }
        }
        // The pot covers the outstanding shares at each step of the way back, too.
        for option in 0..table.outstanding.len() {
            let held = table.outstanding[option];
            table.sell(option, held);
        }
    }
}

#[test]
fn pot_covers_payouts_of_certain_option() {
    let mut random = Random::new(7);
    for subsidy in [1, 7, 1_000, 123_456_789, LARGEST_SUBSIDY] {
        for options in 2..=MAX_OPTIONS {
            let lmsr = Lmsr::uniform(Amount::new(subsidy).unwrap(), options).unwrap();
            let mut table = Table { lmsr, outstanding: vec![Shares::ZERO; options], pot: subsidy };
            for _ in 0..200 {
                table.buy(options - 1, random.amount(subsidy));
            }
        }
    }
}

#[test]
fn orders_beyond_range_are_rejected() {
    let amount = |minor| Amount::new(minor).unwrap();
    let shares = |units| Shares::new(units).unwrap();
    let lmsr = Lmsr::uniform(amount(MAX_UNITS), 2).unwrap();
    let full = [shares(MAX_UNITS), Shares::ZERO];
    let beyond = [shares(MAX_UNITS + 1), Shares::ZERO];
    assert_eq!(lmsr.shares_for(&full, 0, amount(1)), None);
    assert_eq!(lmsr.cost_of(&full, 0, shares(1)), None);
    assert!(lmsr.proceeds_of(&full, 0, shares(MAX_UNITS)).is_some());
    assert_eq!(lmsr.shares_for(&beyond, 1, amount(1)), None);
    assert_eq!(lmsr.cost_of(&beyond, 1, shares(1)), None);
    assert_eq!(lmsr.proceeds_of(&beyond, 0, shares(1)), None);
    assert_eq!(lmsr.prices(&beyond), []);
    for outstanding in [&full[..1], &[Shares::ZERO; 3][..], &[Shares::ZERO; 11][..], &[]] {
        assert_eq!(lmsr.prices(outstanding), []);
        assert_eq!(lmsr.shares_for(outstanding, 0, amount(1)), None);
    }
    assert_eq!(lmsr.shares_for(&[Shares::ZERO; 2], 2, amount(1)), None);
    assert_eq!(lmsr.shares_for(&[Shares::ZERO; 2], 0, amount(i64::MAX)), None);
    assert_eq!(lmsr.cost_of(&[Shares::ZERO; 2], 0, shares(i64::MAX)), None);
    assert_eq!(lmsr.cost_of(&[Shares::ZERO; 2], 0, Shares::ZERO), None);
    assert_eq!(
        lmsr.proceeds_of(&[shares(999), Shares::ZERO], 0, shares(1_000)),
        None,
        "more than there are"
    );
}

/// Exact: no test here goes beyond 2^53.
fn real(units: i64) -> f64 {
    let high = i32::try_from(units >> 31).expect("below 2^62");
    let low = u32::try_from(units & 0x7fff_ffff).expect("31 bits");
    f64::from(high) * 2_147_483_648.0 + f64::from(low)
}
