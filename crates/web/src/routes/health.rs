//! Whether the process lives, and whether it can do its work.

use actix_web::web::{Data, ServiceConfig};
use serde::Serialize;
use serde_json::json;

use crate::WebState;
use crate::error::{ApiError, Details};
use crate::reply::{self, Answer};
use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/livez").get(live)).service(at("/readyz").get(ready));
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    database: Status,
}

/// Says that the process answers, whatever it depends on. 200.
async fn live() -> Answer {
    reply::ok(Status { status: "ok" })
}

/// Names each thing that the server cannot do without. 200, or 503 `UNAVAILABLE` if one of them fails.
async fn ready(state: Data<WebState>) -> Answer {
    match state.application.ping().await {
        Ok(()) => reply::ok(Readiness { status: "ok", checks: Checks { database: Status { status: "ok" } } }),
        Err(error) => {
            let details = json!({ "checks": { "database": { "status": "down" } } });
            Err(ApiError::from(error).with_details(Details::Other(details)))
        }
    }
}
