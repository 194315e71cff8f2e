//! The routes of bets and sales.

mod get;

use actix_web::web::ServiceConfig;

use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/bets/{id}").get(get::get));
}
