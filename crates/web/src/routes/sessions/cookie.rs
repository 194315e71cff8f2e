//! Cookie with the session token.

use actix_web::HttpResponse;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use crate::WebSettings;
use crate::error::ApiError;
use crate::extract::session_cookie_name;
use crate::reply::HandlerResult;

/// Returns the cookie with the token, for this many seconds; scripts cannot read it.
pub(super) fn session_cookie(
    token: String,
    max_age_s: i64,
    settings: &WebSettings,
) -> Cookie<'static> {
    Cookie::build(session_cookie_name(settings), token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(settings.secure_cookies)
        .max_age(Duration::seconds(max_age_s))
        .finish()
}

/// Adds the header that deletes the cookie.
pub(crate) fn forget_cookie(mut response: HttpResponse, settings: &WebSettings) -> HandlerResult {
    let cookie = session_cookie(String::new(), 0, settings);
    response.add_cookie(&cookie).map_err(ApiError::internal)?;
    Ok(response)
}
