//! Stored form of the probabilities of a market's options: 8 bytes each, little-endian IEEE 754, in
//! order.

use foretell_domain::probability::Probability;
use foretell_ports::error::Cause;

/// Bytes of one number.
const NUMBER_BYTES: usize = size_of::<f64>();

/// Returns the stored form of probabilities.
pub(crate) fn encode(prices: &[Probability]) -> Vec<u8> {
    // All bits are kept: a repeated request must return exactly the same prices (ADR 0011).
    prices.iter().flat_map(|price| price.get().to_le_bytes()).collect()
}

/// Parses the stored form of probabilities.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Probability>, Cause> {
    let (numbers, rest) = bytes.as_chunks::<NUMBER_BYTES>();
    if !rest.is_empty() {
        return Err("not a whole number of prices".into());
    }
    numbers.iter().map(|number| Ok(Probability::new(f64::from_le_bytes(*number))?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_trip_exactly() {
        let prices: Vec<_> = [0.0, 1e-300, 0.1, 1.0]
            .into_iter()
            .map(|price| Probability::new(price).unwrap())
            .collect();
        assert_eq!(encode(&prices[2..3]), 0.1_f64.to_bits().to_le_bytes());
        assert_eq!(decode(&encode(&prices)).unwrap(), prices);
    }

    #[test]
    fn invalid_list_of_probabilities_is_rejected() {
        assert!(decode(&[0; 9]).is_err());
        assert!(decode(&1.5_f64.to_le_bytes()).is_err());
        assert!(decode(&f64::NAN.to_le_bytes()).is_err());
    }
}
