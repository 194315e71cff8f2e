//! The routes of markets.

mod get;
mod list;
mod open;

use actix_web::web::ServiceConfig;

use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/markets").get(list::list).post(open::open))
        .service(at("/markets/{id}").get(get::get));
}
