//! The routes of API keys.

mod create;
mod delete;
mod list;

use actix_web::web::ServiceConfig;

use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/api-keys").get(list::list).post(create::create))
        .service(at("/api-keys/{id}").delete(delete::delete));
}
