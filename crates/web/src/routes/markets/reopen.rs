//! `POST /markets/{id}/reopening`: lets a closed market take trades again.

use actix_web::web::Data;
use foretell_domain::id::MarketId;
use foretell_domain::time::Timestamp;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::{MarketView, entity_tag};
use crate::dto::parsed::{Parsed, if_valid, optional};
use crate::dto::time::{Time, in_future};
use crate::error::ErrorCode;
use crate::extract::{Manage, OptionalBody, PathId, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[serde(rename_all = "camelCase")]
pub(super) struct ReopeningBody {
    /// New end date; required if the present one has passed.
    #[garde(dive, custom(if_valid(in_future)))]
    #[schema(value_type = Option<Time>)]
    end_date: Option<Parsed<Timestamp>>,
}

impl RequestDto for ReopeningBody {
    type Input = Option<Timestamp>;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Option<Timestamp> {
        optional(valid.into_inner().end_date)
    }
}

/// Lets a closed market take trades again until its end date or a new one; for its creator,
/// moderators and admins. The limits of a later end date are those of a change of the market. Fails
/// with `CONFLICT` if it is not closed, and with `PROPOSAL_PENDING` while a resolution is proposed.
#[utoipa::path(
    post,
    path = "/markets/{id}/reopening",
    operation_id = "reopenMarket",
    tag = "markets",
    request_body = Option<ReopeningBody>,
    responses((status = 200, description = "Done.", body = MarketView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict, ErrorCode::ProposalPending]))),
)]
pub(super) async fn reopen(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<MarketId>,
    body: OptionalBody<ReopeningBody>,
) -> HandlerResult {
    let (id, ends_at) = state.validate((id, body))?;
    let application = &state.application;
    let market = application.markets.reopen_market(&caller, id, ends_at).await?;
    let (now, currency) = (application.now(), &application.settings().currency);
    let tag = reply::version_tag(entity_tag(&market, now));
    reply::tagged(tag, reply::ok(MarketView::at(now, &market, currency))?)
}
