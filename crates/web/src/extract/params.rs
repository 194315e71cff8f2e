//! The parameters of a query string.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use garde::Validate;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{InputContext, IntoInput, Part, Shape, json};
use crate::faults::{FaultCode, Faults};

/// The query string, of the shape `T`, whose fields are read from text (see [`crate::dto::text::parsed`]).
pub(crate) struct Params<T> {
    query: String,
    shape: PhantomData<T>,
}

/// The parameters of a path that takes none.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NoParams {}

impl IntoInput for NoParams {
    type Input = ();

    fn into_input(self, _: &mut Faults, _: &InputContext<'_>) -> Option<()> {
        Some(())
    }
}

impl<T: 'static> FromRequest for Params<T> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { query: request.query_string().to_owned(), shape: PhantomData }))
    }
}

impl<T: Shape + IntoInput> Part for Params<T> {
    type Value = T::Input;

    fn take(self, faults: &mut Faults, context: &InputContext<'_>) -> Option<T::Input> {
        let fields = fields_of(&self.query, faults)?;
        let shape: T = json::read_value(Value::Object(fields), faults)?;
        shape.into_input(faults, context)
    }
}

/// Adds a fault for each parameter.
pub(super) fn refuse_all(query: &str, faults: &mut Faults) {
    if !query.is_empty() {
        let _: Option<NoParams> =
            fields_of(query, faults).and_then(|fields| json::read_value(Value::Object(fields), faults));
    }
}

fn fields_of(query: &str, faults: &mut Faults) -> Option<Map<String, Value>> {
    let Ok(pairs) = Query::<Vec<(String, String)>>::from_query(query) else {
        faults.add("", FaultCode::Format, "the query string cannot be read");
        return None;
    };
    let mut fields = Map::new();
    for (name, text) in pairs.into_inner() {
        if fields.contains_key(&name) {
            faults.add(&name, FaultCode::Repeated, "is given more than once");
        } else {
            fields.insert(name, Value::String(text));
        }
    }
    Some(fields)
}
