//! The routes, one module a resource and one file an endpoint.

mod accounts;
mod api_keys;
mod bets;
mod comments;
mod health;
mod leaderboard;
mod ledger;
mod markets;
mod me;
mod mints;
mod posts;
mod sessions;
mod tags;
mod transfers;
mod users;

use actix_web::Scope;
use actix_web::web::{self, ServiceConfig};

/// Everything that is served.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config.configure(health::configure);
    for base in VERSIONS {
        config.service(version(base));
    }
}

/// The bases of the versions. All have the same routes; what differs is decided where it matters, by
/// [`ListAsked`](crate::extract::ListAsked).
pub(crate) const VERSIONS: [&str; 2] = ["/api/v1", "/api/v2"];

fn version(base: &str) -> Scope {
    web::scope(base)
        .configure(users::configure)
        .configure(sessions::configure)
        .configure(api_keys::configure)
        .configure(me::configure)
        .configure(accounts::configure)
        .configure(transfers::configure)
        .configure(mints::configure)
        .configure(ledger::configure)
        .configure(markets::configure)
        .configure(bets::configure)
        .configure(leaderboard::configure)
        .configure(posts::configure)
        .configure(comments::configure)
        .configure(tags::configure)
}
