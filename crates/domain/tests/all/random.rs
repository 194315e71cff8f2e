//! A seeded stream of random numbers and markets, so that a failure can be reproduced.

use foretell_domain::market::MAX_OPTIONS;
use foretell_domain::market::lmsr::Lmsr;
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;

/// Splitmix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let drawn = self.next() % u64::try_from(limit).expect("a usize fits");
        usize::try_from(drawn).expect("it is below a usize")
    }

    /// Returns a number from 1 to `largest`; every order of magnitude is equally likely.
    pub(crate) fn units(&mut self, largest: i64) -> i64 {
        let shift = self.below(usize::try_from(largest.ilog2()).expect("at most 63") + 1);
        let most = (largest >> shift).max(1);
        1 + i64::try_from(self.next() >> 1).expect("63 bits") % most
    }

    pub(crate) fn amount(&mut self, largest: i64) -> Amount {
        Amount::new(self.units(largest)).expect("above zero")
    }

    pub(crate) fn shares(&mut self, held: Shares) -> Shares {
        Shares::new(self.units(held.units())).expect("above zero")
    }

    /// Returns a market of 2 to 10 options; one of three starts equal, the others skewed down to
    /// about 1e-12.
    pub(crate) fn market(&mut self, largest_subsidy: i64) -> (Lmsr, usize) {
        let options = 2 + self.below(MAX_OPTIONS - 1);
        let subsidy = self.amount(largest_subsidy);
        if self.below(3) == 0 {
            return (Lmsr::uniform(subsidy, options).expect("2 to 10"), options);
        }
        let weights: Vec<f64> = (0..options).map(|_| libm::exp2(-self.real() * 36.0)).collect();
        let sum: f64 = weights.iter().sum();
        let initial = weights.iter().map(|weight| {
            let share = (weight / sum).clamp(1e-12, 1.0 - 1e-12);
            Probability::new(share).expect("a share of the sum")
        });
        let initial: Vec<_> = initial.collect();
        (Lmsr::new(subsidy, &initial).expect("within the range"), options)
    }

    /// Returns a number from 0 to 1.
    fn real(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).expect("32 bits")) / f64::from(u32::MAX)
    }
}
