//! Rate limit of one route: counts its requests and rejects those over the limit.
//!
//! A request with a valid token is counted by user, any other by address: a made-up token gains nothing.
//! Requests that verify or set a password are counted by address, whoever sends them.

use std::pin::pin;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::web::Data;
use foretell_application::{Metered, RequestKind, Requester};

use crate::WebState;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{ClientAddress, caller_of};
use crate::patience::Patience;
use crate::routing::Metering;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts a request, serves it unless it is over the limit, and adds the rest of the budget to the answer.
pub(crate) async fn meter(
    metering: Metering,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<Data<WebState>>().ok_or_else(|| ApiError::internal("no web state"))?;
    let Some(kind) = kind_of(metering, request.method()) else { return next.call(request).await };
    if state.application.request_budget(kind).is_none() {
        return next.call(request).await;
    }
    let patience = Patience::new(state.settings.answer_timeout);
    let Some(metered) = patience.wait_for(pin!(count(&request, state, kind))).await? else {
        return next.call(request).await;
    };
    if let Some(wait) = metered.verdict.refused_for {
        let seconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).div_ceil(1_000).max(1);
        let [limit, policy] = headers(&metered);
        return Err(ApiError::new(ErrorCode::RateLimited, "Too many requests; try again later")
            .with_header(RETRY_AFTER, HeaderValue::from(seconds))
            .with_header(limit.0, limit.1)
            .with_header(policy.0, policy.1)
            .into());
    }
    let mut response = next.call(request).await?;
    add(response.headers_mut(), &metered);
    Ok(response)
}

fn add(answer: &mut HeaderMap, metered: &Metered) {
    for (name, value) in headers(metered) {
        answer.insert(name, value);
    }
}

async fn count(request: &ServiceRequest, state: &WebState, kind: RequestKind) -> Option<Metered> {
    let address = || Requester::Address(ClientAddress::of(request.request()).0);
    let requester = match kind {
        RequestKind::LogIn => address(),
        RequestKind::Read | RequestKind::Write => match caller_of(request.request()).await {
            Some(caller) => Requester::User(caller.user.id),
            None => address(),
        },
    };
    state.application.meter_request(kind, requester).await
}

fn kind_of(metering: Metering, method: &Method) -> Option<RequestKind> {
    match metering {
        Metering::Exempt => None,
        Metering::As(kind) => Some(kind),
        Metering::ByMethod if method.is_safe() => Some(RequestKind::Read),
        Metering::ByMethod => Some(RequestKind::Write),
    }
}

/// What is left and what there is, as draft-ietf-httpapi-ratelimit-headers has it.
fn headers(metered: &Metered) -> [(HeaderName, HeaderValue); 2] {
    let Metered { kind, budget, verdict } = metered;
    let (name, full_in) = (kind.as_str(), verdict.full_in.as_millis().div_ceil(1_000));
    let limit = format!("\"{name}\";r={};t={full_in}", verdict.remaining);
    let policy = format!("\"{name}\";q={};w={}", budget.quota, budget.window.as_secs());
    // Words and numbers are always good in a header.
    let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    [(RATE_LIMIT, value(limit)), (RATE_LIMIT_POLICY, value(policy))]
}
