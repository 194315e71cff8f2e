//! Settings of the operator.

use std::time::Duration;

use foretell_domain::market::MarketRules;
use foretell_domain::money::{Amount, Currency};
use foretell_domain::quota::Quotas;
use foretell_domain::registration::RegistrationPolicy;
use foretell_ports::rate_limit::Budget;

use crate::identity::login_limits::LoginLimits;
use crate::jobs::retry::RetryPolicies;
use crate::limits::open_streams::StreamLimits;
use crate::limits::request_limits::RequestLimits;
use crate::writer::WriterSettings;

/// Settings of the operator.
#[derive(Debug, Clone)]
pub struct ApplicationSettings {
    /// Currency of the ledger.
    pub currency: Currency,
    /// Money that a new user receives, if any.
    pub signup_grant: Option<Amount>,
    /// People who may register by themselves.
    pub registration: RegistrationPolicy,
    /// Trading fee of new markets, in basis points.
    pub fee_bps: u16,
    /// Rules of all markets.
    pub market_rules: MarketRules,
    /// Limits per user.
    pub quotas: Quotas,
    /// Categories that markets may have.
    pub categories: Vec<String>,
    /// Lifetime of a session.
    pub session_lifetime: Duration,
    /// Time for which a cached session is used without a query; zero disables the cache. Changes by
    /// this process apply immediately.
    pub session_trust: Duration,
    /// Limits of wrong passwords.
    pub login_limits: LoginLimits,
    /// Time for which a cached market is returned without a query; zero disables the cache. Changes
    /// by this process apply immediately.
    pub market_trust: Duration,
    /// Rate limits of requests.
    pub request_limits: RequestLimits,
    /// Limits of open event streams.
    pub stream_limits: StreamLimits,
    /// Time for which the outcome of a command is stored under its idempotency key.
    pub keep_outcomes: Duration,
    /// Retry policies of jobs.
    pub retries: RetryPolicies,
    /// Settings of the money writer.
    pub writer: WriterSettings,
}

impl Default for ApplicationSettings {
    /// Settings of an installation that configures nothing: play money with 2 decimals, a sign-up
    /// grant of 1,000.00, no fee, and no request limits except for invalid tokens.
    fn default() -> Self {
        let invalid_tokens = Budget { quota: 60, window: Duration::from_mins(1) };
        Self {
            currency: Currency::play(),
            signup_grant: Amount::new(100_000).ok(),
            registration: RegistrationPolicy::Open,
            fee_bps: 0,
            market_rules: MarketRules::default(),
            quotas: Quotas { min_subsidy: Amount::new(100).ok(), ..Quotas::default() },
            categories: STANDARD_CATEGORIES.map(str::to_owned).to_vec(),
            session_lifetime: Duration::from_hours(30 * 24),
            session_trust: Duration::from_secs(1),
            login_limits: LoginLimits::default(),
            market_trust: Duration::from_secs(1),
            request_limits: RequestLimits {
                invalid_tokens: Some(invalid_tokens),
                ..RequestLimits::default()
            },
            stream_limits: StreamLimits {
                per_user: Some(20),
                per_address: Some(100),
                total: Some(10_000),
            },
            keep_outcomes: Duration::from_hours(7 * 24),
            retries: RetryPolicies::default(),
            writer: WriterSettings::default(),
        }
    }
}

/// Categories that every installation has.
pub const STANDARD_CATEGORIES: [&str; 4] = ["politics", "sports", "entertainment", "crypto"];
