//! The routes of the current user.

mod change_password;
mod get;
mod list_bets;
mod list_positions;
mod profile;
mod update;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;
use foretell_application::RequestKind;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    list_bets::list_bets,
    list_positions::list_positions,
    get::get,
    update::update,
    change_password::change_password
))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/me").get(get::get).patch(update::update))
        .service(at("/me/bets").get(list_bets::list_bets))
        .service(at("/me/positions").get(list_positions::list_positions))
        .service(
            at("/me/password")
                .counted_as(RequestKind::LogIn)
                .post(change_password::change_password),
        );
}
