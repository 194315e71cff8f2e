//! Rows of an export: resources in the form of the API, with all fields.

use std::net::IpAddr;

use foretell_application::ExportRow;
use foretell_domain::id::SessionId;
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::dto::account::AccountView;
use crate::dto::comment::CommentView;
use crate::dto::market::MarketView;
use crate::dto::market::bet::BetView;
use crate::dto::post::PostView;
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::dto::transfer::{TransferView, Visible};
use crate::dto::user::UserView;

/// A session without fields that depend on the request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView {
    id: Text<SessionId>,
    created_at: Time,
    expires_at: Time,
}

/// A network from which a user has signed in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KnownNetworkView {
    network: Text<IpAddr>,
    last_used_at: Time,
}

/// Converts rows with a currency, and markets at a time.
#[derive(Debug, Clone, Copy)]
pub struct ExportViews<'a> {
    /// The currency.
    pub currency: &'a Currency,
    /// Time.
    pub now: Timestamp,
}

impl ExportViews<'_> {
    /// Returns the kind of a row, such as `bet`, and its JSON object.
    ///
    /// # Errors
    /// Only for program errors.
    pub fn show(self, row: ExportRow<'_>) -> serde_json::Result<(&'static str, Value)> {
        let Self { currency, now } = self;
        Ok(match row {
            ExportRow::Market(market) => ("market", json(MarketView::at(now, market, currency))?),
            ExportRow::Bet(bet) => ("bet", json(BetView::of_trader(bet, currency))?),
            ExportRow::Transfer(transfer) => {
                ("transfer", json(TransferView::new(transfer, currency, Visible::BOTH))?)
            }
            ExportRow::TransferOf(account, transfer) => {
                let visible = Visible::to_account(account, transfer);
                ("transfer", json(TransferView::new(transfer, currency, visible))?)
            }
            ExportRow::User(user) => ("user", json(UserView::of_self(user))?),
            ExportRow::Account(account) => ("account", json(AccountView::new(account, currency))?),
            ExportRow::Post(post) => ("post", json(PostView::new(post))?),
            ExportRow::Comment(comment) => ("comment", json(CommentView::from(comment))?),
            ExportRow::KnownNetwork(known) => {
                let (network, last_used_at) = (Text(known.network), Time(known.last_used_at));
                ("known_network", json(KnownNetworkView { network, last_used_at })?)
            }
            ExportRow::Session(session) => {
                let (created_at, expires_at) = (Time(session.created_at), Time(session.expires_at));
                ("session", json(SessionView { id: Text(session.id), created_at, expires_at })?)
            }
        })
    }
}

fn json(view: impl Serialize) -> serde_json::Result<Value> {
    serde_json::to_value(view)
}
