//! Rate limit of one route: counts its requests and rejects those over the limit.
//!
//! A request with a valid token is counted by user, any other by address: an invalid token gains
//! nothing. Requests that verify or set a password are counted by address, whoever sends them.

use std::pin::pin;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest};
use foretell_application::{Metered, RequestKind, Requester};

use crate::WebState;
use crate::connections::is_over_limit;
use crate::deadline::Deadline;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{ClientAddress, requester_of};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Rate limit bucket of a route's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metering {
    /// `read` for safe methods, `write` for the others.
    ByMethod,
    /// This bucket.
    As(RequestKind),
    /// None: the route is never limited.
    Exempt,
}

/// Counts a request, serves it unless it is over the limit, and adds the remaining budget to the
/// response.
pub(crate) async fn meter(
    metering: Metering,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state =
        request.app_data::<Data<WebState>>().ok_or_else(|| ApiError::internal("no web state"))?;
    if is_over_limit(request.request()) {
        let error = ApiError::new(ErrorCode::Unavailable, "Too many connections are open");
        return Err(error.with_header(RETRY_AFTER, HeaderValue::from(1)).into());
    }
    let Some(kind) = kind_of(metering, request.method()) else { return next.call(request).await };
    if state.application.limits.request_budget(kind).is_none() {
        return next.call(request).await;
    }
    let deadline = Deadline::new(state.settings.answer_timeout);
    let Some(metered) = deadline.wait_for(pin!(count(&request, state, kind))).await?? else {
        return next.call(request).await;
    };
    if metered.verdict.refused_for.is_some() {
        return Err(over_limit(&metered).into());
    }
    request.extensions_mut().insert(metered);
    let mut response = next.call(request).await?;
    // The handler may have charged more.
    let metered = response.request().extensions().get().copied().unwrap_or(metered);
    add(response.headers_mut(), &metered);
    Ok(response)
}

/// Charges a request that costs more than one, such as a batch, once its cost is known.
///
/// # Errors
/// 429 `RATE_LIMITED` if fewer tokens are left.
pub(crate) async fn charge(
    state: &WebState,
    request: &HttpRequest,
    cost: usize,
) -> Result<(), ApiError> {
    let Some(metered) = request.extensions().get::<Metered>().copied() else { return Ok(()) };
    let cost = u32::try_from(cost).unwrap_or(u32::MAX);
    let metered = state.application.limits.charge_request(metered, cost).await;
    request.extensions_mut().insert(metered);
    if metered.verdict.refused_for.is_some() { Err(over_limit(&metered)) } else { Ok(()) }
}

fn over_limit(metered: &Metered) -> ApiError {
    let wait = metered.verdict.refused_for.unwrap_or_default();
    let seconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).div_ceil(1_000).max(1);
    let [limit, policy] = headers(metered);
    ApiError::new(ErrorCode::RateLimited, "Too many requests; try again later")
        .with_header(RETRY_AFTER, HeaderValue::from(seconds))
        .with_header(limit.0, limit.1)
        .with_header(policy.0, policy.1)
}

fn add(answer: &mut HeaderMap, metered: &Metered) {
    for (name, value) in headers(metered) {
        answer.insert(name, value);
    }
}

async fn count(
    request: &ServiceRequest,
    state: &WebState,
    kind: RequestKind,
) -> Result<Option<Metered>, ApiError> {
    let requester = match kind {
        RequestKind::LogIn => Requester::Address(ClientAddress::of(request.request()).0),
        RequestKind::Read | RequestKind::Write => requester_of(request.request()).await?,
    };
    Ok(state.application.limits.meter_request(kind, requester).await)
}

fn kind_of(metering: Metering, method: &Method) -> Option<RequestKind> {
    match metering {
        Metering::Exempt => None,
        Metering::As(kind) => Some(kind),
        Metering::ByMethod if method.is_safe() => Some(RequestKind::Read),
        Metering::ByMethod => Some(RequestKind::Write),
    }
}

/// Returns the remaining tokens and the limit in the headers of
/// draft-ietf-httpapi-ratelimit-headers.
fn headers(metered: &Metered) -> [(HeaderName, HeaderValue); 2] {
    let Metered { kind, budget, verdict, .. } = metered;
    let (name, full_in) = (kind.as_str(), verdict.full_in.as_millis().div_ceil(1_000));
    let limit = format!("\"{name}\";r={};t={full_in}", verdict.remaining);
    let policy = format!("\"{name}\";q={};w={}", budget.quota, budget.window.as_secs());
    // Words and numbers are always valid header values.
    let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    [(RATE_LIMIT, value(limit)), (RATE_LIMIT_POLICY, value(policy))]
}
