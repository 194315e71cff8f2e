//! Swagger UI, to read and try the API in a browser: `GET /docs/`.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, EntityTag, LOCATION,
};
use actix_web::web::{Path, ServiceConfig};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::{ApiError, ErrorCode};
use crate::extract::KnownTags;
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Content security policy of these pages: the server's own files, inline styles, and images in
/// data URLs.
const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; frame-ancestors 'none'";

/// A file of `swagger-ui/`.
struct File {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    /// `true` if the bytes are compressed by gzip.
    is_compressed: bool,
}

macro_rules! plain {
    ($name:literal, $content_type:literal) => {
        File {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../swagger-ui/", $name)),
            is_compressed: false,
        }
    };
}

macro_rules! compressed {
    ($name:literal, $content_type:literal) => {
        File {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../swagger-ui/", $name, ".gz")),
            is_compressed: true,
        }
    };
}

/// All files. Licences are among them, since they must go with every copy of the program.
const FILES: &[File] = &[
    plain!("index.html", "text/html; charset=utf-8"),
    plain!("swagger-initializer.js", "text/javascript; charset=utf-8"),
    plain!("favicon-32x32.png", "image/png"),
    plain!("LICENSE", "text/plain; charset=utf-8"),
    plain!("NOTICE", "text/plain; charset=utf-8"),
    plain!("swagger-ui-bundle.js.LICENSE.txt", "text/plain; charset=utf-8"),
    compressed!("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    compressed!("swagger-ui.css", "text/css; charset=utf-8"),
];

/// Entity tag of each file: the hash of them all.
static TAG: LazyLock<EntityTag> = LazyLock::new(|| {
    let hash = |hasher: Sha256, file: &File| hasher.chain_update(file.bytes);
    let digest = FILES.iter().fold(Sha256::new(), hash).finalize();
    EntityTag::new_strong(URL_SAFE_NO_PAD.encode(digest))
});

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/docs").never_limited().get(enter))
        .service(at("/docs/{file:.*}").never_limited().get(show));
}

/// Redirects to the page, whose links need the final slash. 308.
async fn enter() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

/// Returns a file of Swagger UI: the page if none is named. 200, 304 if the client has it, 404
/// `NOT_FOUND`.
async fn show(name: Path<String>, known: KnownTags) -> HandlerResult {
    let name = if name.is_empty() { "index.html" } else { name.as_str() };
    let file = FILES.iter().find(|file| file.name == name);
    let file = file.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "Route not found"))?;
    let response =
        if known.include(&TAG) { HttpResponse::NotModified().finish() } else { whole(file) };
    reply::tagged(TAG.clone(), response)
}

fn whole(file: &File) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, file.content_type))
        .insert_header((CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .insert_header((CACHE_CONTROL, "max-age=3600"));
    // Without negotiation: every browser decodes gzip, and the program cannot decompress.
    if file.is_compressed {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response.body(file.bytes)
}
