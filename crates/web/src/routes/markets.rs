//! The routes of markets.

mod cancel;
mod clarify;
mod close;
mod create;
mod create_bet;
mod create_sale;
mod delete;
mod dispute;
mod end_proposal;
mod filter;
mod get;
mod get_resolution;
mod list;
mod list_bets;
mod list_positions;
mod list_proposals;
mod list_resolutions;
mod list_revisions;
mod price_history;
mod quote;
mod reopen;
mod resolve;
mod search;
mod stream_events;
mod undo_settlement;
mod update;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    update::update,
    list_revisions::list_revisions,
    clarify::clarify,
    delete::delete,
    list::list,
    search::search,
    create::create,
    get::get,
    quote::quote,
    list_bets::list_bets,
    create_bet::create_bet,
    create_sale::create_sale,
    list_positions::list_positions,
    price_history::get_price_history,
    stream_events::stream_events,
    close::close,
    get_resolution::get_resolution,
    resolve::resolve,
    cancel::cancel,
    reopen::reopen,
    list_resolutions::list_resolutions,
    list_proposals::list_proposals,
    dispute::dispute,
    end_proposal::end_proposal,
    undo_settlement::undo_settlement
))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/markets").get(list::list).post(create::create))
        .service(at("/markets/search").get(search::search))
        .service(at("/markets/{id}").get(get::get).patch(update::update).delete(delete::delete))
        .service(at("/markets/{id}/quotes").post(quote::quote))
        .service(at("/markets/{id}/bets").get(list_bets::list_bets).post(create_bet::create_bet))
        .service(at("/markets/{id}/sales").post(create_sale::create_sale))
        .service(at("/markets/{id}/positions").get(list_positions::list_positions))
        .service(at("/markets/{id}/prices").get(price_history::get_price_history))
        .service(at("/markets/{id}/events").get(stream_events::stream_events))
        .service(at("/markets/{id}/history").get(list_revisions::list_revisions))
        .service(at("/markets/{id}/clarifications").post(clarify::clarify))
        .service(at("/markets/{id}/close").post(close::close))
        .service(
            at("/markets/{id}/resolution")
                .get(get_resolution::get_resolution)
                .post(resolve::resolve),
        )
        .service(at("/markets/{id}/cancellation").post(cancel::cancel))
        .service(at("/markets/{id}/resolutions").get(list_resolutions::list_resolutions))
        .service(at("/markets/{id}/proposal").delete(end_proposal::end_proposal))
        .service(at("/markets/{id}/disputes").post(dispute::dispute))
        .service(at("/markets/{id}/reopening").post(reopen::reopen))
        .service(at("/markets/{id}/reversal").post(undo_settlement::undo_settlement))
        .service(at("/proposals").get(list_proposals::list_proposals));
}
