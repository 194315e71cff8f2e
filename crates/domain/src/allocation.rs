//! Proportional allocation of a whole number by weights, exact to the last unit: the
//! largest-remainder method.

use std::cmp::Reverse;

use thiserror::Error;

/// Exclusive upper limit of the sum of all weights in one allocation: 2^126.
///
/// Ten thousand weights of 2^63 times 10,000 basis points stay far below it.
pub const WEIGHT_LIMIT: u128 = 1 << 126;

/// Reason why nothing can be allocated by these weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AllocationError {
    /// No weight is above zero, so there is no recipient.
    #[error("at least one weight must be above zero")]
    NoWeight,
    /// The weights sum to [`WEIGHT_LIMIT`] or more.
    #[error("the weights sum to 2^126 or more")]
    WeightsTooLarge,
}

/// Splits `total` units in proportion to `weights`; the parts have the order of the weights.
///
/// Each part is its exact share rounded down. The remaining units go one each to the largest
/// remainders, ties to the earliest (Hamilton's method). The parts sum to `total` exactly, none
/// differs from its exact share by a unit or more, and a weight of zero gets nothing.
///
/// # Errors
/// [`AllocationError::NoWeight`] if all weights are zero or there are none, even for a total of
/// zero; [`AllocationError::WeightsTooLarge`] if they sum to [`WEIGHT_LIMIT`] or more.
///
/// ```
/// use foretell_domain::allocation::allocate;
///
/// assert_eq!(allocate(32, &[10, 10, 10])?, [11, 11, 10]);
/// assert_eq!(allocate(100, &[1, 0, 2])?, [33, 0, 67]);
/// # Ok::<(), foretell_domain::allocation::AllocationError>(())
/// ```
pub fn allocate(total: u128, weights: &[u128]) -> Result<Vec<u128>, AllocationError> {
    let sum = sum_of(weights)?;
    let exact = weights.iter().map(|weight| exact_share(total, *weight, sum));
    let exact: Vec<ExactShare> = exact.collect();
    let given: u128 = exact.iter().map(|share| share.whole).sum();
    Ok(hand_out(&exact, total - given))
}

fn sum_of(weights: &[u128]) -> Result<u128, AllocationError> {
    let sum = weights
        .iter()
        .try_fold(0_u128, |sum, weight| sum.checked_add(*weight))
        .filter(|sum| *sum < WEIGHT_LIMIT)
        .ok_or(AllocationError::WeightsTooLarge)?;
    if sum == 0 {
        return Err(AllocationError::NoWeight);
    }
    Ok(sum)
}

/// The whole units of an exact share, and the remainder of the division.
struct ExactShare {
    whole: u128,
    remainder: u128,
}

/// Computes `total * weight / sum` in one pass, bit by bit, since the product may not fit.
///
/// With `weight <= sum < 2^126`, the running remainder stays below `3 * sum < 2^128`, and the
/// running quotient never exceeds the bits of `total` read so far.
fn exact_share(total: u128, weight: u128, sum: u128) -> ExactShare {
    let mut share = ExactShare { whole: 0, remainder: 0 };
    for bit in (0..u128::BITS - total.leading_zeros()).rev() {
        share.whole <<= 1;
        share.remainder <<= 1;
        if (total >> bit) & 1 == 1 {
            share.remainder += weight;
        }
        while share.remainder >= sum {
            share.remainder -= sum;
            share.whole += 1;
        }
    }
    share
}

/// Adds `left` units to the whole units: one each to the largest remainders, ties to the earliest.
///
/// The remainders sum to `left` units, each less than one, so more than `left` of them are above
/// zero.
fn hand_out(exact: &[ExactShare], left: u128) -> Vec<u128> {
    let mut parts: Vec<u128> = exact.iter().map(|share| share.whole).collect();
    let mut by_remainder: Vec<_> = parts.iter_mut().zip(exact).collect();
    // The sort is stable, so the earliest stays first among equals.
    by_remainder.sort_by_key(|(_, share)| Reverse(share.remainder));
    let mut left = left;
    for (part, _) in by_remainder {
        if left == 0 {
            break;
        }
        *part += 1;
        left -= 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(total: u128, weights: &[u128], expected: &[u128]) {
        assert_eq!(allocate(total, weights).unwrap(), expected, "{total} by {weights:?}");
    }

    #[test]
    fn ties_of_remainders_go_to_earliest() {
        check(10, &[1, 1, 1], &[4, 3, 3]);
        check(11, &[1, 1, 1], &[4, 4, 3]);
        check(100, &[1, 1, 2, 3], &[14, 14, 29, 43]);
        check(7, &[6, 2, 2], &[4, 2, 1]);
        check(1, &[1, 2, 2], &[0, 1, 0]);
    }

    #[test]
    fn zero_weights_and_zero_totals_get_nothing() {
        check(5, &[0, 1, 0, 1, 0], &[0, 3, 0, 2, 0]);
        check(0, &[3, 4], &[0, 0]);
        check(u128::MAX, &[0, WEIGHT_LIMIT - 1], &[0, u128::MAX]);
    }

    #[test]
    fn largest_payout_is_split_by_largest_stakes() {
        let stake = (1_u128 << 63) * 10_000;
        let third = (1_u128 << 63) / 3;
        check(1 << 63, &[stake, stake, stake], &[third + 1, third + 1, third]);
        check(1 << 63, &[stake, stake - 1], &[1 << 62, 1 << 62]);
        check(1 << 63, &[stake, 1], &[1 << 63, 0]);
    }

    #[test]
    fn weights_without_valid_sum_are_rejected() {
        for weights in [&[][..], &[0], &[0, 0, 0]] {
            assert_eq!(allocate(0, weights), Err(AllocationError::NoWeight));
            assert_eq!(allocate(9, weights), Err(AllocationError::NoWeight));
        }
        for weights in [&[WEIGHT_LIMIT][..], &[WEIGHT_LIMIT - 1, 1], &[u128::MAX, u128::MAX]] {
            assert_eq!(allocate(9, weights), Err(AllocationError::WeightsTooLarge));
        }
    }

    proptest! {
        #[test]
        fn parts_sum_to_total_within_one_unit(
            total in 0_u128..1 << 40,
            weights in prop::collection::vec(0_u128..1 << 80, 1..40),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let sum: u128 = weights.iter().sum();
            let parts = allocate(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<u128>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                let floor = total * weight / sum;
                let extra = *part - floor;
                prop_assert!(extra == 0 || (extra == 1 && *weight > 0));
            }
        }

        #[test]
        fn larger_weight_never_gets_less(
            total in 0_u128..1 << 64,
            weights in prop::collection::vec(0_u128..1 << 77, 2..20),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = allocate(total, &weights).unwrap();
            let mut pairs: Vec<_> = weights.iter().zip(&parts).collect();
            pairs.sort();
            prop_assert!(pairs.is_sorted_by_key(|(_, part)| *part));
        }
    }
}
