//! Tests of traces as a collector receives them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message as _;
use tracing::field::Empty;
use wiremock::Request;

use super::*;
use crate::received::received;
use crate::{LogFormat, LogSettings, Settings, join_trace};

/// Runs some work and returns the requests that a collector receives.
fn sent(sample_percent: u8, work: impl FnOnce()) -> Vec<Request> {
    let settings = |address| {
        let traces = TraceSettings {
            endpoint: format!("http://{address}/v1/traces").parse().unwrap(),
            headers: "x-team=markets".parse().unwrap(),
            sample_percent,
        };
        let log = LogSettings { format: LogFormat::Json, filter: "off".to_owned(), color: false };
        Settings { log, traces: Some(traces), reports: None }
    };
    received(settings, work)
}

fn spans(sent: &[Request]) -> Vec<Span> {
    let requests =
        sent.iter().map(|request| ExportTraceServiceRequest::decode(&*request.body).unwrap());
    let resources = requests.flat_map(|request| request.resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a any_value::Value> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()
}

fn text(text: &str) -> any_value::Value {
    AnyValue { value: Some(any_value::Value::StringValue(text.to_owned())) }.value.unwrap()
}

fn request() -> tracing::Span {
    tracing::error_span!(
        "web.request",
        request_id = "r-17",
        otel.kind = "server",
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
        user.email = "ada@example.org",
    )
}

#[test]
fn collector_receives_request_queries_and_errors() {
    let sent = sent(100, || {
        let request = request();
        let _request = request.enter();
        tracing::debug_span!("db.query", query = "market").in_scope(|| {
            tracing::error!(url = "postgres://ada:pass@db/foretell", "the database is away");
            tracing::info!("this is for the log alone");
        });
        tracing::debug_span!(target: "actix_http", "others").in_scope(|| {});
        tracing::Span::current()
            .record("http.request.method", "GET")
            .record("http.route", "/markets/{id}");
        tracing::Span::current().record("http.response.status_code", 503);
    });
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(
        (sent[0].url.path(), sent[0].headers["x-team"].as_bytes()),
        ("/v1/traces", &b"markets"[..])
    );
    let resource = ExportTraceServiceRequest::decode(&*sent[0].body)
        .unwrap()
        .resource_spans
        .remove(0)
        .resource;
    let resource = resource.unwrap().attributes;
    assert_eq!(attribute(&resource, "service.name"), Some(&text("foretell")));
    assert_eq!(attribute(&resource, "service.version"), Some(&text("1.2.3")));

    let spans = spans(&sent);
    let [query, request] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((query.name.as_str(), request.name.as_str()), ("db.query", "GET /markets/{id}"));
    assert_eq!(query.parent_span_id, request.span_id);
    assert_eq!(request.kind(), SpanKind::Server);
    let status = any_value::Value::IntValue(503);
    assert_eq!(attribute(&request.attributes, "http.response.status_code"), Some(&status));
    assert_eq!(attribute(&request.attributes, "request_id"), Some(&text("r-17")));
    assert_eq!(attribute(&request.attributes, "user.email"), Some(&text("[hidden]")));
    assert_eq!(query.status.as_ref().unwrap().code(), StatusCode::Error);
    let [event] = &query.events[..] else { panic!("{query:?}") };
    assert_eq!(event.name, "the database is away");
    assert_eq!(attribute(&event.attributes, "url"), Some(&text("postgres://[hidden]db/foretell")));
    let all = String::from_utf8_lossy(&sent[0].body);
    assert!(!all.contains("pass") && !all.contains("ada@"), "{all}");
}

#[test]
fn batch_span_links_all_its_requests() {
    let sent = sent(100, || {
        let requests = [request(), request()];
        let batch = tracing::debug_span!("writer.batch");
        for request in &requests {
            batch.follows_from(request);
        }
    });
    let spans = spans(&sent);
    let batch = spans.iter().find(|span| span.name == "writer.batch").unwrap();
    let requests = spans.iter().filter(|span| span.kind() == SpanKind::Server);
    let mut requests: Vec<_> = requests.map(|span| span.span_id.clone()).collect();
    let mut linked: Vec<_> = batch.links.iter().map(|link| link.span_id.clone()).collect();
    requests.sort();
    linked.sort();
    assert_eq!(linked, requests);
    assert_eq!(linked.len(), 2);
}

#[test]
fn parent_trace_decides_sampling() {
    let (trace, caller) =
        (0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128, 0xb7ad_6b71_6920_3331_u64);
    let joined = |sample_percent, flag: &str| {
        let sent = sent(sample_percent, || {
            let request = request();
            join_trace(&request, &format!("00-{trace:032x}-{caller:016x}-{flag}"));
            request.in_scope(|| tracing::debug_span!("db.query").in_scope(|| {}));
        });
        spans(&sent)
    };
    let spans = joined(0, "01");
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert!(spans.iter().all(|span| span.trace_id == trace.to_be_bytes()), "{spans:?}");
    assert_eq!(spans[1].parent_span_id, caller.to_be_bytes());
    assert_eq!(joined(100, "00"), []);

    assert!(sent(0, || drop(request())).is_empty());
    assert!(sent(100, || drop(tracing::debug_span!("db.query"))).is_empty());
    let odd = sent(100, || join_trace(&request(), "an odd text"));
    assert_eq!(odd.len(), 1);
}
