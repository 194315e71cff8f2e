//! Fields of a PATCH: left out, they stay as they are; `null` takes the value away.

use serde::{Deserialize, Deserializer};

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Change<T> {
    /// It was left out.
    #[default]
    Keep,
    /// It was `null`.
    Clear,
    /// It has this value.
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}
