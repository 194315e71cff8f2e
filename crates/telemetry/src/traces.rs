//! Traces: spans sent to an OpenTelemetry collector by OTLP, in protobuf over HTTP.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Link, SpanKind, Status, TraceId, TracerProvider as _};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    Sampler, SamplingResult, SdkTracerProvider, ShouldSample, SpanData,
};
use tracing::{Level, Metadata, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use crate::remote::{TraceSettings, agent};
use crate::scrub::{HIDDEN, is_secret, scrubbed};

/// Prefix of the targets of this project's spans and events.
const OURS: &str = "foretell";
/// Maximum time to send the remaining spans at shutdown.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// Guard of the tracing; dropping it sends the remaining spans.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    pub(crate) fn begin(
        settings: &TraceSettings,
        version: &str,
    ) -> Result<Self, ExporterBuildError> {
        let headers =
            settings.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client(agent()))
            .with_endpoint(settings.endpoint.as_str())
            .with_headers(headers.collect())
            .build()?;
        let share = f64::from(settings.sample_percent.min(100)) / 100.0;
        let sampler = Sampler::ParentBased(Box::new(Work(Sampler::TraceIdRatioBased(share))));
        let version = KeyValue::new("service.version", version.to_owned());
        let resource =
            Resource::builder().with_service_name("foretell").with_attribute(version).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Preparing(exporter))
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// Returns the layer that records this project's spans, including database queries, and their
    /// errors.
    pub(crate) fn layer(&self) -> impl Layer<Registry> + Send + Sync + use<> {
        let is_kept = |metadata: &Metadata<'_>| {
            let least = if metadata.is_span() { Level::DEBUG } else { Level::WARN };
            metadata.target().starts_with(OURS) && *metadata.level() <= least
        };
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(OURS))
            // None of these attributes is useful to readers.
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(is_kept))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is down was already logged, with each batch that it did not take.
        drop(self.0.shutdown_with_timeout(FLUSH_TIME));
    }
}

/// Adds a span to the trace of a `traceparent` header.
pub(crate) fn join(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    // Fails if the span is not traced.
    drop(span.set_parent(TraceContextPropagator::new().extract(&carrier)));
}

/// Sampler of spans without a parent: requests, batches and jobs. Without it, the queries that poll
/// for work would be the majority.
#[derive(Debug, Clone)]
struct Work(Sampler);

impl ShouldSample for Work {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampler = if name.starts_with("db.") { &Sampler::AlwaysOff } else { &self.0 };
        sampler.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}

/// HTTP client of the exporter, which runs on its own thread.
#[derive(Debug)]
struct Client(ureq::Agent);

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, mut body) = self.0.run(request.map(|body| body.to_vec()))?.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }
}

/// Exporter that first sets the names of spans, and removes secrets and personal data.
#[derive(Debug)]
struct Preparing<E>(E);

impl<E: opentelemetry_sdk::trace::SpanExporter> opentelemetry_sdk::trace::SpanExporter
    for Preparing<E>
{
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        for span in &mut batch {
            name(span);
            scrub(span);
        }
        self.0.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Names a request span by its method and route: they are not known before routing, and the name of
/// a span that has begun cannot be changed.
fn name(span: &mut SpanData) {
    let attribute =
        |key: &str| span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    if let (Some(method), Some(route)) = (attribute("http.request.method"), attribute("http.route"))
    {
        span.name = format!("{} {}", method.value, route.value).into();
    }
}

fn scrub(span: &mut SpanData) {
    span.name = scrubbed(&span.name).into_owned().into();
    span.attributes.iter_mut().for_each(scrub_attribute);
    for event in &mut span.events.events {
        event.name = scrubbed(&event.name).into_owned().into();
        event.attributes.iter_mut().for_each(scrub_attribute);
    }
    if let Status::Error { description } = &mut span.status {
        *description = scrubbed(description).into_owned().into();
    }
}

fn scrub_attribute(attribute: &mut KeyValue) {
    if is_secret(attribute.key.as_str()) {
        attribute.value = HIDDEN.into();
    } else if let Value::String(text) = &attribute.value {
        let text = scrubbed(text.as_str()).into_owned();
        attribute.value = text.into();
    }
}

#[cfg(test)]
mod tests;
