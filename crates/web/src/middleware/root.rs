//! Outermost middleware: gives each request an id and a span, catches panics, renders every error
//! in the form that the client accepts, and logs it once.

mod access_log;

use std::any::Any;
use std::fmt;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ResponseHead, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    LOCATION, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, StatusCode, Uri};
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpResponse, ResponseError};
use foretell_domain::money::Currency;
use foretell_ports::cost::{self, Cost};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::closing_body::ClosingBody;
use super::request_id::{RequestId, X_REQUEST_ID};
use super::request_metrics;
use crate::WebState;
use crate::connections::{is_over_limit, keep_connection};
use crate::error::ApiError;
use crate::error::render::{Failure, Form};
use crate::extract::{HasCaller, Unread};
use crate::routing::ApiVersion;

/// Security headers of every response, unless its route sets others: browsers must not guess the
/// content type, and must not render the response as a page.
const PROTECTIONS: [(HeaderName, &str); 3] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Header with the trace that a request belongs to (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";

/// Factory of the middleware for each worker.
pub(crate) struct RootMiddleware(pub(crate) Data<WebState>);

impl<S, B> Transform<S, ServiceRequest> for RootMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Transform = RootService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RootService { service: Rc::new(service), state: self.0.clone() }))
    }
}

/// Middleware around one worker's routes.
pub(crate) struct RootService<S> {
    service: Rc<S>,
    state: Data<WebState>,
}

impl<S, B> Service<ServiceRequest> for RootService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    actix_web::dev::forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let context = RequestContext::begin(&request, self.state.clone());
        let span = context.span(&request);
        let service = Rc::clone(&self.service);
        let work = async move {
            let call = AssertUnwindSafe(async { service.call(request).await });
            let cost = Arc::clone(&context.cost);
            let result = match cost::noted_in(&cost, pin!(call.catch_unwind())).await {
                Ok(Ok(response)) => Ok(context.finish(response)),
                Ok(Err(error)) => Err(context.fallback(&error)),
                Err(panic) => Err(context.fallback(&caught(panic.as_ref()).into())),
            };
            result.map_err(actix_web::Error::from)
        };
        Box::pin(work.instrument(span))
    }
}

/// Data of a request that its response depends on. The request itself cannot be kept: the router
/// must own it.
struct RequestContext {
    id: RequestId,
    form: Form,
    method: Method,
    uri: Uri,
    since: Instant,
    cost: Arc<Cost>,
    state: Data<WebState>,
    /// `true` if the connection is over the limit, and must be closed after this response.
    is_over_limit: bool,
    _in_flight: request_metrics::InFlight,
}

impl RequestContext {
    fn begin(request: &ServiceRequest, state: Data<WebState>) -> Self {
        keep_connection(request.request());
        Self {
            id: RequestId::of(request.headers()),
            form: Form::asked_for(request.headers()),
            method: request.method().clone(),
            uri: request.uri().clone(),
            since: Instant::now(),
            cost: Arc::default(),
            state,
            is_over_limit: is_over_limit(request.request()),
            _in_flight: request_metrics::InFlight::begin(),
        }
    }

    /// Creates the span with the request id. The fields of a span are formatted for each request,
    /// whether a line is logged or not: so everything else is in the request's own log line.
    fn span(&self, request: &ServiceRequest) -> Span {
        // At this level it exists whatever the log filter is.
        let span = tracing::error_span!(
            "web.request",
            request_id = self.id.as_str(),
            otel.kind = Empty,
            http.request.method = Empty,
            http.route = Empty,
            http.response.status_code = Empty,
            user.id = Empty,
        );
        if let Some(join_trace) = self.state.settings.join_trace {
            span.record("otel.kind", "server");
            let peer = request
                .peer_addr()
                .filter(|peer| self.state.settings.trusted_proxies.trusts(peer.ip()));
            let trace = peer.and_then(|_| request.headers().get(TRACEPARENT)?.to_str().ok());
            if let Some(trace) = trace {
                join_trace(&span, trace);
            }
        }
        span
    }

