//! The routes of sessions.

mod list;
mod log_in;
mod log_out;

use actix_web::HttpResponse;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::WebSettings;
use crate::error::ApiError;
use crate::extract::session_cookie_name;
use crate::reply::HandlerResult;
use crate::routing::at;
use foretell_application::RequestKind;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(log_in::log_in, list::list, log_out::log_out))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            at("/sessions").get(list::list).counted_as(RequestKind::LogIn).post(log_in::log_in),
        )
        .service(at("/sessions/{id}").delete(log_out::log_out));
}

/// Returns the cookie with the token, for this many seconds; scripts cannot read it.
fn session_cookie(token: String, max_age_s: i64, settings: &WebSettings) -> Cookie<'static> {
    Cookie::build(session_cookie_name(settings), token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(settings.secure_cookies)
        .max_age(Duration::seconds(max_age_s))
        .finish()
}

/// Adds the header that deletes the cookie.
pub(super) fn forget_cookie(mut response: HttpResponse, settings: &WebSettings) -> HandlerResult {
    let cookie = session_cookie(String::new(), 0, settings);
    response.add_cookie(&cookie).map_err(ApiError::internal)?;
    Ok(response)
}
