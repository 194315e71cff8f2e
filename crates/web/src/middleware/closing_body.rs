//! Response body after which the connection closes, whatever remains of the request.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use crate::extract::Unread;

/// A response that keeps the rest of its request until it is sent: the server closes the connection
/// of a request that is not read completely, but reads one to its end after it was dropped.
pub(super) struct ClosingBody {
    body: Bytes,
    _unread: Unread,
}

impl ClosingBody {
    /// Creates a response with this body.
    pub(super) fn new(body: Vec<u8>, unread: Unread) -> Self {
        Self { body: body.into(), _unread: unread }
    }
}

impl MessageBody for ClosingBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.body.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let body = std::mem::take(&mut self.body);
        Poll::Ready((!body.is_empty()).then_some(Ok(body)))
    }
}
