//! Checks every published figure in `tests/vectors/lmsr.json` within its own tolerance.

use foretell_domain::allocation::allocate;
use foretell_domain::market::curve::{Curve, Price};
use serde_json::Value;

const VECTORS: &str = include_str!("../vectors/lmsr.json");

/// One vector: its input, the output expected by other implementations' tests, and the tolerance.
struct Vector<'a> {
    json: &'a Value,
    checked: usize,
}

impl<'a> Vector<'a> {
    fn input(&self, name: &str) -> &'a Value {
        &self.json["inputs"][name]
    }

    fn number(&self, name: &str) -> f64 {
        number(self.input(name))
    }

    fn index(&self) -> usize {
        usize::try_from(self.input("index").as_u64().expect("an index")).expect("a small index")
    }

    fn quantities(&self) -> Vec<f64> {
        numbers(self.input("q"))
    }

    /// Returns the textbook curve `b ln sum e^(q / b)`.
    fn curve(&self) -> Curve {
        let weights = vec![1.0; self.quantities().len()];
        Curve::with_liquidity(self.number("b"), &weights).expect("a usable curve")
    }

    fn price(&self) -> Price {
        self.curve().price(&self.quantities(), self.index()).expect("a known option")
    }

    /// Returns the price of this reserve: `reserve = -b ln p`.
    fn price_of_reserve(&self) -> Price {
        Price::from_ln(-self.number("reserve") / self.number("b"), self.number("b"))
    }

    fn price_of(&self, name: &str) -> Price {
        Price::from_ln(libm::log(self.number(name)), self.number("b"))
    }

    /// Compares numbers with the figures that the vector expects under this name.
    fn expect(&mut self, name: &str, actual: &[f64]) {
        let (id, expected) = (&self.json["id"], &self.json["expected"][name]);
        let expected = if expected.is_array() { numbers(expected) } else { vec![number(expected)] };
        assert_eq!(actual.len(), expected.len(), "{id} {name}");
        for (actual, expected) in actual.iter().zip(expected) {
            let tolerance = self.tolerance(expected);
            let error = (actual - expected).abs();
            assert!(
                error <= tolerance,
                "{id} {name}: {actual} and not {expected} within {tolerance}"
            );
        }
        self.checked += 1;
    }

    fn expect_finite(&mut self, name: &str, actual: &[f64]) {
        assert_eq!(self.json["expected"][name], true);
        assert!(actual.iter().all(|number| number.is_finite()), "{actual:?}");
        self.checked += 1;
    }

    /// Returns the tolerance: absolute, or relative if the vector says so.
    fn tolerance(&self, expected: f64) -> f64 {
        match self.json["tolerance"].as_str() {
            None => number(&self.json["tolerance"]),
            Some(text) => {
                let relative = text.strip_suffix(" relative").expect("a relative tolerance");
                relative.parse::<f64>().expect("a number") * expected
            }
        }
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap_or_else(|| panic!("{value} is not a list"));
    values.iter().map(number).collect()
}

fn with_more(quantities: &[f64], option: usize, shares: f64) -> Vec<f64> {
    let mut later = quantities.to_vec();
    later[option] += shares;
    later
}

fn prices(curve: &Curve, quantities: &[f64]) -> Vec<f64> {
    curve.prices(quantities).expect("one number an option").collect()
}

#[test]
fn published_figures_are_reproduced() {
    let document: Value = serde_json::from_str(VECTORS).expect("valid JSON");
    let vectors = document["vectors"].as_array().expect("a list");
    let mut checked = 0;
    for json in vectors {
        let mut vector = Vector { json, checked: 0 };
        check(&mut vector);
        // Shares outstanding after a purchase restate its input, and the fee's text its inputs.
        let restated = ["shares_outstanding", "fee", "total_equals_single_buy_of"];
        let expected = json["expected"].as_object().expect("an object");
        let figures = expected.keys().filter(|name| !restated.contains(&name.as_str()));
        assert_eq!(vector.checked, figures.count(), "{}: every figure is checked", json["id"]);
        checked += 1;
    }
    assert_eq!(checked, 31);
}

fn check(vector: &mut Vector<'_>) {
    match vector.json["kind"].as_str().expect("a kind") {
        "lmsr_cost" | "lmsr_prices" | "lmsr_cost_and_prices" | "lmsr_price" => check_state(vector),
        "lmsr_trade_cost" | "lmsr_trade_cost_and_price_after" | "lmsr_price_after_buy" => {
            check_purchase(vector);
        }
        "lmsr_buy_with_budget" => check_budget(vector),
        "lmsr_buy_with_budget_overflow" => {
            let shares = [vector.price().shares_for_spend(vector.number("spend"))];
            vector.expect_finite("finite", &shares);
            vector.expect("shares", &shares);
        }
        "lmsr_path_independence" => check_path(vector),
        "lmsr_extreme" => {
            let prices = prices(&vector.curve(), &vector.quantities());
            vector.expect("sum_prices", &[prices.iter().sum()]);
            vector.expect_finite("all_finite", &prices);
        }
        "lmsr_reserve_buy" => {
            let spend = vector.number("amount_in");
            // Their pool first swaps the spend for as many shares, and counts only the shares
            // beyond these.
            vector.expect("out", &[vector.price_of_reserve().bonus_for_spend(spend)]);
        }
        "lmsr_reserve_sell" => {
            let shares = vector.number("amount_in");
            vector.expect("out", &[vector.price_of_reserve().proceeds_of_shares(shares)]);
        }
        "lmsr_reserve_spot_price" => vector.expect("price", &[vector.price_of_reserve().p()]),
        "lmsr_initial_probs_to_b" => check_liquidity(vector),
        "lmsr_spend_to_reach_price" => {
            let spend = vector.price_of("price_now").spend_to_reach(&vector.price_of("target"));
            vector.expect("spend", &[spend]);
        }
        "lmsr_shares_to_sell_to_reach_price" => {
            let now = vector.price_of("price_now");
            vector.expect("shares", &[now.shares_to_sell_to_reach(&vector.price_of("target"))]);
        }
        "lmsr_trade_with_fee" => check_sale(vector),
        "integer_allocation" => check_allocation(vector),
        kind => panic!("nothing here checks a vector of kind {kind}"),
    }
}

