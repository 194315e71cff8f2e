//! Log line of each response.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use foretell_ports::error::Chain;

use super::context::RequestContext;
use crate::error::render::Failure;
use crate::error::{ApiError, ErrorCode};
use crate::extract::HasCaller;

/// Log target of requests that succeeded, or were rejected.
const REQUESTS: &str = "foretell_request";

/// Logs one line per request: its response, and the cause of a server error.
pub(super) fn write(
    context: &RequestContext,
    status: StatusCode,
    request: Option<&HttpRequest>,
    failure: Option<(&Failure<'_>, Option<&actix_web::Error>)>,
) {
    // The fields are computed only for lines that are written.
    macro_rules! line {
        ($level:ident, $($field:tt)*) => { line!(target: module_path!(), $level, $($field)*) };
        (target: $target:expr, $level:ident, $($field:tt)*) => {
            tracing::$level!(
                target: $target,
                method = context.method.as_str(),
                route = context.route(request),
                status = status.as_u16(),
                user_id = request.and_then(HasCaller::of).map(|caller| display(caller.0)),
                elapsed_us = microseconds(context.since.elapsed()),
                database_us = microseconds(context.cost.time()),
                statements = context.cost.statements(),
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
        // Rejected for lack of capacity: a warning, not an error.
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

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
