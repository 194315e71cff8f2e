//! Panics of handlers become internal errors: one request fails, not its worker.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use actix_web::Error;
use futures::FutureExt as _;

use crate::error::ApiError;

/// Awaits `call`, and returns an error if it panics.
pub(super) async fn catch<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let result = AssertUnwindSafe(call).catch_unwind().await;
    result.unwrap_or_else(|panic| Err(error_of(panic.as_ref()).into()))
}

fn error_of(panic: &(dyn Any + Send)) -> ApiError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ApiError::internal(format!("a handler panicked: {}", text.unwrap_or("without a message")))
}
