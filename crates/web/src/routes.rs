//! The routes, one module a resource and one file an endpoint.

mod bets;
mod health;
mod markets;

use actix_web::web::{self, ServiceConfig};

/// Everything that is served.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let v1 = web::scope("/api/v1").configure(markets::configure).configure(bets::configure);
    config.configure(health::configure).service(v1);
}
