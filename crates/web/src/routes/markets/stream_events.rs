//! `GET /markets/{id}/events`: streams the events of a market as server-sent events.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use foretell_application::{
    Application, MarketEvent, MarketEventData, MarketEventId, MarketEventStream, StreamItem,
    StreamPermit,
};
use foretell_domain::id::MarketId;
use foretell_ports::error::Chain;
use futures::Stream;
use futures::stream;
use serde::Serialize;

use crate::WebState;
use crate::dto::market::MarketView;
use crate::dto::market::bet::BetView;
use crate::error::ApiError;
use crate::extract::{LAST_EVENT_ID_NAME, LastEvent, NoParams, Params, PathId, requester_of};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldError, FieldErrorCode, invalid};

/// Interval of heartbeats in a stream without events: shorter than the timeouts of proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Disables buffering in nginx.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Time that a client waits before it reconnects, in milliseconds.
const RETRY: &[u8] = b"retry: 2000\n\n";

/// Streams the events of a market: `trade` events with its bets and sales, as `GET /bets/{id}`
/// returns them, in order, and `edited` and `status` events with the market, as `GET /markets/{id}`
/// returns it; a clarification is an `edited` event too.
/// Without `Last-Event-ID` the stream starts with the current status, with one right after that
/// event. If more than 2,000 trades follow that event, a `gap` event contains the first and the
/// last trade that are left out: read the market and its bets again. The stream ends with the
/// market. Fails with `UNAVAILABLE` if too many streams are open.
#[utoipa::path(
    get,
    path = "/markets/{id}/events",
    operation_id = "streamMarketEvents",
    tag = "markets",
    params(("Last-Event-ID" = Option<String>, Header)),
    responses(
        (
            status = 200,
            description = "The events, as they happen.",
            body = String,
            content_type = "text/event-stream",
        ),
        (status = 204, description = "Nothing will happen after this event."),
    ),
)]
pub(super) async fn stream_events(
    state: Data<WebState>,
    request: HttpRequest,
    id: PathId<MarketId>,
    last: LastEvent,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, last, ()) = state.validate((id, last, params))?;
    let market = state.application.markets.get_market(id).await?;
    let present = MarketEventId::of(&market);
    let is_ahead =
        |last: MarketEventId| last.sequence > present.sequence || last.revision > present.revision;
    if last.is_some_and(is_ahead) {
        let error = invalid(FieldErrorCode::Invalid, "must be the id of an event of this market");
        return Err(ApiError::validation(vec![FieldError::new(LAST_EVENT_ID_NAME, &error)]));
    }
    if last == Some(present) && present.is_last() {
        // Clients of server-sent events reconnect after any other status.
        return Ok(reply::no_content());
    }
    let permit = state.application.limits.open_stream(requester_of(&request).await?)?;
    let events = Arc::clone(&state.application.markets).stream_market_events(id, last);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_ACCEL_BUFFERING, "no"))
        .streaming(body(state, events, permit)))
}

/// Trades that a stream leaves out, by their numbers.
#[derive(Serialize)]
struct GapView {
    first: i64,
    last: i64,
}

/// Returns the stream, generated as fast as the client reads it: one that does not read costs only
/// its connection.
fn body(
    state: Data<WebState>,
    events: MarketEventStream,
    permit: StreamPermit,
) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
    let begin = stream::iter([Ok(Bytes::from_static(RETRY))]);
    let items = stream::unfold(Some((state, events, permit)), |open| async move {
        let (state, mut source, permit) = open?;
        match source.next(HEARTBEAT).await {
            Ok(StreamItem::Events(events)) => {
                let written = write_all(&state.application, &events);
                Some((written.map_err(actix_web::Error::from), Some((state, source, permit))))
            }
            Ok(StreamItem::Idle) => {
                Some((Ok(Bytes::from_static(b":\n\n")), Some((state, source, permit))))
            }
            Ok(StreamItem::End) => None,
            // The client reconnects and resumes after its last event.
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "a stream of events was broken off");
                None
            }
        }
    });
    futures::StreamExt::chain(begin, items)
}

fn write_all(application: &Application, events: &[MarketEvent]) -> Result<Bytes, ApiError> {
    let mut written = Vec::new();
    for event in events {
        write(application, event, &mut written).map_err(ApiError::internal)?;
    }
    Ok(Bytes::from(written))
}

fn write(
    application: &Application,
    event: &MarketEvent,
    written: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let currency = &application.settings().currency;
    let id = event.id;
    match &event.data {
        MarketEventData::Trade(bet) => {
            append(written, id, "trade", &BetView::public(bet, currency))
        }
        MarketEventData::Gap { first, last } => {
            append(written, id, "gap", &GapView { first: *first, last: *last })
        }
        MarketEventData::Status(market) => {
            append(written, id, "status", &MarketView::at(application.now(), market, currency))
        }
        MarketEventData::Revised(market) => {
            append(written, id, "edited", &MarketView::at(application.now(), market, currency))
        }
    }
}

/// Appends an event. JSON as written here contains no line breaks, which would end the field.
fn append(
    written: &mut Vec<u8>,
    id: MarketEventId,
    name: &str,
    data: &impl Serialize,
) -> Result<(), serde_json::Error> {
    written.extend_from_slice(format!("id: {id}\nevent: {name}\ndata: ").as_bytes());
    serde_json::to_writer(&mut *written, data)?;
    written.extend_from_slice(b"\n\n");
    Ok(())
}
