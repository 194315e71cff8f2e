//! API description: `GET /openapi.json`.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::extract::KnownTags;
use crate::openapi;
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/openapi.json").never_limited().get(show));
}

/// Returns this document, which changes only with the version of the server.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "server",
    params(("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.")),
)]
async fn show(known: KnownTags) -> HandlerResult {
    let document = openapi::document();
    let response = if known.include(&document.tag) {
        HttpResponse::NotModified().finish()
    } else {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "application/json"))
            .body(document.text.as_str())
    };
    let response = reply::tagged(document.tag.clone(), response)?;
    Ok(response)
}
