//! Routes: one module for each resource and one file for each endpoint.

mod accounts;
mod api_keys;
mod bets;
mod burns;
mod comments;
mod document;
mod health;
mod invitations;
mod jobs;
mod leaderboard;
mod ledger;
mod markets;
mod me;
mod metrics;
mod mints;
mod posts;
mod sessions;
mod swagger_ui;
mod tags;
mod transfers;
mod users;
mod webhooks;

use actix_web::dev::HttpServiceFactory;
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::routing::{ApiVersion, unknown_versioned_route};

/// Registers all routes.
pub(crate) fn configure(config: &mut ServiceConfig) {
    // Paths are compared with the scopes one after another: the most used comes first.
    for api_version in ApiVersion::ALL {
        config.service(version(api_version));
    }
    config
        .configure(health::configure)
        .configure(metrics::configure)
        .configure(document::configure)
        .configure(swagger_ui::configure);
}

fn version(version: ApiVersion) -> impl HttpServiceFactory + 'static {
    // As above.
    web::scope(version.base())
        .app_data(version)
        .default_service(unknown_versioned_route())
        .configure(markets::configure)
        .configure(accounts::configure)
        .configure(transfers::configure)
        .configure(me::configure)
        .configure(bets::configure)
        .configure(posts::configure)
        .configure(comments::configure)
        .configure(users::configure)
        .configure(sessions::configure)
        .configure(api_keys::configure)
        .configure(invitations::configure)
        .configure(leaderboard::configure)
        .configure(tags::configure)
        .configure(mints::configure)
        .configure(burns::configure)
        .configure(ledger::configure)
        .configure(webhooks::configure)
        .configure(jobs::configure)
}

/// Returns the descriptions by the handlers: first those of the server as a whole, then those of
/// each version.
pub(crate) fn documented() -> [OpenApi; 2] {
    let whole = [
        health::Documented::openapi(),
        metrics::Documented::openapi(),
        document::Documented::openapi(),
    ];
    let versioned = vec![
        users::Documented::openapi(),
        sessions::Documented::openapi(),
        api_keys::Documented::openapi(),
        invitations::Documented::openapi(),
        me::Documented::openapi(),
        accounts::Documented::openapi(),
        transfers::Documented::openapi(),
        mints::Documented::openapi(),
        burns::Documented::openapi(),
        ledger::Documented::openapi(),
        markets::Documented::openapi(),
        bets::Documented::openapi(),
        leaderboard::Documented::openapi(),
        posts::Documented::openapi(),
        comments::Documented::openapi(),
        tags::Documented::openapi(),
        webhooks::Documented::openapi(),
        jobs::Documented::openapi(),
    ];
    [merged(whole), merged(versioned)]
}

fn merged(parts: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    parts.into_iter().fold(OpenApi::default(), OpenApi::merge_from)
}
