//! Liveness and readiness of the process.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig};
use foretell_domain::job::JobLane;
use foretell_ports::cache::CacheMode;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;
use utoipa::{OpenApi, ToSchema};

use crate::WebState;
use crate::error::{ApiError, Details, ErrorCode};
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(live, ready))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/livez").never_limited().get(live))
        .service(at("/readyz").never_limited().get(ready));
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

/// Status of the worker: down if any of its lanes is.
#[derive(Serialize, ToSchema)]
struct Workers {
    status: &'static str,
    /// Status of each lane of jobs: down if it makes no progress although jobs are due.
    lanes: BTreeMap<&'static str, Status>,
}

impl Workers {
    fn new(lanes: &[(JobLane, bool)]) -> Self {
        let Status { status } = up(lanes.iter().all(|(_, is_ok)| *is_ok));
        Self {
            status,
            lanes: lanes.iter().map(|(lane, is_ok)| (lane.as_str(), up(*is_ok))).collect(),
        }
    }
}

/// Status of each dependency: `ok`, `degraded` if the server works without it, `down`, or `off` if
/// it is not used.
#[derive(Serialize, ToSchema)]
struct Checks {
    database: Status,
    migrations: Status,
    writer: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<Workers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Status>,
    search: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<Status>,
}

impl Checks {
    async fn make(state: &WebState) -> Self {
        let application = &state.application;
        let missing = timeout(PING, application.operations.missing_migrations())
            .await
            .ok()
            .and_then(Result::ok);
        let redis = match application.operations.cache_mode() {
            CacheMode::Local => None,
            CacheMode::Shared => Some(OK),
            CacheMode::Degraded => Some(DEGRADED),
        };
        let search = match application.search.semantic() {
            None => OFF,
            Some(semantic) if semantic.is_ready() => OK,
            Some(_) => DEGRADED,
        };
        let workers =
            state.settings.operations.workers.as_ref().map(|lanes| Workers::new(&lanes()));
        let mail = match (application.settings().writer.sends_emails, &workers) {
            (false, _) => Some(OFF),
            // Other processes send emails, if any does.
            (true, None) => None,
            (true, Some(_)) => {
                Some(if application.notifications.is_mail_well() { OK } else { DEGRADED })
            }
        };
        Self {
            database: up(missing.is_some()),
            migrations: up(missing == Some(0)),
            writer: up(application.operations.is_writer_alive()),
            workers,
            redis,
            search,
            mail,
        }
    }

    fn are_good(&self) -> bool {
        let workers = self.workers.as_ref().map_or(OK.status, |workers| workers.status);
        let needed = [self.database.status, self.migrations.status, self.writer.status, workers];
        needed.into_iter().all(|status| status == OK.status)
    }
}

const OK: Status = Status { status: "ok" };
const DEGRADED: Status = Status { status: "degraded" };
const OFF: Status = Status { status: "off" };

/// Timeout of the database.
const PING: Duration = Duration::from_secs(1);

const fn up(is_up: bool) -> Status {
    if is_up { OK } else { Status { status: "down" } }
}

/// Reports that the process responds, without checking dependencies.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "server",
    responses((status = 200, description = "Done.", body = Status)),
)]
async fn live() -> HandlerResult {
    reply::ok(Status { status: "ok" })
}

/// Reports the status of each dependency. Fails with `UNAVAILABLE` if a required one is `down`
/// (database, migrations, money writer, workers), or if the server is about to stop. Optional ones
/// are `degraded` instead: a Redis that does not respond, `search` until the semantic search is
/// ready, `mail` after the mail server could not be reached or temporarily rejected an email.
/// `search` without a model and `mail` that is never sent are `off`.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "server",
    responses((status = 200, description = "Done.", body = Readiness)),
)]
async fn ready(state: Data<WebState>) -> HandlerResult {
    let checks = Checks::make(&state).await;
    let is_ending = state.application.operations.is_ending();
    if checks.are_good() && !is_ending {
        return reply::ok(Readiness { status: "ok", checks });
    }
    let why = if is_ending { "The server is about to stop" } else { "The server is not ready" };
    let details = serde_json::to_value(&checks).map_err(ApiError::internal)?;
    let error = ApiError::new(ErrorCode::Unavailable, why);
    Err(error.with_details(Details::Other(json!({ "checks": details }))))
}
