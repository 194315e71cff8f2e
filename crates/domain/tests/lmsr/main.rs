//! Tests the scoring rule: published figures, many-digit references, exact bits, what no trader may gain.

#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod vectors;
