//! The routes of bets and sales.

use actix_web::web::ServiceConfig;

pub(crate) fn configure(_config: &mut ServiceConfig) {}
