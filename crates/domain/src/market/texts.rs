//! Texts of a market; no rule of money depends on them.

use thiserror::Error;

use super::{MAX_OPTIONS, MIN_OPTIONS};
use crate::text::{Appearance, Category, MarketDescription, MarketName, OptionName};

/// Reason why The texts of a market are not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MarketTextsError {
    /// Fewer than 2 or more than 10 options.
    #[error("a market has {MIN_OPTIONS} to {MAX_OPTIONS} options")]
    OptionCount,
    /// Two options have names that readers cannot distinguish.
    #[error("option names must be distinct")]
    SameName {
        /// Position of the second option.
        index: usize,
    },
}

/// Texts of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MarketTexts {
    /// Question.
    pub name: MarketName,
    /// Resolution rules.
    pub description: MarketDescription,
    /// Category; the configuration lists the allowed ones.
    pub category: Category,
    options: Vec<OptionName>,
}

impl MarketTexts {
    /// Creates texts with 2 to 10 distinct options.
    ///
    /// # Errors
    /// [`MarketTextsError::OptionCount`], [`MarketTextsError::SameName`].
    pub fn new(
        name: MarketName,
        description: MarketDescription,
        category: Category,
        options: Vec<OptionName>,
    ) -> Result<Self, MarketTextsError> {
        if !(MIN_OPTIONS..=MAX_OPTIONS).contains(&options.len()) {
            return Err(MarketTextsError::OptionCount);
        }
        let mut seen: Vec<Appearance> = Vec::with_capacity(options.len());
        for (index, option) in options.iter().enumerate() {
            let appearance = Appearance::of(option.as_str());
            if seen.iter().any(|other| other.is_like(&appearance)) {
                return Err(MarketTextsError::SameName { index });
            }
            seen.push(appearance);
        }
        Ok(Self { name, description, category, options })
    }

    /// Returns stored texts without checking its options again.
    pub const fn restore(
        name: MarketName,
        description: MarketDescription,
        category: Category,
        options: Vec<OptionName>,
    ) -> Self {
        Self { name, description, category, options }
    }

    /// Returns the names of the options, in order.
    pub fn options(&self) -> &[OptionName] {
        &self.options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: Result<(), MarketTextsError>) {
        let texts = MarketTexts::new(
            MarketName::new("Will it rain?").unwrap(),
            MarketDescription::new("At noon, on the roof.").unwrap(),
            Category::new("weather").unwrap(),
            names.iter().map(|name| OptionName::new(*name).unwrap()).collect(),
        );
        assert_eq!(texts.map(|_| ()), expected, "{names:?}");
    }

    #[test]
    fn options_are_two_to_ten_and_distinct() {
        check(&["Yes", "No"], Ok(()));
        check(&["Yes"], Err(MarketTextsError::OptionCount));
        check(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], Ok(()));
        check(
            &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"],
            Err(MarketTextsError::OptionCount),
        );
        check(&["Yes", "No", " yes"], Err(MarketTextsError::SameName { index: 2 }));
        check(&["é", "e\u{301}"], Err(MarketTextsError::SameName { index: 1 }));
        check(&["é", "e"], Ok(()));
        check(&["Yes", "No", "Уes"], Err(MarketTextsError::SameName { index: 2 }));
        check(&["Yes", "Yes\u{A0}"], Err(MarketTextsError::SameName { index: 1 }));
    }
}
