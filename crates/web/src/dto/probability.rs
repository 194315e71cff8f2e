//! Probabilities in JSON: numbers with at most 6 decimals.

use foretell_domain::probability::Probability;
use serde::{Serialize, Serializer};

/// A probability, rounded to 6 decimals when it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rounded(pub(crate) Probability);

impl Serialize for Rounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.displayed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_have_six_decimals_at_most() {
        let check = |value, expected| {
            let written =
                serde_json::to_string(&Rounded(Probability::new(value).unwrap())).unwrap();
            assert_eq!(written, expected);
        };
        check(1.0 / 3.0, "0.333333");
        check(2.0 / 3.0, "0.666667");
        check(0.5, "0.5");
        check(1.0, "1.0");
        check(4e-7, "0.0");
    }
}
