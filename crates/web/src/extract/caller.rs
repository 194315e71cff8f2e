//! Authentication by session token or API key: as a bearer token, or a session token in the cookie.
//!
//! Each extractor states its required credential, so that no route can leave that open.

use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::cookie::Cookie;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use foretell_application::{AppError, Caller, Requester};
use foretell_domain::error::DomainError;
use foretell_domain::id::UserId;
use foretell_domain::policy;
use foretell_domain::scope::Scope;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use super::ClientAddress;
use crate::error::{ApiError, ErrorCode};
use crate::origins::{self, WebOrigin};
use crate::{WebSettings, WebState};

/// Cookie with the session token over HTTPS. Browsers accept a name with this prefix only from this
/// very host, over HTTPS and for all paths: neither another subdomain nor a page without TLS can
/// set it.
pub(crate) const SESSION_COOKIE: &str = "__Host-foretell_session";

/// Name of the cookie in development, without HTTPS.
const INSECURE_SESSION_COOKIE: &str = "foretell_session";

/// Returns the name of the cookie with the session token.
pub(crate) const fn session_cookie_name(settings: &WebSettings) -> &'static str {
    if settings.secure_cookies { SESSION_COOKIE } else { INSECURE_SESSION_COOKIE }
}

/// Marks a request whose response is private to its caller, this user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HasCaller(pub(crate) UserId);

impl HasCaller {
    /// Returns the user who made a request, if known.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().copied()
    }
}

/// Scope that a route requires of an API key.
pub(crate) trait Needs: 'static {
    /// The required scope.
    const SCOPE: Scope;
    /// Another scope that is enough, if any.
    const INSTEAD: Option<Scope> = None;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )+};
}

needs! {
    /// Reads the caller's data.
    Read,
    /// Moves money.
    Trade,
    /// Changes anything else except roles, which require a session.
    Manage,
}

/// Decides a market, or proposes to.
#[derive(Debug)]
pub(crate) enum Decide {}

impl Needs for Decide {
    const SCOPE: Scope = Scope::Trade;
    const INSTEAD: Option<Scope> = Some(Scope::Resolve);
}

/// A user with a live session, or with a live API key with this scope; a key without it gets 403,
/// everyone else 401.
#[derive(Debug)]
pub(crate) struct SignedIn<N>(pub(crate) Arc<Caller>, pub(crate) PhantomData<N>);

/// A user with a live session; an API key gets 403, whatever its scopes.
#[derive(Debug)]
pub(crate) struct InSession(pub(crate) Arc<Caller>);

/// An admin with a live session or an API key with this scope; other users get 403.
#[derive(Debug)]
pub(crate) struct AdminOnly<N>(pub(crate) Arc<Caller>, pub(crate) PhantomData<N>);

/// An admin with a live session; API keys and other users get 403.
#[derive(Debug)]
pub(crate) struct AdminInSession(pub(crate) Arc<Caller>);

/// A user with a live session or an API key with the scope [`Read`], or an anonymous client. An
/// invalid token gets 401 here too: a client that sends one does not expect to be anonymous.
#[derive(Debug)]
pub(crate) struct MaybeSignedIn(pub(crate) Option<Arc<Caller>>);

impl MaybeSignedIn {
    /// Returns the user, for a use case.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.0.as_deref()
    }

    /// Returns the user; anonymous clients get 401.
    pub(crate) fn required(&self) -> Result<&Caller, ApiError> {
        self.caller().ok_or_else(sign_in_first)
    }
}

impl FromRequest for MaybeSignedIn {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let work = async move {
            if !presents_anything(&request) {
                return Ok(Self(None));
            }
            let caller = authenticate(&request).await?;
            policy::may_use(caller.scopes(), Scope::Read).map_err(DomainError::Denied)?;
            Ok(Self(Some(caller)))
        };
        work.boxed_local()
    }
}

impl<N: Needs> FromRequest for SignedIn<N> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let work = async move {
            let caller = authenticate(&request).await?;
            let scopes = caller.scopes();
            if !N::INSTEAD.is_some_and(|scope| scopes.contains(scope)) {
                policy::may_use(scopes, N::SCOPE).map_err(DomainError::Denied)?;
            }
            Ok(Self(caller, PhantomData))
        };
        work.boxed_local()
    }
}

