//! The routes, one module a resource and one file an endpoint.

mod accounts;
mod bets;
mod health;
mod ledger;
mod markets;
mod me;
mod mints;
mod sessions;
mod transfers;
mod users;

use actix_web::web::{self, ServiceConfig};

/// Everything that is served.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let v1 = web::scope("/api/v1")
        .configure(users::configure)
        .configure(sessions::configure)
        .configure(me::configure)
        .configure(accounts::configure)
        .configure(transfers::configure)
        .configure(mints::configure)
        .configure(ledger::configure)
        .configure(markets::configure)
        .configure(bets::configure);
    config.configure(health::configure).service(v1);
}
