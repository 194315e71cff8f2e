//! Parameters of a query string.

use std::fmt::Write as _;
use std::marker::PhantomData;

use actix_web::HttpRequest;
use actix_web::web::Query;
use garde::{Valid, Validate};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{RequestContext, RequestDto, RequestPart, Validation};
use crate::cursor::CursorSigner;
use crate::dto::page::{CursorParams, NumberedParams, Paging};
use crate::error::ApiError;
use crate::routing::ApiVersion;
use crate::validation::{FieldError, FieldErrorCode, invalid};

/// The query string as type `T`.
pub(crate) struct Params<T> {
    request: HttpRequest,
    dto: PhantomData<T>,
}

/// Query string of a list: its pagination, and filters and other parameters of type `T`.
pub(crate) struct List<T>(PhantomData<T>);

/// Query string of a list that has parameters of pagination only.
pub(crate) struct Pagination;

/// Parameters of a route that accepts none.
#[derive(Debug, Deserialize, Validate)]
#[garde(context(RequestContext))]
pub(crate) struct NoParams {}

impl RequestDto for NoParams {
    type Input = ();

    fn into_input(_: Valid<Self>, _: &RequestContext) {}
}

from_head!(Params<T>, |request| Self { request: request.clone(), dto: PhantomData }, T: Sized);

impl<T: RequestDto> RequestPart for Params<T> {
    type Value = T::Input;

    fn extract(self, validation: &mut Validation) -> Result<Option<T::Input>, ApiError> {
        let fields = fields_of(self.request.query_string(), validation);
        Ok(fields.and_then(|fields| read::<T>(fields, validation)))
    }
}

impl<T: RequestDto> RequestPart for Params<List<T>> {
    type Value = (T::Input, Paging);

    fn extract(self, validation: &mut Validation) -> Result<Option<Self::Value>, ApiError> {
        let Some(fields) = fields_of(self.request.query_string(), validation) else {
            return Ok(None);
        };
        // The version of the matched route decides: the text of the path has several spellings.
        let is_numbered = ApiVersion::of(&self.request) == Some(ApiVersion::V1);
        if !is_numbered {
            let identity = identity_of(&self.request, &fields);
            validation.context.signer =
                Some(CursorSigner::new(&validation.context.cursor_key, &identity));
        }
        let (page, others): (Map<_, _>, _) =
            fields.into_iter().partition(|(name, _)| is_of_page(name));
        let input = read::<T>(others, validation);
        let paging = if is_numbered {
            read::<NumberedParams>(page, validation)
        } else {
            read::<CursorParams>(page, validation)
        };
        Ok(input.zip(paging))
    }
}

impl RequestPart for Params<Pagination> {
    type Value = Paging;

    fn extract(self, validation: &mut Validation) -> Result<Option<Paging>, ApiError> {
        let list = Params::<List<NoParams>> { request: self.request, dto: PhantomData };
        Ok(list.extract(validation)?.map(|((), paging)| paging))
    }
}

fn is_of_page(name: &str) -> bool {
    matches!(name, "page" | "limit" | "cursor")
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
pub(super) fn reject_all(query: &str, validation: &mut Validation) {
    if !query.is_empty() {
        let fields = fields_of(query, validation).unwrap_or_default();
        validation.errors.extend(fields.into_iter().map(|(name, _)| FieldError::unknown(name)));
    }
}

/// Deserializes, validates and converts parameters, or adds their errors.
fn read<T: RequestDto>(
    fields: Map<String, Value>,
    validation: &mut Validation,
) -> Option<T::Input> {
    let errors = &mut validation.errors;
    let mut add_unknown =
        |path: serde_ignored::Path<'_>| errors.push(FieldError::unknown(path.to_string()));
    let read: Result<T, _> = serde_ignored::deserialize(Value::Object(fields), &mut add_unknown);
    // Parameters are texts, which every field can hold.
    let dto =
        validation.value_of("", read.map_err(|error| invalid(FieldErrorCode::Type, error)))?;
    validation.input_of(dto)
}

fn fields_of(query: &str, validation: &mut Validation) -> Option<Map<String, Value>> {
    let pairs = Query::<Vec<(String, String)>>::from_query(query);
    let error = |_| invalid(FieldErrorCode::Format, "the query string cannot be read");
    let pairs = validation.value_of("", pairs.map_err(error))?;
    let mut fields = Map::new();
    for (name, text) in pairs.into_inner() {
        // Which of two values applies would depend on the parser, so neither does.
        if fields.contains_key(&name) {
            let error = invalid(FieldErrorCode::Repeated, "is given more than once");
            validation.errors.push(FieldError::new(name, &error));
        } else {
            fields.insert(name, Value::String(text));
        }
    }
    Some(fields)
}
