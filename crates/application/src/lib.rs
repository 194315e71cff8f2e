//! The use cases, one module for each verb in the area of its service, and the money writer through
//! which all money moves.
//!
//! This crate depends on the ports, not on their adapters: no HTTP, no SQL. A use case takes typed
//! input, checks the domain's policies, and calls a port or submits a command to the [`writer`].

mod application;
mod caller;
mod client_network;
pub mod content;
mod context;
pub mod error;
mod expected_version;
pub mod identity;
pub mod jobs;
pub mod ledger;
pub mod limits;
pub mod markets;
pub mod notifications;
pub mod operations;
mod ports;
mod principal;
mod projector;
pub mod search;
mod settings;
mod totals;
pub mod trading;
pub mod writer;

pub use application::{Application, Queries};
pub use caller::{Caller, Credential};
pub use client_network::network_of;
pub use content::read_posts::{MAX_COMMENTS_WITH_POST, PostRelation, RelatedToPosts};
pub use error::{AppError, StartError};
pub use expected_version::ExpectedVersion;
pub use identity::change_password::{EndedCredentials, PasswordChange};
pub use identity::confirm_password::PasswordConfirmation;
pub use identity::log_in::SignedIn;
pub use identity::login_limits::LoginLimits;
pub use identity::manage_api_keys::{IssuedKey, NewApiKey};
pub use identity::manage_invitations::{IssuedInvitation, NewInvitation};
pub use identity::read_users::{MAX_POSTS_WITH_USER, RelatedToUsers, UserRelation};
pub use identity::register_user::{Registration, SignUp};
pub use jobs::lease_jobs::{FailedAttempt, FailedJob, LeasedBatch, SchedulePeriods};
pub use jobs::retry::{RetryPolicies, RetryPolicy};
pub use jobs::run_job::JobFailure;
pub use limits::open_streams::{StreamLimits, StreamPermit};
pub use limits::request_limits::{Metered, RequestKind, RequestLimits, Requester};
pub use markets::market_cache::Render;
pub use markets::open_market::MarketOpening;
pub use markets::read_markets::{MAX_BETS_WITH_MARKET, MarketRelation, RelatedToMarkets};
pub use markets::settlement_runner::SettlementRunner;
pub use markets::stream_market_events::{
    EventIdError, MarketEvent, MarketEventData, MarketEventId, MarketEventStream, StreamItem,
};
pub use notifications::manage_webhooks::{NewWebhook, WebhookChange};
pub use operations::export::{Export, ExportError, ExportRow, ExportSink};
pub use operations::shared_secrets::shared_secret;
pub use ports::Ports;
pub use search::search_permits::SearchPermit;
pub use search::search_steps::SearchStep;
pub use search::search_texts::Found;
pub use search::semantic::Semantic;
pub use settings::{ApplicationSettings, STANDARD_CATEGORIES};
pub use trading::get_leaderboard::{RankKey, RankedTrader};
pub use trading::get_price_history::{
    CandleInterval, ChartWindow, ChartWindowError, MAX_INTERVALS, OptionCandle, PriceBucket,
    PriceChart,
};
pub use trading::leaderboards::{MAX_RANKED, Period};
pub use trading::quote_order::{Quote, QuoteRequest};
pub use trading::read_portfolio::RelatedToPositions;
pub use trading::trade_shares::TradeTarget;
