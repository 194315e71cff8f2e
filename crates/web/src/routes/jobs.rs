//! The routes of jobs, for admins.

mod discard;
mod list;
mod retry;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::openapi::names::JobKindName;
use crate::routing::at;

/// Description of these routes. The kinds are used only in a parameter, which does not collect
/// them.
#[derive(OpenApi)]
#[openapi(paths(list::list, retry::retry, discard::discard), components(schemas(JobKindName)))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/admin/jobs").get(list::list))
        .service(at("/admin/jobs/{id}").delete(discard::discard))
        .service(at("/admin/jobs/{id}/retry").post(retry::retry));
}
