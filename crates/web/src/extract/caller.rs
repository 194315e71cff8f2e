//! Who makes a request, by session token or API key: as a bearer token, or a session's in the cookie.
//!
//! Each of these says what it takes of the credential, so that no route can leave that open.

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

/// The cookie that a session token comes in over HTTPS. Browsers take a name with this prefix only from this host
/// itself, over HTTPS and for all paths: neither another subdomain nor a page without TLS can plant one.
pub(crate) const SESSION_COOKIE: &str = "__Host-foretell_session";

/// The same in development, where there is no HTTPS.
const INSECURE_SESSION_COOKIE: &str = "foretell_session";

/// The name of the cookie that a session token comes in.
pub(crate) const fn session_cookie_name(settings: &WebSettings) -> &'static str {
    if settings.secure_cookies { SESSION_COOKIE } else { INSECURE_SESSION_COOKIE }
}

/// Marks a request whose answer is for its caller alone, this user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HasCaller(pub(crate) UserId);

/// What a route takes of an API key.
pub(crate) trait Needs: 'static {
    /// The scope that the key must have.
    const SCOPE: Scope;
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
    /// It shows what is the caller's.
    Read,
    /// It moves money.
    Trade,
    /// It changes anything else but roles, which take a session.
    Manage,
}

/// A user with a live session, or with a live API key of this scope; a key without it is answered 403, anyone
/// else 401.
#[derive(Debug)]
pub(crate) struct SignedIn<N>(pub(crate) Arc<Caller>, pub(crate) PhantomData<N>);

/// A user with a live session; an API key is answered 403, whatever its scopes.
#[derive(Debug)]
pub(crate) struct InSession(pub(crate) Arc<Caller>);

/// An admin with a live session or an API key of this scope; other users are answered 403.
#[derive(Debug)]
pub(crate) struct AdminOnly<N>(pub(crate) Arc<Caller>, pub(crate) PhantomData<N>);

/// An admin with a live session; API keys and other users are answered 403.
#[derive(Debug)]
pub(crate) struct AdminInSession(pub(crate) Arc<Caller>);

/// A user with a live session or an API key of the scope [`Read`], or nobody. A token that names neither is
/// answered 401 here too: who presents one does not expect to be nobody.
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
            policy::may_use(caller.scopes(), N::SCOPE).map_err(DomainError::Denied)?;
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

/// Early answers only: the use case asks for the role again in its unit of work.
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

/// On whose account a request goes: the user's if its token is valid, otherwise its address. It says nothing of
/// what they may do.
///
/// # Errors
/// 429 `RATE_LIMITED` if too many invalid tokens were presented from its network.
pub(crate) async fn requester_of(request: &HttpRequest) -> Result<Requester, ApiError> {
    Ok(match caller_of(request).await? {
        Some(caller) => Requester::User(caller.user.id),
        None => Requester::Address(ClientAddress::of(request).0),
    })
}

async fn caller_of(request: &HttpRequest) -> Result<Option<Arc<Caller>>, ApiError> {
    let Some(state) = request.app_data::<Data<WebState>>() else { return Ok(None) };
    let Some(Presented::Bearer(token) | Presented::Cookie(token)) = token_of(request) else {
        return Ok(None);
    };
    match state.application.authenticate(&token, ClientAddress::of(request).0).await {
        Err(error @ AppError::TooManyInvalidTokens { .. }) => Err(error.into()),
        // Where storage fails, the route says so.
        found => Ok(found.ok().flatten()),
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Arc<Caller>, ApiError> {
    let state = request.app_data::<Data<WebState>>().ok_or_else(|| ApiError::internal("no web state"))?;
    let token = token_of(request).ok_or_else(sign_in_first)?;
    if let Presented::Cookie(_) = token {
        refuse_forgery(request, &state.settings.allowed_origins)?;
    }
    let (Presented::Bearer(token) | Presented::Cookie(token)) = token;
    let caller = state.application.authenticate(&token, ClientAddress::of(request).0).await?;
    let caller = caller.ok_or_else(|| unauthorized("The session or API key is unknown or has ended"))?;
    request.extensions_mut().insert(HasCaller(caller.user.id));
    Ok(caller)
}

fn sign_in_first() -> ApiError {
    unauthorized("Sign in first")
}

fn unauthorized(message: &'static str) -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, message)
}

/// Refuses a change that the page of another site asks for: browsers send the cookie along with it.
fn refuse_forgery(request: &HttpRequest, allowed: &[WebOrigin]) -> Result<(), ApiError> {
    if request.method().is_safe() || !origins::is_from_elsewhere(request.headers(), allowed) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::Forbidden,
        "A page of another site may not do this with the session's cookie",
    ))
}

/// A token, and how it came.
enum Presented {
    /// On purpose.
    Bearer(String),
    /// With every request that a browser makes, whoever wants it.
    Cookie(String),
}

fn presents_anything(request: &HttpRequest) -> bool {
    request.headers().contains_key(AUTHORIZATION) || session_cookie_of(request).is_some()
}

fn session_cookie_of(request: &HttpRequest) -> Option<Cookie<'static>> {
    let state = request.app_data::<Data<WebState>>()?;
    request.cookie(session_cookie_name(&state.settings))
}

/// The token of the request. A header of another scheme is not made good by a cookie.
fn token_of(request: &HttpRequest) -> Option<Presented> {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        let cookie = session_cookie_of(request)?;
        return Some(Presented::Cookie(cookie.value().to_owned()));
    };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Presented::Bearer(token.trim().to_owned()))
}
