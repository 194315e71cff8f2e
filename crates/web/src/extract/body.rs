//! The JSON body of a request, with limits of size and time. A request with a body accepts no query
//! parameters, so that one given by mistake is not ignored.

use std::convert::Infallible;
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures::future::LocalBoxFuture;
use futures::{FutureExt as _, StreamExt as _};

use super::{RequestDto, RequestPart, Validation, json, params};
use crate::deadline::Deadline;
use crate::error::{ApiError, ErrorCode};
use crate::{WebSettings, WebState};

/// A body that is a JSON object of type `T`.
pub(crate) struct Body<T> {
    read: Result<Bytes, ApiError>,
    query: String,
    dto: PhantomData<T>,
}

/// A body that is a JSON object of type `T`, or empty, which means `{}`.
pub(crate) struct OptionalBody<T>(Body<T>);

impl<T> Body<T> {
    /// Returns the size of the body; 0 if it could not be read.
    pub(crate) fn bytes(&self) -> usize {
        self.read.as_ref().map_or(0, Bytes::len)
    }
}

impl<T: 'static> FromRequest for Body<T> {
    type Error = Infallible;
    type Future = LocalBoxFuture<'static, Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        let work = async move {
            // The result is stored and not returned as an error: authentication must fail first, or
            // strangers would learn about the body.
            let read = async {
                check_media_type(request.headers())?;
                read(&request, payload).await
            };
            let read = read.await;
            Ok(Self { read, query: request.query_string().to_owned(), dto: PhantomData })
        };
        work.boxed_local()
    }
}

impl<T: 'static> FromRequest for OptionalBody<T> {
    type Error = Infallible;
    type Future = LocalBoxFuture<'static, Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        let work = async move {
            // Clients that send no body name no media type, so it is checked only with a body.
            let read = match read(&request, payload).await {
                Ok(bytes) if bytes.is_empty() => Ok(Bytes::from_static(b"{}")),
                Ok(bytes) => check_media_type(request.headers()).map(|()| bytes),
                Err(error) => Err(error),
            };
            Ok(Self(Body { read, query: request.query_string().to_owned(), dto: PhantomData }))
        };
        work.boxed_local()
    }
}

impl<T: RequestDto> RequestPart for Body<T> {
    type Value = T::Input;

    fn extract(self, validation: &mut Validation) -> Result<Option<T::Input>, ApiError> {
        let bytes = self.read?;
        params::reject_all(&self.query, validation);
        let dto = json::read(&bytes, &mut validation.errors)?;
        Ok(dto.and_then(|dto: T| validation.input_of(dto)))
    }
}

impl<T: RequestDto> RequestPart for OptionalBody<T> {
    type Value = T::Input;

    fn extract(self, validation: &mut Validation) -> Result<Option<T::Input>, ApiError> {
        self.0.extract(validation)
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |part: &str| {
        let charset = part.to_ascii_lowercase();
        charset.strip_prefix("charset=").is_none_or(|name| name.trim_matches('"') == "utf-8")
    };
    // Compressed bodies are not supported: a small one could expand beyond the limit.
    let is_plain = headers.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    if is_json && parts.all(is_utf8) && is_plain {
        return Ok(());
    }
    let message = "The body must be application/json in UTF-8, not compressed";
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, message).and_close())
}

/// Unread rest of a body. If it were dropped before the response is sent, the server would read it
/// to its end, however long that takes, before it closes the connection.
pub(crate) struct Unread {
    _payload: Payload,
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, ApiError> {
    let state =
        request.app_data::<Data<WebState>>().ok_or_else(|| ApiError::internal("no web state"))?;
    let deadline = request.extensions().get::<Deadline>().cloned();
    let reading = read_within(&state.settings, request.headers(), &mut payload);
    // The client controls the arrival of its body, so this time does not count as time to answer.
    let result = match deadline {
        Some(deadline) => deadline.excluding(reading).await,
        None => reading.await,
    };
    if result.is_err() {
        request.extensions_mut().insert(Unread { _payload: payload });
    }
    result
}

async fn read_within(
    settings: &WebSettings,
    headers: &HeaderMap,
    payload: &mut Payload,
) -> Result<Bytes, ApiError> {
    let max_body_bytes = settings.max_body_bytes;
    // Rejected before a byte is read; a body without this header is limited while it is collected.
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > max_body_bytes) {
        return Err(too_large(max_body_bytes));
    }
    let collected =
        tokio::time::timeout(settings.body_timeout, collect(payload, max_body_bytes)).await;
    let too_slow =
        |_| ApiError::new(ErrorCode::RequestTimeout, "The body did not arrive in time").and_close();
    collected.map_err(too_slow)?
}

async fn collect(payload: &mut Payload, max_body_bytes: usize) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|cause| {
            ApiError::new(ErrorCode::BadRequest, "The request body is incomplete")
                .with_cause(cause)
                .and_close()
        })?;
        // Before the chunk is kept: a chunked body announces no size.
        if body.len() + chunk.len() > max_body_bytes {
            return Err(too_large(max_body_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn too_large(max_body_bytes: usize) -> ApiError {
    let message = format!("The body is larger than {max_body_bytes} bytes");
    ApiError::new(ErrorCode::PayloadTooLarge, message).and_close()
}
