//! Ids in paths.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{RequestPart, Validation};
use crate::dto::field_value::AsFieldError;
use crate::error::ApiError;

/// The variable part of a path, such as the `{id}` of `/accounts/{id}`; validation errors use its
/// name.
pub(crate) struct PathId<T: FromStr> {
    name: String,
    parsed: Result<T, T::Err>,
}

impl<T: FromStr + 'static> FromRequest for PathId<T> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // An empty text never parses, so a route without a variable part cannot get an id.
        let (name, text) = request.match_info().iter().next().unwrap_or(("id", ""));
        ready(Ok(Self { name: name.to_owned(), parsed: text.parse() }))
    }
}

impl<T: FromStr<Err: AsFieldError>> RequestPart for PathId<T> {
    type Value = T;

    fn extract(self, validation: &mut Validation) -> Result<Option<T>, ApiError> {
        Ok(validation.value_of(&self.name, self.parsed.map_err(|error| error.to_error())))
    }
}
