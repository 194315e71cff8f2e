//! The routes of users.

mod register;

use actix_web::web::ServiceConfig;

use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/users").post(register::register));
}
