//! Compares the curve with values computed to hundreds of digits
//! (`tests/vectors/curve_reference.tsv`).

use std::str::FromStr;

use foretell_domain::market::curve::{Curve, Price};

const TABLE: &str = include_str!("../vectors/curve_reference.tsv");

/// Returns the fields of each row of this kind.
fn rows(kind: &str) -> Vec<Vec<&str>> {
    let fields = TABLE.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    fields.filter(|row| row[0] == kind).map(|row| row[1..].to_vec()).collect()
}

/// Parses a field; `str::parse` rounds to the nearest number, so these are the exact inputs of the
/// reference.
fn parse<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the table holds numbers")
}

fn assert_near(name: &str, actual: f64, expected: f64, tolerance: f64, row: &[&str]) {
    let error = (actual - expected).abs();
    assert!(
        actual.is_finite() && error <= tolerance,
        "{name} is {actual:e} and not {expected:e}, off by {error:e} of {tolerance:e}, in {row:?}"
    );
}

/// Returns half of the relative error that the rounding to whole units allows for (`Lmsr::slack`).
fn half_slack(distance: f64) -> f64 {
    libm::exp2(-51.0) * (64.0 + distance)
}

#[test]
fn trades_match_reference_digits() {
    let rows = rows("trade");
    assert_eq!(rows.len(), 96);
    for row in rows {
        let number = |index: usize| parse::<f64>(row[index]);
        let (b, ln_p, amount) = (number(0), number(1), number(2));
        let price = Price::from_ln(ln_p, b);
        let after = price.after_spend(amount);
        let both = -ln_p - price.ln_complement();
        for (name, actual, expected, distance) in [
            ("shares", price.shares_for_spend(amount), number(3), both),
            ("bonus", price.bonus_for_spend(amount), number(4), both),
            ("cost", price.cost_of_shares(amount), number(5), -ln_p),
            ("proceeds", price.proceeds_of_shares(amount), number(6), -ln_p),
        ] {
            let tolerance = half_slack(distance / (expected / b).max(1.0)) * expected;
            assert_near(name, actual, expected, tolerance, &row);
        }
        for (name, actual, expected) in [
            ("ln p after", after.ln_p(), number(7)),
            ("ln(1 - p) after", after.ln_complement(), number(8)),
        ] {
            let tolerance = half_slack(both) * expected.abs();
            assert_near(name, actual, expected, tolerance.max(f64::MIN_POSITIVE), &row);
        }
        assert_near("p after", after.p(), libm::exp(number(7)), 1e-13 * after.p(), &row);
    }
}

#[test]
fn prices_match_reference_digits() {
    let rows = rows("state");
    assert_eq!(rows.len(), 27);
    for row in rows {
        let list = |text: &str| text.split(',').map(parse).collect::<Vec<f64>>();
        let number = |index: usize| parse::<f64>(row[index]);
        let (b, quantities, option) = (number(0), list(row[2]), parse(row[3]));
        let curve = Curve::with_liquidity(b, &list(row[1])).expect("a usable curve");
        let price = curve.price(&quantities, option).expect("a known option");
        for (name, actual, expected) in [
            ("p", price.p(), number(4)),
            ("1 - p", price.complement(), number(5)),
            ("ln p", price.ln_p(), number(6)),
            ("ln(1 - p)", price.ln_complement(), number(7)),
        ] {
            // Beyond its underflow a probability is zero, and only its logarithm is meaningful.
            let tolerance = half_slack(-number(6) - number(7)) * expected.abs();
            assert_near(name, actual, expected, tolerance, &row);
        }
        let prices: Vec<f64> = curve.prices(&quantities).expect("one number an option").collect();
        assert_eq!(prices[option].to_bits(), price.p().to_bits(), "{row:?}");
        let cost = curve.cost(&quantities).expect("one number an option");
        assert_near("C(q)", cost, number(8), 1e-14 * (number(8).abs() + b), &row);
    }
}

#[test]
fn spend_and_sale_reach_target_price() {
    let levels = [1e-300, 1e-12, 1e-6, 0.3, 0.300_000_1, 0.5, 0.9];
    let mut ln_ps: Vec<f64> = levels.iter().map(|level| libm::log(*level)).collect();
    ln_ps.extend([-1e-6, -1e-12, -1.000_000_1e-12, -1e-300]);
    for pair in ln_ps.windows(2) {
        let (low, high) = (Price::from_ln(pair[0], 50.0), Price::from_ln(pair[1], 50.0));
        let (low, high) = if low.ln_p() < high.ln_p() { (low, high) } else { (high, low) };
        let spend = low.spend_to_reach(&high);
        let reached = low.after_spend(spend);
        let error = (reached.ln_complement() / high.ln_complement() - 1.0).abs();
        assert!(spend > 0.0 && error < 1e-13, "{low:?} to {high:?}: {reached:?}");
        let shares = high.shares_to_sell_to_reach(&low);
        let proceeds = high.proceeds_of_shares(shares);
        assert!((proceeds / spend - 1.0).abs() < 1e-12, "{proceeds:e} for {spend:e}");
        assert!(high.spend_to_reach(&low) < 0.0 && low.shares_to_sell_to_reach(&high) < 0.0);
    }
}
