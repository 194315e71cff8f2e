//! Extractors: the inputs of handlers.
//!
//! [`SignedIn`], [`MaybeSignedIn`], [`InSession`], [`AdminOnly`] and [`AdminInSession`] fail
//! immediately. The others are [`Part`]s: they never fail by themselves, but are checked together
//! by [`WebState::accept`], so that a response lists all validation errors of a request, and only
//! authenticated clients get them:
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
mod validate;

use foretell_application::ApplicationSettings;
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;

pub(crate) use body::{Body, OptionalBody, Unread};
pub(crate) use caller::{
    AdminInSession, AdminOnly, HasCaller, InSession, Manage, MaybeSignedIn, Read, SESSION_COOKIE, SignedIn,
    Trade, requester_of, session_cookie_name,
};
pub(crate) use client_address::ClientAddress;
pub(crate) use idempotency_key::{IDEMPOTENCY_KEY, IdempotencyKey};
pub(crate) use last_event::{LAST_EVENT_ID_NAME, LastEvent};
pub(crate) use object::Object;
pub(crate) use params::{NoParams, Params};
pub(crate) use path_id::PathId;
pub(crate) use precondition::{IfMatch, KnownTags};
pub(crate) use validate::RequestDto;

use crate::WebState;
use crate::cursor::CursorKey;
use crate::error::ApiError;
use crate::validation::ValidationErrors;

/// Context in which a request is interpreted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParseContext<'a> {
    /// Settings of the operator.
    pub(crate) settings: &'a ApplicationSettings,
    /// Current time.
    pub(crate) now: Timestamp,
    /// Pagination of the API version.
    pub(crate) pagination: Pagination<'a>,
}

/// Pagination of an API version.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pagination<'a> {
    /// By page numbers, with a total.
    ByPage,
    /// By cursors, signed with this key for the list with this identity.
    ByCursor { key: &'a CursorKey, identity: &'a str },
}

impl ParseContext<'_> {
    /// Returns the ledger's currency.
    pub(crate) const fn currency(&self) -> &Currency {
        &self.settings.currency
    }
}

/// A request type that can be converted to the input of a use case.
pub(crate) trait ParseRequest {
    /// Input of the use case.
    type Input;

    /// Returns the input; if it is `None`, the validation errors say why. It may be returned in
    /// spite of errors.
    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input>;
}

/// A part of a request whose validation errors are reported together with those of the other parts.
pub(crate) trait RequestPart {
    /// Value of the part.
    type Value;

    /// Returns the value; if it is `None`, the validation errors say why.
    fn extract(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Value>;
}

macro_rules! tuples {
    ($(($($part:ident),+))+) => {$(
        impl<$($part: RequestPart),+> RequestPart for ($($part,)+) {
            type Value = ($($part::Value,)+);

            #[allow(non_snake_case, reason = "one name serves as type and value")]
            fn extract(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Value> {
                let ($($part,)+) = self;
                // All parts are checked before the first missing one ends it, so that all errors
                // are reported.
                $(let $part = $part.extract(errors, context);)+
                Some(($($part?,)+))
            }
        }
    )+};
}

tuples! { (A, B) (A, B, C) }

impl WebState {
    /// Returns the values of all parts, or all their validation errors.
    pub(crate) fn validate<P: RequestPart>(&self, parts: P) -> Result<P::Value, ApiError> {
        let context = ParseContext {
            settings: self.application.settings(),
            now: self.application.now(),
            pagination: Pagination::ByCursor { key: &self.settings.cursor_key, identity: "" },
        };
        let mut errors = ValidationErrors::default();
        let value = parts.extract(&mut errors, &context);
        errors.into_result()?;
        value.ok_or_else(|| ApiError::internal("a part of a request is missing without an error"))
    }
}
