//! The routes of markets.

mod cancel;
mod chart_prices;
mod close;
mod delete;
mod edit;
mod get;
mod get_settlement;
mod list;
mod list_bets;
mod list_positions;
mod open;
mod place_bet;
mod quote;
mod resolve;
mod search;
mod sell_shares;
mod stream_events;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    edit::edit,
    delete::delete,
    list::list,
    search::search,
    open::open,
    get::get,
    quote::quote,
    list_bets::list_bets,
    place_bet::place_bet,
    sell_shares::sell_shares,
    list_positions::list_positions,
    chart_prices::chart_prices,
    stream_events::stream_events,
    close::close,
    get_settlement::get_settlement,
    resolve::resolve,
    cancel::cancel
))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/markets").get(list::list).post(open::open))
        .service(at("/markets/search").get(search::search))
        .service(at("/markets/{id}").get(get::get).patch(edit::edit).delete(delete::delete))
        .service(at("/markets/{id}/quotes").post(quote::quote))
        .service(at("/markets/{id}/bets").get(list_bets::list_bets).post(place_bet::place_bet))
        .service(at("/markets/{id}/sales").post(sell_shares::sell_shares))
        .service(at("/markets/{id}/positions").get(list_positions::list_positions))
        .service(at("/markets/{id}/prices").get(chart_prices::chart_prices))
        .service(at("/markets/{id}/events").get(stream_events::stream_events))
        .service(at("/markets/{id}/close").post(close::close))
        .service(at("/markets/{id}/resolution").get(get_settlement::get_settlement).post(resolve::resolve))
        .service(at("/markets/{id}/cancellation").post(cancel::cancel));
}
