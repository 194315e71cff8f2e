//! `GET /leaderboard`: lists traders by profit.

use std::future::ready;

use actix_web::web::{Data, ServiceConfig};
use foretell_application::{Period, RankedTrader};
use foretell_domain::id::UserId;
use foretell_domain::money::Currency;
use foretell_domain::text::AvatarUrl;
use foretell_domain::user::User;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::page::{PageParams, Paging};
use crate::dto::text::{Text, parsed};
use crate::extract::{Params, ParseContext, ParseRequest};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::routing::at;
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(get_leaderboard))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/leaderboard").no_deadline().get(get_leaderboard));
}

/// Period of a leaderboard, and pagination.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
struct LeaderboardParams {
    #[garde(skip)]
    period: Option<String>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    page: Option<u32>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    limit: Option<u32>,
    #[garde(skip)]
    cursor: Option<String>,
}

impl ParseRequest for LeaderboardParams {
    type Input = (Period, Paging);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        let period = self.period.map_or(Some(Period::All), |name| period_named(&name, errors));
        let (page, limit, cursor) = (self.page, self.limit, self.cursor);
        let paging = PageParams { page, limit, cursor }.parse(errors, context);
        Some((period?, paging?))
    }
}

fn period_named(name: &str, errors: &mut ValidationErrors) -> Option<Period> {
    let period = Period::NAMED.into_iter().find(|(known, _)| *known == name);
    if period.is_none() {
        errors.add("period", FieldErrorCode::Invalid, "must be day, week, month or all");
    }
    period.map(|(_, period)| period)
}

/// A trader on a leaderboard.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RankView<'a> {
    /// Rank, from 1.
    rank: i64,
    #[schema(value_type = Id)]
    user_id: Text<UserId>,
    name: &'a str,
    avatar: Option<&'a str>,
    profit: Money,
}

impl<'a> RankView<'a> {
    fn new(ranked: &RankedTrader, user: &'a User, currency: &Currency) -> Self {
        Self {
            rank: ranked.rank,
            user_id: Text(user.id),
            name: user.name.as_str(),
            avatar: user.avatar.as_ref().map(AvatarUrl::as_str),
            profit: Money::new(currency, ranked.profit.profit_minor),
        }
    }
}

/// Lists traders by their profit in a period, the highest first. 200, 400 `VALIDATION_ERROR`.
#[utoipa::path(
    get,
    path = "/leaderboard",
    operation_id = "getLeaderboard",
    tag = "leaderboard",
    params(LeaderboardParams),
    responses((status = 200, description = "Done.", body = Vec<RankView<'static>>)),
)]
async fn get_leaderboard(state: Data<WebState>, params: Params<LeaderboardParams>) -> HandlerResult {
    let ((period, paging), application) = (state.validate(params)?, &state.application);
    let (mut ranks, total) = application.trading.get_leaderboard(period, paging.request()).await?;
    let meta = paging.meta(&mut ranks, RankedTrader::key, ready(Ok(total))).await?;
    let users = application.trading.relate_to_ranks(&ranks).await?;
    let currency = &application.settings().currency;
    let view = |ranked: &RankedTrader| {
        users.get(&ranked.profit.user_id).map(|user| RankView::new(ranked, user, currency))
    };
    // A trader with an unreadable row is left out.
    reply::list(ranks.iter().filter_map(view).collect::<Vec<_>>(), meta)
}
