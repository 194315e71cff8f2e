//! `GET /admin/jobs`: lists jobs, with filters.

use actix_web::web::Data;
use foretell_domain::job::{JobKind, JobState};
use foretell_ports::job::JobFilter;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::job::JobView;
use crate::dto::page::{PageParams, Paging};
use crate::dto::text::parsed;
use crate::extract::{AdminOnly, Manage, Params, ParseContext, ParseRequest};
use crate::openapi::names::JobKindName;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Filters of a list of jobs, `?kind=&state=`, and pagination.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct JobsParams {
    #[garde(skip)]
    #[param(value_type = Option<JobKindName>)]
    kind: Option<String>,
    #[garde(skip)]
    state: Option<String>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    page: Option<u32>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    limit: Option<u32>,
    #[garde(skip)]
    cursor: Option<String>,
}

impl ParseRequest for JobsParams {
    type Input = (JobFilter, Paging);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<(JobFilter, Paging)> {
        let mut unknown = |field, names: &[&str]| {
            errors.add(field, FieldErrorCode::Invalid, format!("must be one of {}", names.join(", ")));
        };
        let kind = self.kind.map(|name| {
            let kind = JobKind::from_name(&name);
            kind.ok_or_else(|| unknown("kind", &JobKind::ALL.map(JobKind::as_str)))
        });
        let state = self.state.map(|name| {
            let state = JobState::from_name(&name);
            state.ok_or_else(|| unknown("state", &JobState::ALL.map(JobState::as_str)))
        });
        let (page, limit, cursor) = (self.page, self.limit, self.cursor);
        let paging = PageParams { page, limit, cursor }.parse(errors, context);
        let filter = JobFilter { kind: kind.transpose().ok()?, state: state.transpose().ok()? };
        Some((filter, paging?))
    }
}

/// Lists the jobs, newest first. 200, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`.
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
    params: Params<JobsParams>,
) -> HandlerResult {
    let (filter, paging) = state.validate(params)?;
    let mut jobs = state.application.jobs.list_jobs(&caller, filter, paging.request()).await?;
    let meta = paging.meta(&mut jobs, |job| job.id, state.application.jobs.count_jobs(filter)).await?;
    reply::list(jobs.iter().map(JobView::new).collect::<Vec<_>>(), meta)
}
