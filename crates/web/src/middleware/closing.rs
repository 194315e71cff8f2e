//! The body of an answer after which the connection closes, whatever of the request is still to come.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use crate::extract::Unread;

/// An answer that keeps the rest of its request until it is sent: the server closes the connection to a
/// request that is not read, but goes on reading one that nobody holds any more.
pub(super) struct Closing {
    body: Bytes,
    _unread: Unread,
}

impl Closing {
    /// The answer with this body.
    pub(super) fn new(body: Vec<u8>, unread: Unread) -> Self {
        Self { body: body.into(), _unread: unread }
    }
}

impl MessageBody for Closing {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.body.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let body = std::mem::take(&mut self.body);
        Poll::Ready((!body.is_empty()).then_some(Ok(body)))
    }
}
