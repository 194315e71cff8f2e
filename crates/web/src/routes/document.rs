//! API description, and Swagger UI to read it: `GET /openapi.json` and `GET /docs/`.

use std::sync::{Arc, LazyLock};

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
};
use actix_web::web::{Path, ServiceConfig};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use crate::error::{ApiError, ErrorCode};
use crate::extract::KnownTags;
use crate::openapi;
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Content security policy of the Swagger UI pages: the server's own files, inline styles, and
/// images in data URLs.
const UI_MAY_LOAD: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// Configuration of Swagger UI, which reads the document of its own server.
static UI: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from("/openapi.json").use_base_layout()));

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/openapi.json").never_limited().get(show))
        .service(at("/docs").never_limited().get(enter))
        .service(at("/docs/{file:.*}").never_limited().get(browse));
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
        HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(document.text.as_str())
    };
    let response = reply::tagged(document.tag.clone(), response)?;
    Ok(response)
}

/// Redirects to Swagger UI, whose links need the final slash. 308.
async fn enter() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

/// Returns a file of Swagger UI. 200, 404 `NOT_FOUND`.
async fn browse(file: Path<String>) -> HandlerResult {
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&UI));
    let file = found.map_err(|cause| ApiError::internal(cause.to_string()))?;
    let file = file.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "Route not found"))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, file.content_type))
        .insert_header((CONTENT_SECURITY_POLICY, UI_MAY_LOAD))
        .insert_header((CACHE_CONTROL, "max-age=3600"));
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}
