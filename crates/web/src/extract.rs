//! Extractors: the inputs of handlers.
//!
//! [`SignedIn`], [`MaybeSignedIn`], [`InSession`], [`AdminOnly`] and [`AdminInSession`] fail
//! immediately. The others are [`RequestPart`]s: they never fail by themselves, but are validated
//! together by [`WebState::validate`], so that a response lists all validation errors of a request,
//! and only authenticated clients get them:
//!
//! ```text
//! pub(crate) async fn create(
//!     state: Data<WebState>,
//!     SignedIn(caller, ..): SignedIn<Trade>,
//!     key: IdempotencyKey,
//!     body: Body<PaymentBody>,
//! ) -> HandlerResult {
//!     let (key, payment) = state.validate((key, body))?;
//!     let receipt = state.application.ledger.pay(&caller, key, payment).await?;
//!     reply::receipt(receipt, |transfer| reply::created(location, view))
//! }
//! ```

/// Implements `FromRequest` for a type that is read from the head of a request and never fails.
macro_rules! from_head {
    ($extractor:ty, $read:expr $(, $generic:ident: $bound:path)?) => {
        impl$(<$generic: $bound + 'static>)? actix_web::FromRequest for $extractor {
            type Error = std::convert::Infallible;
            type Future = std::future::Ready<Result<Self, Self::Error>>;

            fn from_request(
                request: &actix_web::HttpRequest,
                _: &mut actix_web::dev::Payload,
            ) -> Self::Future {
                let read: fn(&actix_web::HttpRequest) -> Self = $read;
                std::future::ready(Ok(read(request)))
            }
        }
    };
}

mod body;
mod caller;
mod client_address;
mod idempotency_key;
mod json;
mod last_event;
mod object;
mod params;
mod path_id;
mod precondition;
mod request;

pub(crate) use body::{Body, OptionalBody, Unread};
pub(crate) use caller::{
    AdminInSession, AdminOnly, Decide, HasCaller, InSession, Manage, MaybeSignedIn, Read,
    SESSION_COOKIE, SignedIn, Trade, requester_of, session_cookie_name,
};
pub(crate) use client_address::ClientAddress;
pub(crate) use idempotency_key::IdempotencyKey;
pub(crate) use last_event::{LAST_EVENT_ID_NAME, LastEvent};
pub(crate) use object::Object;
pub(crate) use params::{List, NoParams, Pagination, Params};
pub(crate) use path_id::PathId;
pub(crate) use precondition::{IfMatch, KnownTags};
pub(crate) use request::{RequestContext, RequestDto};
use request::{RequestPart, Validation};