fn check_state(vector: &mut Vector<'_>) {
    let (curve, quantities) = (vector.curve(), vector.quantities());
    for name in vector.json["expected"].as_object().expect("an object").keys() {
        match name.as_str() {
            "cost" => {
                vector.expect(name, &[curve.cost(&quantities).expect("one number an option")]);
            }
            "prices" => vector.expect(name, &prices(&curve, &quantities)),
            "price" => vector.expect(name, &[vector.price().p()]),
            _ => panic!("a state has no {name}"),
        }
    }
}

fn check_purchase(vector: &mut Vector<'_>) {
    let shares = vector.number("shares");
    let later = with_more(&vector.quantities(), vector.index(), shares);
    let after = vector.curve().price(&later, vector.index()).expect("a known option");
    let cost = vector.price().cost_of_shares(shares);
    for name in ["cost", "price_after"] {
        if !vector.json["expected"][name].is_null() {
            vector.expect(name, &[if name == "cost" { cost } else { after.p() }]);
        }
    }
    let reached = vector.price().after_spend(cost);
    assert!((reached.p() - after.p()).abs() < 1e-15, "by money and by shares");
}

fn check_budget(vector: &mut Vector<'_>) {
    let (quantities, spend) = (vector.quantities(), vector.number("spend"));
    let equal = vec![1.0 / vector.number("n"); quantities.len()];
    let curve = Curve::new(vector.number("funding"), &equal).expect("a usable curve");
    let price = curve.price(&quantities, vector.index()).expect("a known option");
    let shares = price.shares_for_spend(spend);
    let later = with_more(&quantities, vector.index(), shares);
    let pot = vector.number("funding") + spend;
    let inventory: Vec<f64> = later.iter().map(|held| pot - held).collect();
    vector.expect("shares", &[shares]);
    vector.expect("amm_inventory_after", &inventory);
    vector.expect("odds_after", &prices(&curve, &later));
}

fn check_path(vector: &mut Vector<'_>) {
    let (curve, option) = (vector.curve(), vector.index());
    let trades = numbers(vector.input("trades"));
    let mut quantities = vector.quantities();
    let mut paid = 0.0;
    for shares in &trades {
        paid += curve.price(&quantities, option).expect("a known option").cost_of_shares(*shares);
        quantities = with_more(&quantities, option, *shares);
    }
    let whole = number(&vector.json["expected"]["total_equals_single_buy_of"]);
    let at_once = vector.price().cost_of_shares(whole);
    assert!((paid - at_once).abs() < 1e-13, "{paid} in pieces, {at_once} at once");
    vector.expect("cost", &[paid]);
}

fn check_liquidity(vector: &mut Vector<'_>) {
    let initial = numbers(vector.input("initial_probs"));
    let curve = Curve::new(vector.number("max_loss_budget"), &initial).expect("a usable curve");
    let reserve = |p: &f64| Price::from_ln(libm::log(*p), curve.b()).reserve();
    vector.expect("b", &[curve.b()]);
    vector.expect("reserves", &initial.iter().map(reserve).collect::<Vec<_>>());
}

fn check_sale(vector: &mut Vector<'_>) {
    let initial = numbers(vector.input("initial_probs"));
    let curve = Curve::new(vector.number("liquidity"), &initial).expect("a usable curve");
    let option =
        usize::try_from(vector.input("sell_index").as_u64().expect("an index")).expect("small");
    let nothing = vec![0.0; initial.len()];
    let price = curve.price(&nothing, option).expect("a known option");
    let later = with_more(&nothing, option, -vector.number("shares"));
    let after =
        (0..initial.len()).map(|option| curve.price(&later, option).expect("a known option"));
    let reserves: Vec<f64> = after.map(|price| price.reserve()).collect();
    vector.expect("gross_out", &[price.proceeds_of_shares(vector.number("shares"))]);
    vector.expect("probs_after", &prices(&curve, &later));
    vector.expect("reserves_after", &reserves);
}

/// Checks values that grow to the target, or lose the excess, in equal parts.
fn check_allocation(vector: &mut Vector<'_>) {
    let whole = |value: &Value| value.as_i64().expect("a whole number");
    let name = if vector.input("values").is_array() { "values" } else { "scaled" };
    let before: Vec<i64> =
        vector.input(name).as_array().expect("a list").iter().map(whole).collect();
    let excess = match vector.input("target_total") {
        Value::Null => -whole(vector.input("excess")),
        target => whole(target) - before.iter().sum::<i64>(),
    };
    let total = u128::try_from(excess).expect("something to give out");
    let parts = allocate(total, &vec![1; before.len()]).expect("equal weights");
    let parts = parts.iter().map(|part| i64::try_from(*part).expect("a small part"));
    let after: Vec<i64> = before.iter().zip(parts).map(|(before, part)| before + part).collect();
    let expected = vector.json["expected"]["values"].as_array().expect("a list");
    assert_eq!(after, expected.iter().map(whole).collect::<Vec<_>>());
    vector.checked += 1;
}
