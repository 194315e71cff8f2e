//! The header `Last-Event-ID`: the position of a client in a stream of events.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use foretell_application::{EventIdError, MarketEventId};

use super::{ParseContext, RequestPart};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Name of the header, in requests.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Last event that the client received, if any. An invalid value is a validation error: resuming
/// elsewhere would leave a gap.
pub(crate) struct LastEvent(Result<Option<MarketEventId>, EventIdError>);

impl FromRequest for LastEvent {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(read(request.headers()))))
    }
}

impl RequestPart for LastEvent {
    type Value = Option<MarketEventId>;

    fn extract(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<Option<MarketEventId>> {
        if self.0.is_err() {
            errors.add(
                LAST_EVENT_ID_NAME,
                FieldErrorCode::Format,
                "must be the id of an event of this market",
            );
        }
        self.0.ok()
    }
}

/// Name of the header, in validation errors.
pub(crate) const LAST_EVENT_ID_NAME: &str = "Last-Event-ID";

fn read(headers: &HeaderMap) -> Result<Option<MarketEventId>, EventIdError> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    value.to_str().map_err(|_| EventIdError)?.trim().parse().map(Some)
}
