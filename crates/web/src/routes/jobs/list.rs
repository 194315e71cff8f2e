//! `GET /admin/jobs`: lists jobs, with filters.

use actix_web::web::Data;
use foretell_domain::job::{JobKind, JobState};
use foretell_ports::job::JobFilter;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::job::JobView;
use crate::dto::parsed::{Parsed, optional};
use crate::extract::{AdminOnly, List, Manage, Params, RequestContext, RequestDto};
use crate::openapi::names::JobKindName;
use crate::reply::{self, HandlerResult};

/// Filters of a list of jobs, `?kind=&state=`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
pub(super) struct JobsParams {
    #[garde(dive)]
    #[param(value_type = Option<JobKindName>)]
    kind: Option<Parsed<JobKind>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    state: Option<Parsed<JobState>>,
}

impl RequestDto for JobsParams {
    type Input = JobFilter;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> JobFilter {
        let Self { kind, state } = valid.into_inner();
        JobFilter { kind: optional(kind), state: optional(state) }
    }
}

/// Lists the jobs, newest first.
#[utoipa::path(
    get,
    path = "/admin/jobs",
    operation_id = "listJobs",
    tag = "jobs",
    params(JobsParams),
    responses((status = 200, description = "Done.", body = Vec<JobView<'static>>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    params: Params<List<JobsParams>>,
) -> HandlerResult {
    let (filter, paging) = state.validate(params)?;
    let mut jobs = state.application.jobs.list_jobs(&caller, filter, paging.request()).await?;
    let meta = paging
        .meta(&mut jobs, |job| job.id, state.application.queries.jobs.count_jobs(filter))
        .await?;
    reply::list(jobs.iter().map(JobView::new).collect::<Vec<_>>(), meta)
}
