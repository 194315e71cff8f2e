//! `GET /metrics`: returns all metrics for Prometheus.

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;
use utoipa::OpenApi;

use crate::WebState;
use crate::error::{ApiError, ErrorCode};
use crate::reply::HandlerResult;
use crate::routing::at;

/// Description of this route.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/metrics").never_limited().get(show));
}

/// Returns all metrics in the Prometheus text format, to anyone or to clients with the configured
/// token. Fails with `NOT_FOUND` if metrics are disabled.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "server",
    responses((status = 200, description = "Done.", content_type = "text/plain", body = String)),
    extensions(("x-failures" = json!([ErrorCode::Unauthorized, ErrorCode::NotFound]))),
)]
async fn show(request: HttpRequest, state: Data<WebState>) -> HandlerResult {
    let operations = &state.settings.operations;
    let Some(render) = &operations.metrics else {
        return Err(ApiError::new(ErrorCode::NotFound, "Route not found"));
    };
    if let Some(token) = &operations.metrics_token {
        let presented = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let presented =
            presented.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if !bool::from(presented.as_bytes().ct_eq(token.expose_secret().as_bytes())) {
            return Err(ApiError::new(ErrorCode::Unauthorized, "The token for metrics is needed"));
        }
    }
    let text = "text/plain; version=0.0.4; charset=utf-8";
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, text)).body(render()))
}
