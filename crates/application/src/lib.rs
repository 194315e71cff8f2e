//! The use cases, one module for each verb, and the money writer through which all money moves.
//!
//! This crate depends on the ports, not on their adapters: no HTTP, no SQL. A use case takes typed
//! input, checks the domain's policies, and calls a port or submits a command to the [`writer`].

pub mod application;
mod authorization;
mod client_network;
pub mod error;
mod expected_version;
mod key_uses;
mod leaderboards;
mod login_limits;
mod market_cache;
mod market_feed;
mod open_streams;
mod request_limits;
mod retry;
mod search_permits;
mod search_steps;
mod semantic;
mod session_cache;
mod token_guard;
mod totals;
mod use_cases;
mod webhook_watch;
pub mod writer;

pub use application::{Application, ApplicationSettings, Ports, StartError};
pub use client_network::network_of;
pub use error::AppError;
pub use expected_version::ExpectedVersion;
pub use leaderboards::{MAX_RANKED, Period};
pub use login_limits::LoginLimits;
pub use market_cache::Render;
pub use open_streams::{StreamLimits, StreamPermit};
pub use request_limits::{Metered, RequestKind, RequestLimits, Requester};
pub use retry::{RetryPolicies, RetryPolicy};
pub use search_permits::SearchPermit;
pub use search_steps::SearchStep;
pub use semantic::Semantic;
pub use use_cases::{
    authenticate::{Caller, Credential},
    change_password::{EndedCredentials, PasswordChange},
    confirm_password::PasswordConfirmation,
    export::{Export, ExportError, ExportRow, ExportSink},
    get_leaderboard::{RankKey, RankedTrader},
    get_price_history::{CandleInterval, MAX_INTERVALS, OptionCandle, PriceBucket, PriceChart},
    lease_jobs::{FailedAttempt, FailedJob, LeasedBatch, SchedulePeriods},
    log_in::SignedIn,
    manage_api_keys::{IssuedKey, NewApiKey},
    manage_webhooks::{NewWebhook, WebhookChange},
    open_market::MarketOpening,
    quote_order::{Quote, QuoteRequest},
    read_markets::{MAX_BETS_WITH_MARKET, MarketRelation, RelatedToMarkets},
    read_portfolio::RelatedToPositions,
    read_posts::{MAX_COMMENTS_WITH_POST, PostRelation, RelatedToPosts},
    read_users::{MAX_POSTS_WITH_USER, RelatedToUsers, UserRelation},
    register_user::Registration,
    run_job::JobFailure,
    search::Found,
    settlement_runner::SettlementRunner,
    shared_secrets::shared_secret,
    stream_market_events::{
        EventIdError, MarketEvent, MarketEventData, MarketEventId, MarketEventStream, StreamItem,
    },
    trade_shares::TradeTarget,
};
