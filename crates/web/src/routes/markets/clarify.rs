//! `POST /markets/{id}/clarifications`: adds a clarification to a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;
use foretell_domain::text::Clarification;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::revision::MarketRevisionView;
use crate::dto::parsed::{Parsed, required};
use crate::error::ErrorCode;
use crate::extract::{Body, Manage, PathId, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "text": "Rain is what the weather station at the airport counts." }))]
#[serde(rename_all = "camelCase")]
pub(super) struct ClarificationBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 2000)]
    text: Option<Parsed<Clarification>>,
}

impl RequestDto for ClarificationBody {
    type Input = Clarification;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Clarification {
        required(valid.into_inner().text)
    }
}

/// Adds a clarification to the public history of a market that is neither resolved nor cancelled;
/// for its creator, moderators and admins. Nothing else of the market changes.
#[utoipa::path(
    post,
    path = "/markets/{id}/clarifications",
    operation_id = "clarifyMarket",
    tag = "markets",
    request_body = ClarificationBody,
    responses((status = 201, description = "Made.", body = MarketRevisionView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn clarify(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<MarketId>,
    body: Body<ClarificationBody>,
) -> HandlerResult {
    let (id, text) = state.validate((id, body))?;
    let revision = state.application.markets.clarify_market(&caller, id, text).await?;
    reply::created(format_args!("/markets/{id}/history"), MarketRevisionView::from(&revision))
}
