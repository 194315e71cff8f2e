//! The routes of users.

mod appoint;
mod erase;
mod get;
mod list;
mod register;

use actix_web::web::ServiceConfig;

use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/users").get(list::list).post(register::register))
        .service(at("/users/{id}").get(get::get).patch(appoint::appoint).delete(erase::erase));
}
