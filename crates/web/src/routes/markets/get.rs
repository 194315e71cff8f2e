//! `GET /markets/{id}`: a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::{MarketView, entity_tag};
use crate::extract::{KnownTags, NoParams, Params, PathId};
use crate::reply::{self, Answer};

/// Shows a market, with its version as entity tag. 200, 304 if the client knows this version,
/// 400 `VALIDATION_ERROR`, 404 `NOT_FOUND`.
pub(super) async fn get(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<NoParams>,
    known: KnownTags,
) -> Answer {
    let (id, ()) = state.accept((id, params))?;
    let application = &state.application;
    let market = application.get_market(id).await?;
    let now = application.now();
    let tag = reply::version_tag(entity_tag(&market, now));
    let currency = &application.settings().currency;
    reply::unless_known(&known, tag, || MarketView::at(now, &market, currency))
}
