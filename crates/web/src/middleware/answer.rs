//! The outermost layer: gives each request an id and a span, catches panics, writes every failure in the form
//! that the client accepts, and logs it once.

use std::any::Any;
use std::fmt;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ResponseHead, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, StatusCode, Uri};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, ResponseError};
use foretell_domain::money::Currency;
use foretell_ports::cost::{self, Cost};
use foretell_ports::error::Chain;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use tracing::{Instrument as _, Span};

use super::closing::Closing;
use super::measures;
use super::request_id::{RequestId, X_REQUEST_ID};
use crate::WebState;
use crate::error::render::{Failure, Form};
use crate::error::{ApiError, ErrorCode};
use crate::extract::{HasCaller, Unread};
use crate::routes;
use crate::routing::RoutePath;

/// What browsers are told of every answer, unless its route says otherwise: to take it for what it says it is, and to
/// make no page of it.
const PROTECTIONS: [(HeaderName, &str); 3] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Where the lines of requests that went well, or were refused, are logged.
const REQUESTS: &str = "foretell_request";

/// Makes the layer for each worker.
pub(crate) struct Answering(pub(crate) WebState);

impl<S, B> Transform<S, ServiceRequest> for Answering
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Transform = AnsweringService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AnsweringService { service: Rc::new(service), state: self.0.clone() }))
    }
}

/// The layer around one worker's routes.
pub(crate) struct AnsweringService<S> {
    service: Rc<S>,
    state: WebState,
}

impl<S, B> Service<ServiceRequest> for AnsweringService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    actix_web::dev::forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let exchange = Exchange::begin(&request, self.state.clone());
        let span = exchange.span();
        let service = Rc::clone(&self.service);
        let work = async move {
            let call = AssertUnwindSafe(async { service.call(request).await });
            let cost = Arc::clone(&exchange.cost);
            let result = match cost::noted_in(&cost, pin!(call.catch_unwind())).await {
                Ok(Ok(response)) => Ok(exchange.finish(response)),
                Ok(Err(error)) => Err(exchange.rescue(&error)),
                Err(panic) => Err(exchange.rescue(&caught(panic.as_ref()).into())),
            };
            result.map_err(actix_web::Error::from)
        };
        Box::pin(work.instrument(span))
    }
}

/// What of a request its answer depends on. The request itself cannot be kept: the router must own it.
struct Exchange {
    id: RequestId,
    form: Form,
    method: Method,
    uri: Uri,
    since: Instant,
    cost: Arc<Cost>,
    state: WebState,
    _in_flight: measures::InFlight,
}

impl Exchange {
    fn begin(request: &ServiceRequest, state: WebState) -> Self {
        Self {
            id: RequestId::of(request.headers()),
            form: Form::asked_for(request.headers()),
            method: request.method().clone(),
            uri: request.uri().clone(),
            since: Instant::now(),
            cost: Arc::default(),
            state,
            _in_flight: measures::InFlight::begin(),
        }
    }

    /// Gives every line about the request its id. What a span holds is written out with each request, whether
    /// a line is logged or not: the rest stands in the request's own line.
    fn span(&self) -> Span {
        // At this level it is there whatever is filtered out.
        tracing::error_span!("web.request", request_id = self.id.as_str())
    }

    /// The answer of a route with its headers, its body written anew if it tells of a failure.
    fn finish<B: MessageBody + 'static>(self, mut response: ServiceResponse<B>) -> ServiceResponse<BoxBody> {
        let is_safe = matches!(self.method, Method::GET | Method::HEAD);
        let is_private = !is_safe || response.request().extensions().contains::<HasCaller>();
        let status = response.status();
        if self.state.application.is_ending() {
            // A request that met the end of its connection would be left without an answer.
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        self.set_headers(response.headers_mut(), is_private);
        self.complete_location(response.headers_mut());
        if !status.is_client_error() && !status.is_server_error() {
            self.log(status, Some(response.request()), None);
            return response.map_into_boxed_body();
        }
        let body = {
            let error = response.response().error();
            let failure = self.failure(status, error.and_then(|error| error.as_error::<ApiError>()));
            self.log(status, Some(response.request()), Some((&failure, error)));
            failure.body(self.form)
        };
        let unread = response.request().extensions_mut().remove::<Unread>();
        response.map_body(|head, _| {
            self.set_failure_headers(head);
            match unread {
                Some(unread) => BoxBody::new(Closing::new(body, unread)),
                None => BoxBody::new(body),
            }
        })
    }

