//! `GET /leaderboard`: lists traders by profit.

use actix_web::web::{Data, ServiceConfig};
use foretell_application::{Period, RankedTrader};
use foretell_domain::id::UserId;
use foretell_domain::money::Currency;
use foretell_domain::text::AvatarUrl;
use foretell_domain::user::User;
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::text::Text;
use crate::extract::{List, Params, RequestContext, RequestDto};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(get_leaderboard))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/leaderboard").no_deadline().get(get_leaderboard));
}

/// Period of a leaderboard.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
struct LeaderboardParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    period: Option<Parsed<Period>>,
}

impl RequestDto for LeaderboardParams {
    type Input = Period;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Period {
        optional(valid.into_inner().period).unwrap_or(Period::All)
    }
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

/// Lists traders by their profit in a period, the highest first.
#[utoipa::path(
    get,
    path = "/leaderboard",
    operation_id = "getLeaderboard",
    tag = "leaderboard",
    params(LeaderboardParams),
    responses((status = 200, description = "Done.", body = Vec<RankView<'static>>)),
)]
async fn get_leaderboard(
    state: Data<WebState>,
    params: Params<List<LeaderboardParams>>,
) -> HandlerResult {
    let ((period, paging), application) = (state.validate(params)?, &state.application);
    let (mut ranks, total) = application.trading.get_leaderboard(period, paging.request()).await?;
    let meta = paging.meta_with_total(&mut ranks, RankedTrader::key, total);
    let users = application.trading.relate_to_ranks(&ranks).await?;
    let currency = &application.settings().currency;
    let view = |ranked: &RankedTrader| {
        users.get(&ranked.profit.user_id).map(|user| RankView::new(ranked, user, currency))
    };
    // A trader with an unreadable row is left out.
    reply::list(ranks.iter().filter_map(view).collect::<Vec<_>>(), meta)
}
