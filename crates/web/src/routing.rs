//! Route definitions: a path, its handlers by method, and the rules for its requests.
//!
//! Every decision about a request (rate limit, API version, deadline) is a property of the matched
//! route. The text of the path must never decide: one route has many spellings, since the router
//! decodes percent-encoded characters.

use std::future::{Ready, ready};
use std::pin::pin;
use std::rc::Rc;

use actix_web::dev::{AppService, HttpServiceFactory, Payload};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route, web};
use foretell_application::RequestKind;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use crate::deadline::Deadline;
use crate::error::{ApiError, ErrorCode};
use crate::middleware::{Metering, meter};

/// A path with a handler for each of its methods.
pub(crate) struct Endpoint {
    resource: Resource,
    allow: String,
    metering: Metering,
    has_no_deadline: bool,
}

/// Path of the matched route, as declared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoutePath(pub(crate) &'static str);

/// A version of the API. All versions have the same routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiVersion {
    /// Lists have page numbers and totals.
    V1,
    /// Lists have cursors.
    V2,
}

impl ApiVersion {
    /// All versions, the most used first.
    pub(crate) const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// Returns the prefix of its paths.
    pub(crate) const fn base(self) -> &'static str {
        match self {
            Self::V1 => "/api/v1",
            Self::V2 => "/api/v2",
        }
    }

    /// Returns the version of the matched route; `None` outside all versions.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.app_data().copied()
    }
}

/// Creates an endpoint for a path, such as `/accounts/{id}`, without any handler yet.
pub(crate) fn at(path: &'static str) -> Endpoint {
    let resource = web::resource(path).app_data(RoutePath(path));
    Endpoint {
        resource,
        allow: String::new(),
        metering: Metering::ByMethod,
        has_no_deadline: false,
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident: $method:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub(crate) fn $name<F, Args>(self, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.on(Method::$method, handler)
        }
    )+};
}

impl Endpoint {
    /// Counts the requests of the following handlers in this bucket.
    pub(crate) fn counted_as(mut self, kind: RequestKind) -> Self {
        self.metering = Metering::As(kind);
        self
    }

    /// Exempts the whole path from rate limits.
    pub(crate) fn never_limited(mut self) -> Self {
        self.metering = Metering::Exempt;
        self
    }

    /// Exempts the following handlers from the response timeout, since they read very much.
    pub(crate) fn no_deadline(mut self) -> Self {
        self.has_no_deadline = true;
        self
    }

    methods! {
        /// Adds the handler of POST.
        post: POST,
        /// Adds the handler of PATCH.
        patch: PATCH,
        /// Adds the handler of DELETE.
        delete: DELETE,
    }

    /// Adds the handler of GET, and of HEAD, whose body the server leaves out.
    pub(crate) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, handler.clone()).on(Method::HEAD, handler)
    }

    fn on<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        if !self.allow.is_empty() {
            self.allow.push_str(", ");
        }
        self.allow.push_str(method.as_str());
        let has_no_deadline = self.has_no_deadline;
        let handle = move |Call { request, payload }| {
            respond(handler.clone(), has_no_deadline, request, payload).boxed_local()
        };
        let route = metered(erased(method, Rc::new(handle)), self.metering);
        self.resource = self.resource.route(route);
        self
    }
}

/// Future of the response to a request.
type Response = LocalBoxFuture<'static, Result<HttpResponse, actix_web::Error>>;

/// A request on its way to its handler.
struct Call {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Call {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

/// Returns a route to a handler without its type: actix compiles its services once instead of for
/// each handler.
fn erased(method: Method, handle: Rc<dyn Fn(Call) -> Response>) -> Route {
    web::method(method).to(move |call: Call| handle(call))
}

/// Extracts the arguments of a handler and runs it, both within the timeout.
async fn respond<F, Args>(
    handler: F,
    has_no_deadline: bool,
    request: HttpRequest,
    mut payload: Payload,
) -> Result<HttpResponse, actix_web::Error>
where
    F: Handler<Args>,
    Args: FromRequest,
    F::Output: Responder,
{
    let deadline = Deadline::of(&request, &payload)?;
    let args = deadline.wait_for(pin!(Args::from_request(&request, &mut payload))).await?;
    let args = args.map_err(Into::into)?;
    if has_no_deadline {
        deadline.suspend();
    }
    let output = deadline.wait_for(pin!(handler.call(args))).await;
    Ok(output.respond_to(&request).map_into_boxed_body())
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        // Methods that the path does not support are counted as well, if its requests are.
        let metering = match self.metering {
            Metering::Exempt => Metering::Exempt,
            Metering::ByMethod | Metering::As(_) => Metering::ByMethod,
        };
        let allow = self.allow;
        let refuse = move || {
            let refusal = method_not_allowed(&allow);
            async move { Err::<&str, _>(refusal) }
        };
        let refuse = metered(web::to(refuse), metering);
        self.resource.default_service(refuse).register(config);
    }
}

fn metered(route: Route, metering: Metering) -> Route {
    match metering {
        Metering::Exempt => route,
        _ => route.wrap(from_fn(move |request, next| meter(metering, request, next))),
    }
}

fn method_not_allowed(allow: &str) -> ApiError {
    let error =
        ApiError::new(ErrorCode::MethodNotAllowed, format!("This path serves {allow} only"));
    match HeaderValue::from_str(allow) {
        Ok(allow) => error.with_header(ALLOW, allow),
        Err(cause) => ApiError::internal(cause),
    }
}

/// Returns the route of unknown paths below a version's base: counted like any other request.
pub(crate) fn unknown_versioned_route() -> Route {
    metered(web::to(unknown_route), Metering::ByMethod)
}

/// Responds to unknown paths.
pub(crate) async fn unknown_route() -> Result<&'static str, ApiError> {
    Err(ApiError::new(ErrorCode::NotFound, "Route not found"))
}
