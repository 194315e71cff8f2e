//! `POST /admin/jobs/{id}/retry`: retries a job.

use actix_web::web::Data;
use foretell_domain::id::JobId;

use crate::WebState;
use crate::dto::job::JobView;
use crate::error::ErrorCode;
use crate::extract::{AdminOnly, Manage, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Retries a waiting or dead job immediately, with all its attempts. Fails with `CONFLICT` if a
/// worker is running it or it is done.
#[utoipa::path(
    post,
    path = "/admin/jobs/{id}/retry",
    operation_id = "retryJob",
    tag = "jobs",
    responses((status = 200, description = "Done.", body = JobView<'static>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn retry(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    id: PathId<JobId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let job = state.application.jobs.retry_job(&caller, id).await?;
    reply::ok(JobView::new(&job))
}
