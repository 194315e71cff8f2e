//! Who makes a request, by session token: as a bearer token or in the cookie.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use foretell_application::Caller;
use foretell_domain::error::DomainError;
use foretell_domain::policy;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use crate::WebState;
use crate::error::{ApiError, ErrorCode};

/// The cookie that a session token comes in.
pub(crate) const SESSION_COOKIE: &str = "foretell_session";

/// Marks a request whose answer is for its caller alone.
pub(crate) struct HasCaller;

/// A user with a live session; anyone else is answered 401.
#[derive(Debug)]
pub(crate) struct SignedIn(pub(crate) Arc<Caller>);

/// A user with a live session, or nobody. A token that names no live session is answered 401 here too: who
/// presents one does not expect to be nobody.
#[derive(Debug)]
pub(crate) struct MaybeSignedIn(pub(crate) Option<Arc<Caller>>);

impl MaybeSignedIn {
    /// The user, for a use case.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.0.as_deref()
    }

    /// The user, where nobody is answered 401.
    pub(crate) fn required(&self) -> Result<&Caller, ApiError> {
        self.caller().ok_or_else(sign_in_first)
    }
}

/// An admin with a live session; other users are answered 403.
#[derive(Debug)]
pub(crate) struct AdminOnly(pub(crate) Arc<Caller>);

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { authenticate(&request).await.map(Self) }.boxed_local()
    }
}

impl FromRequest for MaybeSignedIn {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let work = async move {
            let is_somebody =
                request.headers().contains_key(AUTHORIZATION) || request.cookie(SESSION_COOKIE).is_some();
            let caller = if is_somebody { Some(authenticate(&request).await?) } else { None };
            Ok(Self(caller))
        };
        work.boxed_local()
    }
}

impl FromRequest for AdminOnly {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let work = async move {
            let caller = authenticate(&request).await?;
            policy::may_administer(caller.actor()).map_err(DomainError::Denied)?;
            Ok(Self(caller))
        };
        work.boxed_local()
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Arc<Caller>, ApiError> {
    let state = request.app_data::<Data<WebState>>().ok_or_else(|| ApiError::internal("no web state"))?;
    let token = token_of(request).ok_or_else(sign_in_first)?;
    let caller = state.application.authenticate(&token).await?;
    let caller = caller.ok_or_else(|| unauthorized("The session is unknown or has ended"))?;
    request.extensions_mut().insert(HasCaller);
    Ok(caller)
}

fn sign_in_first() -> ApiError {
    unauthorized("Sign in first")
}

fn unauthorized(message: &'static str) -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, message)
}

/// The token of the request. A header of another scheme is not made good by a cookie.
fn token_of(request: &HttpRequest) -> Option<String> {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return request.cookie(SESSION_COOKIE).map(|cookie| cookie.value().to_owned());
    };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}
