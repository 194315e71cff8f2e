//! Tests of the public rules: markets from opening to settlement, and the scoring rule against
//! published figures, many-digit references, exact bits and invariants.

#[cfg(test)]
mod golden;
#[cfg(test)]
mod market;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod resolution;
#[cfg(test)]
#[cfg(feature = "serde")]
mod serialization;
#[cfg(test)]
mod values;
#[cfg(test)]
mod vectors;
