//! Parameters of a query string.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use garde::Validate;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Pagination, ParseContext, ParseRequest, RequestDto, RequestPart, json};
use crate::routing::ApiVersion;
use crate::validation::{FieldErrorCode, ValidationErrors};

/// The query string as type `T`, whose fields are parsed from text (see
/// [`crate::dto::text::parsed`]).
pub(crate) struct Params<T> {
    request: HttpRequest,
    dto: PhantomData<T>,
}

/// Parameters of a route that accepts none.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NoParams {}

impl ParseRequest for NoParams {
    type Input = ();

    fn parse(self, _: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<()> {
        Some(())
    }
}

impl<T: 'static> FromRequest for Params<T> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), dto: PhantomData }))
    }
}

impl<T: RequestDto + ParseRequest> RequestPart for Params<T> {
    type Value = T::Input;

    fn extract(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<T::Input> {
        let fields = fields_of(self.request.query_string(), errors)?;
        let identity;
        let pagination = match context.pagination {
            // The version of the matched route decides: the text of the path has several spellings.
            Pagination::ByCursor { key, .. } if ApiVersion::of(&self.request) != Some(ApiVersion::V1) => {
                identity = identity_of(&self.request, &fields);
                Pagination::ByCursor { key, identity: &identity }
            }
            _ => Pagination::ByPage,
        };
        let dto: T = json::read_value(Value::Object(fields), errors)?;
        dto.parse(errors, &ParseContext { pagination, ..*context })
    }
}

/// Returns the identity of a list, which its cursors are signed for: its path, filters and order.
fn identity_of(request: &HttpRequest, fields: &Map<String, Value>) -> String {
    // As matched by the router: decoded, so that one list has one identity. Only ids can differ in
    // case.
    let mut identity = request.match_info().as_str().to_ascii_lowercase();
    // These parameters do not change which rows the list has, so a cursor stays valid when they
    // change.
    let says_which = |name: &str| !matches!(name, "cursor" | "limit" | "expand" | "fields");
    for (name, value) in fields.iter().filter(|(name, _)| says_which(name)) {
        let _ = write!(identity, "&{name}={value}");
    }
    identity
}

/// Adds a validation error for each parameter.
pub(super) fn reject_all(query: &str, errors: &mut ValidationErrors) {
    if !query.is_empty() {
        let _: Option<NoParams> =
            fields_of(query, errors).and_then(|fields| json::read_value(Value::Object(fields), errors));
    }
}

fn fields_of(query: &str, errors: &mut ValidationErrors) -> Option<Map<String, Value>> {
    let Ok(pairs) = Query::<Vec<(String, String)>>::from_query(query) else {
        errors.add("", FieldErrorCode::Format, "the query string cannot be read");
        return None;
    };
    let mut fields = Map::new();
    for (name, text) in pairs.into_inner() {
        if fields.contains_key(&name) {
            errors.add(&name, FieldErrorCode::Repeated, "is given more than once");
        } else {
            fields.insert(name, Value::String(text));
        }
    }
    Some(fields)
}
