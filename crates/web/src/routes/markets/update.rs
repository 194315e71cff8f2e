//! `PATCH /markets/{id}`: changes an open market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;
use foretell_domain::market::MarketEdit;
use foretell_domain::text::{MarketDescription, MarketName};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::{MarketView, entity_tag};
use crate::dto::time::{Time, parse_time};
use crate::extract::{Body, IfMatch, Manage, ParseContext, ParseRequest, PathId, SignedIn};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Changes of a market; fields that are left out stay unchanged.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(as = MarketEditBody, example = json!({ "name": "Rain on Sunday" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct EditBody {
    #[garde(skip)]
    #[schema(min_length = 3, max_length = 100)]
    name: Option<String>,
    #[garde(skip)]
    #[schema(min_length = 10, max_length = 1000)]
    description: Option<String>,
    #[garde(skip)]
    #[schema(value_type = Option<Time>)]
    end_date: Option<String>,
}

impl ParseRequest for EditBody {
    type Input = MarketEdit;

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<MarketEdit> {
        let name = errors.optional("name", self.name, MarketName::new);
        let description = errors.optional("description", self.description, MarketDescription::new);
        let ends_at = errors.optional("endDate", self.end_date, |text| parse_time(&text));
        if ends_at.flatten().is_some_and(|ends_at| ends_at <= context.now) {
            errors.add("endDate", FieldErrorCode::Range, "must be in the future");
        }
        Some(MarketEdit { name: name?, description: description?, ends_at: ends_at? })
    }
}

/// Changes name, description and end date of a market; for its creator, moderators and admins. 200,
/// 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409
/// `MARKET_CLOSED` if it takes no more trades, 412 `PRECONDITION_FAILED` if the market has another
/// version than `If-Match` requires.
#[utoipa::path(
    patch,
    path = "/markets/{id}",
    operation_id = "updateMarket",
    tag = "markets",
    request_body = EditBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = MarketView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
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
