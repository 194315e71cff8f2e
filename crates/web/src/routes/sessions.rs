//! The routes of sessions.

mod log_in;
mod log_out;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::web::ServiceConfig;

use crate::WebSettings;
use crate::extract::SESSION_COOKIE;
use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/sessions").post(log_in::log_in))
        .service(at("/sessions/{id}").delete(log_out::log_out));
}

/// The cookie that a browser keeps the token in, for this many seconds; none of its scripts sees it.
fn session_cookie(token: String, max_age_s: i64, settings: &WebSettings) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(settings.secure_cookies)
        .max_age(Duration::seconds(max_age_s))
        .finish()
}
