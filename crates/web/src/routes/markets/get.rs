//! `GET /markets/{id}`: a market.

use actix_web::http::header::{ETAG, EntityTag, Header as _, IfNoneMatch, TryIntoHeaderValue as _};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::{MarketView, entity_tag};
use crate::error::ApiError;
use crate::extract::{NoParams, Params, PathId};
use crate::reply::{self, Answer};

/// Shows a market, with its version as entity tag. 200, 304 if the client knows this version,
/// 400 `VALIDATION_ERROR`, 404 `NOT_FOUND`.
pub(super) async fn get(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<NoParams>,
    request: HttpRequest,
) -> Answer {
    let (id, ()) = state.accept((id, params))?;
    let application = &state.application;
    let market = application.get_market(id).await?;
    let now = application.now();
    let tag = EntityTag::new_strong(entity_tag(&market, now));
    let mut response = if is_known(&request, &tag) {
        HttpResponse::NotModified().finish()
    } else {
        reply::ok(MarketView::at(now, &market, &application.settings().currency))?
    };
    let tag = tag.try_into_value().map_err(ApiError::internal)?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

/// Whether the client has the body of this tag. A header that cannot be read says nothing.
fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
