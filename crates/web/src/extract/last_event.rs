//! The header `Last-Event-ID`: the position of a client in a stream of events.

use actix_web::http::header::{HeaderMap, HeaderName};
use foretell_application::{EventIdError, MarketEventId};

use super::{RequestPart, Validation};
use crate::error::ApiError;
use crate::validation::{FieldErrorCode, invalid};

/// Name of the header, in requests.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Last event that the client received, if any. An invalid value is a validation error: resuming
/// elsewhere would leave a gap.
pub(crate) struct LastEvent(Result<Option<MarketEventId>, garde::Error>);

from_head!(LastEvent, |request| {
    let error = |_| invalid(FieldErrorCode::Format, "must be the id of an event of this market");
    Self(read(request.headers()).map_err(error))
});

impl RequestPart for LastEvent {
    type Value = Option<MarketEventId>;

    fn extract(
        self,
        validation: &mut Validation,
    ) -> Result<Option<Option<MarketEventId>>, ApiError> {
        Ok(validation.value_of(LAST_EVENT_ID_NAME, self.0))
    }
}

/// Name of the header, in validation errors.
pub(crate) const LAST_EVENT_ID_NAME: &str = "Last-Event-ID";

fn read(headers: &HeaderMap) -> Result<Option<MarketEventId>, EventIdError> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    value.to_str().map_err(|_| EventIdError)?.trim().parse().map(Some)
}