    /// Completes the response of a route with its headers, and renders its body if it is an error.
    fn finish<B: MessageBody + 'static>(
        self,
        mut response: ServiceResponse<B>,
    ) -> ServiceResponse<BoxBody> {
        let is_safe = matches!(self.method, Method::GET | Method::HEAD);
        let is_private = !is_safe || response.request().extensions().contains::<HasCaller>();
        let status = response.status();
        if self.must_close() {
            // A request that arrives while the connection closes would get no response.
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        self.set_headers(response.headers_mut(), is_private);
        complete_location(&mut response);
        if !status.is_client_error() && !status.is_server_error() {
            self.record(status, Some(response.request()), None);
            return response.map_into_boxed_body();
        }
        let body = {
            let error = response.response().error();
            let failure =
                self.failure(status, error.and_then(|error| error.as_error::<ApiError>()));
            self.record(status, Some(response.request()), Some((&failure, error)));
            failure.body(self.form)
        };
        let unread = response.request().extensions_mut().remove::<Unread>();
        response.map_body(|head, _| {
            self.set_failure_headers(head);
            match unread {
                Some(unread) => BoxBody::new(ClosingBody::new(body, unread)),
                None => BoxBody::new(body),
            }
        })
    }

    /// Returns the response if no route gave one: after a panic, or an error of another middleware.
    fn fallback(self, error: &actix_web::Error) -> ErrorFallback {
        let mut response = error.error_response();
        let status = response.status();
        self.set_headers(response.headers_mut(), true);
        let failure = self.failure(status, error.as_error::<ApiError>());
        self.record(status, None, Some((&failure, Some(error))));
        let body = failure.body(self.form);
        response.headers_mut().insert(CONTENT_TYPE, self.form.content_type());
        ErrorFallback {
            status,
            headers: response.headers().clone(),
            body,
            must_close: self.must_close(),
        }
    }

    fn must_close(&self) -> bool {
        self.is_over_limit || self.state.application.operations.is_ending()
    }

    fn failure<'a>(&'a self, status: StatusCode, error: Option<&'a ApiError>) -> Failure<'a> {
        Failure { error, status, request_id: self.id.as_str(), currency: self.currency() }
    }

    fn currency(&self) -> &Currency {
        &self.state.application.settings().currency
    }

    fn set_headers(&self, headers: &mut HeaderMap, is_private: bool) {
        headers.insert(X_REQUEST_ID, self.id.as_header().clone());
        for (name, value) in PROTECTIONS {
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        if self.state.settings.secure_cookies {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if is_private && !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }

    fn set_failure_headers(&self, head: &mut ResponseHead) {
        head.headers_mut().insert(CONTENT_TYPE, self.form.content_type());
        if head.status == StatusCode::SERVICE_UNAVAILABLE
            && !head.headers().contains_key(RETRY_AFTER)
        {
            head.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
    }
}

/// Adds the base path of the matched version to a `Location` header: routes write only the rest.
fn complete_location<B>(response: &mut ServiceResponse<B>) {
    let Some(version) = ApiVersion::of(response.request()) else { return };
    let Some(path) = response.headers().get(LOCATION).and_then(|path| path.to_str().ok()) else {
        return;
    };
    if let Ok(location) = HeaderValue::from_str(&format!("{}{path}", version.base())) {
        response.headers_mut().insert(LOCATION, location);
    }
}

fn caught(panic: &(dyn Any + Send)) -> ApiError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ApiError::internal(format!("a handler panicked: {}", text.unwrap_or("without a message")))
}

/// A finished response in the form of an error, used when the request no longer exists.
#[derive(Debug)]
struct ErrorFallback {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    must_close: bool,
}

impl fmt::Display for ErrorFallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered with {}", self.status)
    }
}

impl ResponseError for ErrorFallback {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in &self.headers {
            response.insert_header(header);
        }
        if self.must_close {
            response.force_close();
        }
        response.body(self.body.clone())
    }
}
