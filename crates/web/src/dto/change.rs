//! Fields of a PATCH request: a field that is left out stays unchanged; `null` removes its value.

use garde::{Path, Report, Validate};
use serde::{Deserialize, Deserializer};

use crate::extract::RequestContext;
use crate::validation::{FieldErrorCode, invalid};

/// Requested change of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Change<T> {
    /// Left out.
    #[default]
    Keep,
    /// `null`.
    Clear,
    /// A new value.
    Set(T),
}

impl<T> Change<T> {
    /// Returns the new value, if there is one.
    pub(crate) fn into_set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T: Validate> Validate for Change<T> {
    type Context = T::Context;

    fn validate_into(
        &self,
        context: &T::Context,
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        if let Self::Set(value) = self {
            value.validate_into(context, parent, report);
        }
    }
}

/// Rule of a field whose value cannot be removed.
pub(crate) fn not_null<T>(change: &Change<T>, _: &RequestContext) -> garde::Result {
    match change {
        Change::Clear => Err(invalid(FieldErrorCode::Required, "must not be null")),
        Change::Keep | Change::Set(_) => Ok(()),
    }
}
