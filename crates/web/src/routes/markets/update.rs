//! `PATCH /markets/{id}`: changes an open market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;
use foretell_domain::market::MarketEdit;
use foretell_domain::text::{MarketDescription, MarketName};
use foretell_domain::time::Timestamp;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::{MarketView, entity_tag};
use crate::dto::parsed::{Parsed, if_valid, optional};
use crate::dto::time::{Time, in_future};
use crate::error::ErrorCode;
use crate::extract::{Body, IfMatch, Manage, PathId, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

/// Changes of a market; fields that are left out stay unchanged.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(as = MarketEditBody, example = json!({ "name": "Rain on Sunday" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct EditBody {
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 100)]
    name: Option<Parsed<MarketName>>,
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 10, max_length = 1000)]
    description: Option<Parsed<MarketDescription>>,
    #[garde(dive, custom(if_valid(in_future)))]
    #[schema(value_type = Option<Time>)]
    end_date: Option<Parsed<Timestamp>>,
}

impl RequestDto for EditBody {
    type Input = MarketEdit;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> MarketEdit {
        let Self { name, description, end_date } = valid.into_inner();
        MarketEdit {
            name: optional(name),
            description: optional(description),
            ends_at: optional(end_date),
        }
    }
}

/// Changes name, description and end date of a market; for its creator, moderators and admins. Once
/// another user has bet, name and description can be changed only by moderators and admins who are
/// neither its creator nor have held its shares: for others this fails with `QUESTION_FROZEN`, and
/// they can move the end date to at most 90 days after the one of its opening (`CONFLICT`). Each
/// change is in the market's history. Fails with `MARKET_CLOSED` if it takes no more trades. Fails
/// with `PRECONDITION_FAILED` if the market has another version than `If-Match` requires.
#[utoipa::path(
    patch,
    path = "/markets/{id}",
    operation_id = "updateMarket",
    tag = "markets",
    request_body = EditBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = MarketView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::MarketClosed, ErrorCode::QuestionFrozen, ErrorCode::Conflict]))),
)]
pub(super) async fn update(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<MarketId>,
    expected: IfMatch,
    body: Body<EditBody>,
) -> HandlerResult {
    let (id, expected, edit) = state.validate((id, expected, body))?;
    let application = &state.application;
    let market = application.markets.edit_market(&caller, id, edit, expected).await?;
    let (now, currency) = (application.now(), &application.settings().currency);
    let tag = reply::version_tag(entity_tag(&market, now));
    reply::tagged(tag, reply::ok(MarketView::at(now, &market, currency))?)
}
