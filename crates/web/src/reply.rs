//! Successful responses in their envelope, each serialized once, straight into the body.

use std::fmt::Display;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_TYPE, ETAG, EntityTag, HeaderName, HeaderValue, LOCATION, TryIntoHeaderValue as _,
};
use actix_web::web::{Bytes, block};
use foretell_application::SearchPermit;
use foretell_application::writer::Receipt;
use serde::Serialize;

use crate::cpu_work;
use crate::dto::page::ListMeta;
use crate::error::ApiError;
use crate::extract::KnownTags;
use crate::header_names::IDEMPOTENCY_REPLAYED;

/// Return type of handlers.
pub(crate) type HandlerResult = Result<HttpResponse, ApiError>;

const JSON: (HeaderName, HeaderValue) =
    (CONTENT_TYPE, HeaderValue::from_static("application/json"));

/// Initial capacity of a body, in bytes.
const USUAL_BODY_BYTES: usize = 512;

#[derive(Serialize)]
struct Envelope<T> {
    success: bool,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

/// Metadata besides the data.
#[derive(Serialize)]
pub(crate) struct Meta {
    #[serde(flatten)]
    list: ListMeta,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
}

/// Returns 200 with this data.
pub(crate) fn ok(data: impl Serialize) -> HandlerResult {
    write(StatusCode::OK, data, None)
}

/// Returns 202 with this data: it takes effect later.
pub(crate) fn accepted(data: impl Serialize) -> HandlerResult {
    write(StatusCode::ACCEPTED, data, None)
}

/// Returns 201 with this data and its `location`, a path below the version's base.
pub(crate) fn created(location: impl Display, data: impl Serialize) -> HandlerResult {
    let mut response = write(StatusCode::CREATED, data, None)?;
    let location = HeaderValue::from_str(&location.to_string()).map_err(ApiError::internal)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Returns 200 with this rendered body and tag, or 304 if the client has it.
pub(crate) fn finished_unless_known(
    known: &KnownTags,
    tag: HeaderValue,
    body: Bytes,
) -> HttpResponse {
    if known.include_written(&tag) {
        return HttpResponse::NotModified().insert_header((ETAG, tag)).finish();
    }
    HttpResponse::Ok().insert_header((ETAG, tag)).insert_header(JSON).body(body)
}

/// Returns 200 with this data and tag, or 304 if the client has it.
pub(crate) fn unless_known<T: Serialize>(
    known: &KnownTags,
    tag: EntityTag,
    data: impl FnOnce() -> T,
) -> HandlerResult {
    let response =
        if known.include(&tag) { HttpResponse::NotModified().finish() } else { ok(data())? };
    tagged(tag, response)
}

/// Adds this tag to a response.
pub(crate) fn tagged(tag: EntityTag, mut response: HttpResponse) -> HandlerResult {
    let tag = tag.try_into_value().map_err(ApiError::internal)?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

/// Returns the entity tag of a version.
pub(crate) fn version_tag(version: impl Display) -> EntityTag {
    EntityTag::new_strong(version.to_string())
}

/// Returns 204.
pub(crate) fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Returns 200 with rows of a list.
pub(crate) fn list(rows: impl Serialize, meta: ListMeta) -> HandlerResult {
    Ok(written(list_body(rows, meta)?))
}

/// Returns the body of a response with rows of a list.
pub(crate) fn list_body(rows: impl Serialize, meta: ListMeta) -> Result<Vec<u8>, ApiError> {
    body(rows, Some(Meta { list: meta, method: None }))
}

/// Returns 200 with the body of a search, which is rendered on a blocking thread: marking and
/// serializing a hundred long texts takes milliseconds. The permit of the search is released
/// afterwards.
pub(crate) async fn found(
    permit: SearchPermit,
    write: impl FnOnce() -> Result<Vec<u8>, ApiError> + Send + 'static,
) -> HandlerResult {
    let write = move || {
        let body = write();
        drop(permit);
        body
    };
    Ok(written(block(write).await.map_err(ApiError::internal)??))
}

/// Returns 200 with the body that `write` renders, outside the HTTP worker if its texts are long.
pub(crate) async fn with_texts(
    text_bytes: usize,
    write: impl FnOnce() -> Result<Vec<u8>, ApiError> + Send + 'static,
) -> HandlerResult {
    Ok(written(cpu_work::run(text_bytes, write).await??))
}

/// Returns 200 with this rendered body.
pub(crate) fn written(body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().insert_header(JSON).body(body)
}

/// Returns the body of a search: its matches, and the method that found them.
pub(crate) fn hits(
    hits: impl Serialize,
    meta: ListMeta,
    method: &'static str,
) -> Result<Vec<u8>, ApiError> {
    body(hits, Some(Meta { list: meta, method: Some(method) }))
}

/// Returns the response to a command: `accept` renders its outcome. A stored response is marked,
/// also a rejection.
pub(crate) fn receipt<T>(
    receipt: Receipt<T>,
    accept: impl FnOnce(T) -> HandlerResult,
) -> HandlerResult {
    let Receipt { result, is_replay } = receipt;
    let refuse = |refusal| {
        let error = ApiError::from(refusal);
        if is_replay { error.replayed() } else { error }
    };
    let mut response = accept(result.map_err(refuse)?)?;
    if is_replay {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Returns the body of a success with this data.
pub(crate) fn body(data: impl Serialize, meta: Option<Meta>) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::with_capacity(USUAL_BODY_BYTES);
    serde_json::to_writer(&mut body, &Envelope { success: true, data, meta })
        .map_err(ApiError::internal)?;
    Ok(body)
}

fn write(status: StatusCode, data: impl Serialize, meta: Option<Meta>) -> HandlerResult {
    Ok(HttpResponse::build(status).insert_header(JSON).body(body(data, meta)?))
}
