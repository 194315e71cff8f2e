//! One request and its response.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::pin::Pin;

use actix_web::body::to_bytes;
use actix_web::cookie::Cookie;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use serde_json::Value;

use super::{ADDRESS, Serve, TestUser};

/// A request that is sent when it is awaited.
#[must_use]
pub struct Call {
    serve: Serve,
    request: TestRequest,
    name: String,
}

impl Call {
    pub(super) fn new(serve: Serve, method: Method, path: &str) -> Self {
        let name = format!("{method} {path}");
        let call = Self { serve, request: TestRequest::with_uri(path).method(method), name };
        call.from(ADDRESS)
    }

    /// Adds the bearer token of this user.
    pub fn by(self, user: &TestUser) -> Self {
        self.header("Authorization", &format!("Bearer {}", user.token))
    }

    /// Adds the session cookie.
    pub fn cookie(mut self, token: &str) -> Self {
        self.request =
            self.request.cookie(Cookie::new("__Host-foretell_session", token.to_owned()));
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.append_header((name, value));
        self
    }

    /// Sets the client address.
    pub fn from(mut self, address: &str) -> Self {
        self.request = self.request.peer_addr(SocketAddr::new(address.parse().unwrap(), 4711));
        self
    }

    /// Adds this idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// Adds this body as JSON.
    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// Adds this body, without a content type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.set_payload(body.into());
        self
    }

    /// Sends the request. The response must conform to the API description.
    async fn send(self) -> Reply {
        let response = (self.serve)(self.request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.ok().unwrap();
        let reply = Reply { name: self.name, status, headers, body: body.to_vec() };
        super::contract::check(&reply);
        reply
    }
}

impl IntoFuture for Call {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    /// Method and path.
    pub name: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// Returns the text of a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the data of a success with this status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self}");
        let mut body = self.json();
        assert_eq!(body["success"], true, "{self}");
        body["data"].take()
    }

    /// Returns the body of an error with this status and code, in the envelope.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self}");
        assert_eq!(self.header("Content-Type"), "application/json", "{self}");
        let body = self.json();
        assert_eq!(
            (&body["success"], &body["code"]),
            (&Value::Bool(false), &code.into()),
            "{self}"
        );
        assert!(body["error"].as_str().is_some_and(|text| !text.is_empty()), "{self}");
        assert_eq!(body["requestId"], self.header("X-Request-Id"), "{self}");
        body
    }

    /// Returns the validation errors, as `field: code`, sorted.
    #[track_caller]
    pub fn errors(&self) -> Vec<String> {
        let body = self.refused(400, "VALIDATION_ERROR");
        assert_eq!(body["error"], "Validation failed", "{self}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut errors: Vec<_> = body["details"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| {
                assert!(!text(&error["message"]).is_empty(), "{self}");
                format!("{}: {}", text(&error["field"]), text(&error["code"]))
            })
            .collect();
        errors.sort();
        errors
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.name, self.status, String::from_utf8_lossy(&self.body))
    }
}