impl FromRequest for InSession {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let work = async move {
            let caller = authenticate(&request).await?;
            caller.session().map_err(DomainError::Denied)?;
            Ok(Self(caller))
        };
        work.boxed_local()
    }
}

/// For early rejection only: the use case reads the role again in its unit of work.
impl<N: Needs> FromRequest for AdminOnly<N> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let signed_in = SignedIn::<N>::from_request(request, payload);
        let work = async move {
            let SignedIn(caller, ..) = signed_in.await?;
            policy::may_administer(caller.actor()).map_err(DomainError::Denied)?;
            Ok(Self(caller, PhantomData))
        };
        work.boxed_local()
    }
}

impl FromRequest for AdminInSession {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let in_session = InSession::from_request(request, payload);
        let work = async move {
            let InSession(caller) = in_session.await?;
            policy::may_administer(caller.actor()).map_err(DomainError::Denied)?;
            Ok(Self(caller))
        };
        work.boxed_local()
    }
}

/// Returns the requester that a request is counted for: the user if its token is valid, otherwise
/// the client address. It says nothing about permissions.
///
/// # Errors
/// 429 `RATE_LIMITED` if too many invalid tokens came from its network.
pub(crate) async fn requester_of(request: &HttpRequest) -> Result<Requester, ApiError> {
    Ok(match caller_of(request).await? {
        // Users are counted as users wherever they are, so that others behind their address cannot
        // use up their limit (ADR 0029).
        Some(caller) => Requester::User(caller.user.id),
        None => Requester::Address(ClientAddress::of(request).0),
    })
}

async fn caller_of(request: &HttpRequest) -> Result<Option<Arc<Caller>>, ApiError> {
    let Some(state) = request.app_data::<Data<WebState>>() else { return Ok(None) };
    let Some(Presented::Bearer(token) | Presented::Cookie(token)) = token_of(request) else {
        return Ok(None);
    };
    match state.application.identity.authenticate(&token, ClientAddress::of(request).0).await {
        Err(error @ AppError::TooManyInvalidTokens { .. }) => Err(error.into()),
        // If storage fails, the route reports it.
        found => Ok(found.ok().flatten()),
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Arc<Caller>, ApiError> {
    let state =
        request.app_data::<Data<WebState>>().ok_or_else(|| ApiError::internal("no web state"))?;
    let token = token_of(request).ok_or_else(sign_in_first)?;
    // Only cookies need this: a page of another site cannot add a bearer token.
    if let Presented::Cookie(_) = token {
        refuse_forgery(request, &state.settings.allowed_origins)?;
    }
    let (Presented::Bearer(token) | Presented::Cookie(token)) = token;
    let caller =
        state.application.identity.authenticate(&token, ClientAddress::of(request).0).await?;
    let caller =
        caller.ok_or_else(|| unauthorized("The session or API key is unknown or has ended"))?;
    // The middleware then forbids shared caches to store the response, and logs the user.
    request.extensions_mut().insert(HasCaller(caller.user.id));
    Ok(caller)
}

fn sign_in_first() -> ApiError {
    unauthorized("Sign in first")
}

fn unauthorized(message: &'static str) -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, message)
}

/// Rejects a change requested by a page of another site: browsers send the cookie along with it
/// (CSRF).
fn refuse_forgery(request: &HttpRequest, allowed: &[WebOrigin]) -> Result<(), ApiError> {
    if request.method().is_safe() || !origins::is_from_elsewhere(request.headers(), allowed) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::Forbidden,
        "A page of another site may not do this with the session's cookie",
    ))
}

/// A token, and its origin.
enum Presented {
    /// Sent explicitly.
    Bearer(String),
    /// Sent by browsers with every request, whichever site caused it.
    Cookie(String),
}

fn presents_anything(request: &HttpRequest) -> bool {
    request.headers().contains_key(AUTHORIZATION) || session_cookie_of(request).is_some()
}

fn session_cookie_of(request: &HttpRequest) -> Option<Cookie<'static>> {
    let state = request.app_data::<Data<WebState>>()?;
    request.cookie(session_cookie_name(&state.settings))
}

/// Returns the token of the request. A header with another scheme is not replaced by a cookie.
fn token_of(request: &HttpRequest) -> Option<Presented> {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        let cookie = session_cookie_of(request)?;
        return Some(Presented::Cookie(cookie.value().to_owned()));
    };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Presented::Bearer(token.trim().to_owned()))
}
