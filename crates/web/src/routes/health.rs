//! Whether the process lives, and whether it can do its work.

use actix_web::web::{Data, ServiceConfig};
use foretell_ports::cache::Reach;
use serde::Serialize;
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

use crate::WebState;
use crate::error::{ApiError, Details};
use crate::reply::{self, Answer};
use crate::routing::at;

/// What the document says of these routes.
#[derive(OpenApi)]
#[openapi(paths(live, ready))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/livez").get(live)).service(at("/readyz").get(ready));
}

#[derive(Serialize, ToSchema)]
struct Status {
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Readiness {
    status: &'static str,
    checks: Checks,
}

#[derive(Serialize, ToSchema)]
struct Checks {
    database: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Status>,
    search: Status,
}

/// Says that the process answers, whatever it depends on. 200.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "isAlive",
    tag = "server",
    responses((status = 200, description = "Done.", body = Status)),
)]
async fn live() -> Answer {
    reply::ok(Status { status: "ok" })
}

/// Names each thing that the server works with. 200, or 503 `UNAVAILABLE` if one that it cannot do without fails; a
/// Redis that does not answer is `degraded`, since all goes on without it. So is `search` until all texts can be found by
/// their meaning; it is `off` where there is no model.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "isReady",
    tag = "server",
    responses((status = 200, description = "Done.", body = Readiness)),
)]
async fn ready(state: Data<WebState>) -> Answer {
    let redis = match state.application.cache_reach() {
        Reach::Own => None,
        Reach::Shared => Some(Status { status: "ok" }),
        Reach::Degraded => Some(Status { status: "degraded" }),
    };
    let search = match state.application.semantic() {
        None => Status { status: "off" },
        Some(semantic) if semantic.is_ready() => Status { status: "ok" },
        Some(_) => Status { status: "degraded" },
    };
    match state.application.ping().await {
        Ok(()) => {
            let checks = Checks { database: Status { status: "ok" }, redis, search };
            reply::ok(Readiness { status: "ok", checks })
        }
        Err(error) => {
            let details = json!({ "checks": { "database": { "status": "down" } } });
            Err(ApiError::from(error).with_details(Details::Other(details)))
        }
    }
}