    /// The answer where no route gave one: a panic, or the error of another layer.
    fn rescue(self, error: &actix_web::Error) -> Rescue {
        let mut response = error.error_response();
        let status = response.status();
        self.set_headers(response.headers_mut(), true);
        let failure = self.failure(status, error.as_error::<ApiError>());
        self.log(status, None, Some((&failure, Some(error))));
        let body = failure.body(self.form);
        response.headers_mut().insert(CONTENT_TYPE, self.form.content_type());
        Rescue { status, headers: response.headers().clone(), body }
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

    /// Routes know where what they made is found below the base of a version, which is the one that was asked.
    fn complete_location(&self, headers: &mut HeaderMap) {
        let Some(path) = headers.get(LOCATION).and_then(|path| path.to_str().ok()) else { return };
        let base = routes::VERSIONS.into_iter().find(|base| self.uri.path().starts_with(base));
        if let Ok(whole) = HeaderValue::from_str(&format!("{}{path}", base.unwrap_or_default())) {
            headers.insert(LOCATION, whole);
        }
    }

    fn set_failure_headers(&self, head: &mut ResponseHead) {
        head.headers_mut().insert(CONTENT_TYPE, self.form.content_type());
        if head.status == StatusCode::SERVICE_UNAVAILABLE && !head.headers().contains_key(RETRY_AFTER) {
            head.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
    }

    /// Counts the request, and how long it took, by what it asked for; ids are not told apart.
    fn measure(&self, status: StatusCode, request: Option<&HttpRequest>) {
        let route = request.and_then(HttpRequest::app_data::<RoutePath>).map_or("none", |route| route.0);
        let method = match self.method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PATCH => "PATCH",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
        let class = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        measures::answered(method, route, class, self.since.elapsed());
    }

    /// One line a request: what was answered, and for faults of the server why.
    fn log(
        &self,
        status: StatusCode,
        request: Option<&HttpRequest>,
        failure: Option<(&Failure<'_>, Option<&actix_web::Error>)>,
    ) {
        self.measure(status, request);
        let user = || request.and_then(|request| request.extensions().get::<HasCaller>().copied());
        // The fields are worked out only for lines that are written.
        macro_rules! line {
            ($level:ident, $($field:tt)*) => { line!(target: module_path!(), $level, $($field)*) };
            (target: $target:expr, $level:ident, $($field:tt)*) => {
                tracing::$level!(
                    target: $target,
                    method = self.method.as_str(),
                    route = self.route(request),
                    status = status.as_u16(),
                    user_id = user().map(|caller| tracing::field::display(caller.0)),
                    elapsed_us = microseconds(self.since.elapsed()),
                    database_us = microseconds(self.cost.time()),
                    statements = self.cost.statements(),
                    $($field)*
                )
            };
        }
        let Some((failure, error)) = failure else {
            line!(target: REQUESTS, info, "answered");
            return;
        };
        let code = failure.code().as_str();
        match failure.error.map(ApiError::cause) {
            Some(Some(cause)) if status.is_server_error() => {
                line!(error, code, error = %Chain(cause), "a request failed");
            }
            // Turned away for want of capacity: coping, not failing.
            _ if failure.code() == ErrorCode::Unavailable => {
                line!(warn, code, "a request was turned away");
            }
            None if status.is_server_error() => {
                let error = error.map(ToString::to_string);
                line!(error, code, error, "a request failed outside the routes");
            }
            _ => line!(target: REQUESTS, info, code, "refused"),
        }
    }

    /// The pattern of the route that was taken; the words of the path where none was, or where the request
    /// is gone.
    fn route(&self, request: Option<&HttpRequest>) -> String {
        request.and_then(HttpRequest::match_pattern).unwrap_or_else(|| words_of(self.uri.path()))
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A path with `*` for each segment that is no word: an id, or a secret that went astray.
fn words_of(path: &str) -> String {
    /// Letters of the longest segment that is taken for a word.
    const LONGEST: usize = 16;
    let is_of_letters = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    // Two characters, as of a version, give nothing away.
    let is_word = |segment: &str| segment.len() <= 2 || (segment.len() <= LONGEST && is_of_letters(segment));
    let shown = path.split('/').map(|segment| if is_word(segment) { segment } else { "*" });
    shown.collect::<Vec<_>>().join("/")
}

fn caught(panic: &(dyn Any + Send)) -> ApiError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ApiError::internal(format!("a handler panicked: {}", text.unwrap_or("without a message")))
}

/// A finished answer on the way of an error, where there is no request left to answer.
#[derive(Debug)]
struct Rescue {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl fmt::Display for Rescue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered with {}", self.status)
    }
}

impl ResponseError for Rescue {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in &self.headers {
            response.insert_header(header);
        }
        response.body(self.body.clone())
    }
}
