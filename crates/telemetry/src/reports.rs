//! Error reports for Sentry: log events at the level `error`, and panics with their location.

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

/// Maximum time to send the remaining reports at shutdown.
const FLUSH_TIME: Duration = Duration::from_secs(1);
/// Name of the context with the fields of an event.
const FIELDS: &str = "Rust Tracing Fields";
/// Fields that distinguish errors with the same message.
const TELLING: [&str; 3] = ["route", "code", "kind"];

/// Guard of the error reporting; dropping it sends the remaining reports.
pub(crate) struct Reports(
    #[expect(dead_code, reason = "it is kept to be dropped")] ClientInitGuard,
);

impl Reports {
    /// Starts error reporting. Call it before threads are started: earlier threads would report
    /// nothing.
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

/// Factory of the transport, which sends on its own thread.
struct Sending;

impl TransportFactory for Sending {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(UreqHttpTransportOptions::from(options).with_agent(agent()).build())
    }
}

/// Returns the layer that reports events at the level `error`, with the id of their request.
pub(crate) fn layer() -> impl Layer<Registry> + Send + Sync {
    // Failures of sending are logged too, and would be reported in turn.
    let is_error = |metadata: &Metadata<'_>| {
        *metadata.level() == Level::ERROR
            && !metadata.target().starts_with("opentelemetry")
            && !is_malformed_request(metadata)
    };
    let errors = ErrorLayer::new().enable_span_attributes().with_filter(filter_fn(is_error));
    let spans = SpanLayer::new()
        .with_filter(filter_fn(move |metadata| metadata.is_span() && is_error(metadata)));
    spans.and_then(errors)
}

/// Removes secrets and personal data from a report.
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
            Context::Other(fields) => {
                for (name, value) in fields.iter_mut() {
                    scrub_value(name, value);
                }
            }
            // These values are repeated among the fields.
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
        Value::Object(fields) => {
            for (name, value) in fields {
                scrub_value(name, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
