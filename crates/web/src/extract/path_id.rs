//! Ids in paths.

use std::str::FromStr;

use super::{RequestPart, Validation};
use crate::dto::field_value::AsFieldError;
use crate::error::ApiError;

/// The variable part of a path, such as the `{id}` of `/accounts/{id}`; validation errors use its
/// name.
pub(crate) struct PathId<T: FromStr> {
    name: String,
    parsed: Result<T, T::Err>,
}

from_head!(
    PathId<T>,
    |request| {
        // An empty text never parses, so a route without a variable part cannot get an id.
        let (name, text) = request.match_info().iter().next().unwrap_or(("id", ""));
        Self { name: name.to_owned(), parsed: text.parse() }
    },
    T: FromStr
);

impl<T: FromStr<Err: AsFieldError>> RequestPart for PathId<T> {
    type Value = T;

    fn extract(self, validation: &mut Validation) -> Result<Option<T>, ApiError> {
        Ok(validation.value_of(&self.name, self.parsed.map_err(|error| error.to_error())))
    }
}
