//! Paths and their handlers: a path knows its methods, and answers any other with 405.

use std::pin::pin;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{FromRequest, Handler, Resource, Responder, web};

use crate::error::{ApiError, ErrorCode};
use crate::patience::InTime;

/// A path with a handler for each of its methods.
pub(crate) struct Endpoint {
    resource: Resource,
    allow: String,
    is_unhurried: bool,
}

/// The path of the route that was taken, as it was declared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoutePath(pub(crate) &'static str);

/// A path, such as `/accounts/{id}`, without any handler yet.
pub(crate) fn at(path: &'static str) -> Endpoint {
    let resource = web::resource(path).app_data(RoutePath(path));
    Endpoint { resource, allow: String::new(), is_unhurried: false }
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
    /// Says that the handlers which follow read so much that their clients must wait for as long as it takes.
    pub(crate) fn unhurried(mut self) -> Self {
        self.is_unhurried = true;
        self
    }

    methods! {
        /// The handler of POST.
        post: POST,
        /// The handler of PATCH.
        patch: PATCH,
        /// The handler of DELETE.
        delete: DELETE,
    }

    /// The handler of GET, and of HEAD, whose body the server leaves out.
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
        let is_unhurried = self.is_unhurried;
        let handle = move |InTime { args, patience }| {
            let handler = handler.clone();
            async move {
                if is_unhurried {
                    patience.suspend();
                }
                patience.wait_for(pin!(handler.call(args))).await
            }
        };
        self.resource = self.resource.route(web::method(method).to(handle));
        self
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow = self.allow;
        let refuse = move || {
            let refusal = method_not_allowed(&allow);
            async move { Err::<&str, _>(refusal) }
        };
        self.resource.default_service(web::to(refuse)).register(config);
    }
}

fn method_not_allowed(allow: &str) -> ApiError {
    let error = ApiError::new(ErrorCode::MethodNotAllowed, format!("This path serves {allow} only"));
    match HeaderValue::from_str(allow) {
        Ok(allow) => error.with_header(ALLOW, allow),
        Err(cause) => ApiError::internal(cause),
    }
}

/// Answers paths that nothing is served at.
pub(crate) async fn unknown_route() -> Result<&'static str, ApiError> {
    Err(ApiError::new(ErrorCode::NotFound, "Route not found"))
}
