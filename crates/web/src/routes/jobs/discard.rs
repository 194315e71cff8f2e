//! `DELETE /admin/jobs/{id}`: deletes a job.

use actix_web::web::Data;
use foretell_domain::id::JobId;

use crate::WebState;
use crate::error::ErrorCode;
use crate::extract::{AdminOnly, Manage, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Deletes a job that no worker is running, without doing its task. Fails with `CONFLICT` if a
/// worker is running it.
#[utoipa::path(
    delete,
    path = "/admin/jobs/{id}",
    operation_id = "discardJob",
    tag = "jobs",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["admin"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn discard(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    id: PathId<JobId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.jobs.discard_job(&caller, id).await?;
    Ok(reply::no_content())
}
