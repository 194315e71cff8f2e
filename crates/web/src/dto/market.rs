//! Response types of markets.

pub(crate) mod bet;
pub(crate) mod decided;
pub(crate) mod page;
pub(crate) mod position;
pub(crate) mod resolution;
pub(crate) mod revision;

use std::collections::BTreeMap;

use foretell_application::{MarketRelation, RelatedToMarkets};
use foretell_domain::id::{MarketId, OptionId, UserId};
use foretell_domain::market::{Bet, OptionState};
use foretell_domain::money::Currency;
use foretell_domain::probability::Probability;
use foretell_domain::text::OptionName;
use foretell_domain::time::Timestamp;
use foretell_ports::market::MarketDetails;
use serde::Serialize;
use utoipa::ToSchema;

use self::bet::BetView;
use super::money::Money;
use super::probability::Rounded;
use super::selection::{Relation, Selectable};
use super::text::Text;
use super::time::Time;
use super::user::UserView;
use crate::openapi::names::{Id, PhaseName};

/// A market with its options and their probabilities.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketView<'a> {
    #[schema(value_type = Id)]
    id: Text<MarketId>,
    #[schema(value_type = Id)]
    creator_id: Text<UserId>,
    name: &'a str,
    description: &'a str,
    category: &'a str,
    #[schema(value_type = PhaseName)]
    status: &'static str,
    end_date: Time,
    subsidy: Money,
    fee_bps: u16,
    volume: Money,
    bet_count: i64,
    /// Number of the newest revision of its texts and end date; 1 until something is changed.
    revision: i64,
    version: i64,
    options: Vec<OptionView<'a>>,
    created_at: Time,
    updated_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    creator: Option<UserView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bets: Option<Vec<BetView<'a>>>,
}

/// Resources that can be embedded in a market, by their names in `expand`.
impl Relation for MarketRelation {
    const ALL: &'static [(&'static str, Self)] =
        &[("creator", Self::Creator), ("bets", Self::Bets)];
}

impl Selectable for MarketView<'_> {
    const FIELDS: &'static [&'static str] = &[
        "id",
        "creatorId",
        "name",
        "description",
        "category",
        "status",
        "endDate",
        "subsidy",
        "feeBps",
        "volume",
        "betCount",
        "revision",
        "version",
        "options",
        "createdAt",
        "updatedAt",
        "creator",
        "bets",
    ];
}

impl<'a> MarketView<'a> {
    /// Adds the embedded resources.
    pub(crate) fn with(self, related: &'a RelatedToMarkets, currency: &'a Currency) -> Self {
        let creators = related.creators.as_ref();
        let of_market = |bets: Option<&'a Vec<Bet>>| bets.into_iter().flatten();
        let views = |bets: &'a BTreeMap<MarketId, Vec<Bet>>| {
            of_market(bets.get(&self.id.0)).map(|bet| BetView::public(bet, currency)).collect()
        };
        Self {
            creator: creators
                .and_then(|creators| creators.get(&self.creator_id.0))
                .map(UserView::public),
            bets: related.bets.as_ref().map(views),
            ..self
        }
    }

    /// Creates the response for a market at `now`: an open market is shown as closed after its end
    /// date.
    pub(crate) fn at(now: Timestamp, details: &'a MarketDetails, currency: &Currency) -> Self {
        let (record, texts) = (details.market.record(), &details.texts);
        let states = record.options.iter().zip(details.market.probabilities());
        let options = states.zip(texts.options());
        Self {
            id: Text(record.id),
            creator_id: Text(record.creator_id),
            name: texts.name.as_str(),
            description: texts.description.as_str(),
            category: texts.category.as_str(),
            status: details.market.phase_at(now).as_str(),
            end_date: Time(record.ends_at),
            subsidy: Money::new(currency, record.subsidy.minor()),
            fee_bps: record.fee_bps,
            volume: Money::new(currency, record.volume.minor()),
            bet_count: record.bet_count,
            revision: record.revision,
            version: record.version,
            options: options
                .map(|((state, now), name)| OptionView::new(state, now, name, currency))
                .collect(),
            created_at: Time(details.created_at),
            updated_at: Time(details.updated_at),
            creator: None,
            bets: None,
        }
    }
}

/// Returns the entity tag of the market's version. A market shown as closed although nothing was
/// written since it was open has a different tag, so that no client is told that the open one is
/// current.
pub(crate) fn entity_tag(details: &MarketDetails, now: Timestamp) -> String {
    let record = details.market.record();
    let is_stored = details.market.phase_at(now) == record.phase;
    format!("{}{}", record.version, if is_stored { "" } else { "-ended" })
}

/// One option of a market.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OptionView<'a> {
    #[schema(value_type = Id)]
    id: Text<OptionId>,
    name: &'a str,
    probability: Rounded,
    initial_probability: Rounded,
    shares: Money,
}

impl<'a> OptionView<'a> {
    fn new(
        state: &OptionState,
        now: Probability,
        name: &'a OptionName,
        currency: &Currency,
    ) -> Self {
        Self {
            id: Text(state.id),
            name: name.as_str(),
            probability: Rounded(now),
            initial_probability: Rounded(state.initial),
            shares: Money::new(currency, state.outstanding.units()),
        }
    }
}
