//! Errors sent to Sentry: lines of the log at the level `error`, and panics with where they came from.

use std::sync::Arc;
use std::time::Duration;

use sentry::integrations::tracing::{ErrorLayer, SpanLayer};
use sentry::protocol::{Context, Event, Value};
use sentry::transports::UreqHttpTransportOptions;
use sentry::{ClientInitGuard, ClientOptions, Transport, TransportFactory, TransportOptions};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use crate::malformed::is_malformed_request;
use crate::remote::{ReportSettings, agent};
use crate::scrub::{HIDDEN, is_secret, scrubbed};

/// How long the last ones may take to be sent when the process ends.
const FLUSH_TIME: Duration = Duration::from_secs(1);
/// Where the fields of a line are found in what is sent.
const FIELDS: &str = "Rust Tracing Fields";
/// The fields that tell errors apart whose texts are the same.
const TELLING: [&str; 3] = ["route", "code", "kind"];

/// What sends errors, as long as the process lives; what is left is sent when it is dropped.
pub(crate) struct Reports(#[expect(dead_code, reason = "it is kept to be dropped")] ClientInitGuard);

impl Reports {
    /// Begins before threads are started: those that were there already would report nothing.
    pub(crate) fn begin(settings: &ReportSettings, version: &str) -> Self {
        let options = ClientOptions::new()
            .transport(Sending)
            .dsn(settings.dsn.expose())
            .release(format!("foretell@{version}"))
            .environment(settings.environment.clone())
            .shutdown_timeout(FLUSH_TIME)
            .max_breadcrumbs(0)
            .before_send(|event| Some(scrub(event)));
        Self(sentry::init(options))
    }
}

/// Makes what sends them, on a thread of its own.
struct Sending;

impl TransportFactory for Sending {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(UreqHttpTransportOptions::from(options).with_agent(agent()).build())
    }
}

/// Reports what is logged at the level `error`, with the id of the request in which it was.
pub(crate) fn layer() -> impl Layer<Registry> + Send + Sync {
    // What cannot be sent is logged too, and would be reported in turn.
    let is_error = |metadata: &Metadata<'_>| {
        *metadata.level() == Level::ERROR
            && !metadata.target().starts_with("opentelemetry")
            && !is_malformed_request(metadata)
    };
    let errors = ErrorLayer::new().enable_span_attributes().with_filter(filter_fn(is_error));
    let spans =
        SpanLayer::new().with_filter(filter_fn(move |metadata| metadata.is_span() && is_error(metadata)));
    spans.and_then(errors)
}

/// What is sent, without what nobody else may read.
fn scrub(mut event: Event<'static>) -> Event<'static> {
    event.server_name = None;
    event.user = None;
    event.request = None;
    for text in [&mut event.message, &mut event.culprit].into_iter().flatten() {
        *text = scrubbed(text).into_owned();
    }
    for exception in &mut event.exception.values {
        exception.value = exception.value.take().map(|text| scrubbed(&text).into_owned());
    }
    for context in event.contexts.values_mut() {
        match context {
            Context::Other(fields) => fields.iter_mut().for_each(|(name, value)| scrub_value(name, value)),
            // They stand among the fields too.
            Context::Trace(trace) => trace.data.clear(),
            _ => {}
        }
    }
    event.tags.iter_mut().for_each(|(name, text)| {
        *text = if is_secret(name) { HIDDEN.to_owned() } else { scrubbed(text).into_owned() };
    });
    if let Some(Context::Other(fields)) = event.contexts.get(FIELDS) {
        let telling = TELLING.iter().filter_map(|name| fields.get(*name)?.as_str());
        let telling = telling.map(|text| text.to_owned().into());
        event.fingerprint = event.fingerprint.iter().cloned().chain(telling).collect();
    }
    event
}

fn scrub_value(name: &str, value: &mut Value) {
    match value {
        _ if is_secret(name) => *value = HIDDEN.into(),
        Value::String(text) => *text = scrubbed(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(|value| scrub_value(name, value)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| scrub_value(name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
