//! Limits how often requests are made: by user, or by the address of whoever has not said who they are.

use std::net::IpAddr;
use std::time::Duration;

use foretell_domain::id::UserId;
use foretell_ports::rate_limit::{Budget, Verdict};

use crate::Application;
use crate::client_network::ClientNetwork;

/// How many requests of each kind are served; `None` is any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestLimits {
    /// What changes nothing.
    pub read: Option<Budget>,
    /// What changes something.
    pub write: Option<Budget>,
    /// Requests that verify or set a password, right or wrong.
    pub log_in: Option<Budget>,
    /// Tokens from one address that turn out to be invalid.
    pub invalid_tokens: Option<Budget>,
}

/// What kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// It changes nothing.
    Read,
    /// It changes something.
    Write,
    /// It has a password looked at or made.
    LogIn,
}

impl RequestKind {
    /// What it is called, in settings and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::LogIn => "login",
        }
    }
}

/// On whose account a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    /// A user's, wherever they are.
    User(UserId),
    /// That of an address; a network of the sixth version of the protocol counts as one.
    Address(IpAddr),
}

/// What counting a request came to.
#[derive(Debug, Clone, Copy)]
pub struct Metered {
    /// What kind of request it was.
    pub kind: RequestKind,
    /// On whose account it went.
    pub requester: Requester,
    /// How many of the kind are served.
    pub budget: Budget,
    /// Whether this one is.
    pub verdict: Verdict,
}

impl Application {
    /// The budget of a kind of request; `None` if it is not limited.
    pub const fn request_budget(&self, kind: RequestKind) -> Option<Budget> {
        let limits = &self.settings.request_limits;
        match kind {
            RequestKind::Read => limits.read,
            RequestKind::Write => limits.write,
            RequestKind::LogIn => limits.log_in,
        }
    }

    /// Counts a request; `None` if its kind is not limited.
    pub async fn meter_request(&self, kind: RequestKind, requester: Requester) -> Option<Metered> {
        let budget = self.request_budget(kind)?;
        let verdict = self.take_request(kind, budget, requester, 1).await;
        Some(Metered { kind, requester, budget, verdict })
    }

    /// Takes the rest of what a request costs: it was counted as one. More than the whole budget takes a full
    /// bucket.
    pub async fn charge_request(&self, metered: Metered, cost: u32) -> Metered {
        let Metered { kind, requester, budget, .. } = metered;
        let rest = cost.min(budget.quota).saturating_sub(1);
        if rest == 0 {
            return metered;
        }
        let mut verdict = self.take_request(kind, budget, requester, rest).await;
        // The next attempt is counted as one again before it is charged the rest.
        let one = Duration::from_micros(budget.interval_us().unsigned_abs());
        verdict.refused_for = verdict.refused_for.map(|wait| (wait + one).min(budget.window));
        Metered { verdict, ..metered }
    }

    /// Takes tokens from each bucket of a requester; the verdict is that of the host or user unless another
    /// bucket is empty.
    async fn take_request(
        &self,
        kind: RequestKind,
        budget: Budget,
        requester: Requester,
        cost: u32,
    ) -> Verdict {
        let (kind, now) = (kind.as_str(), self.now());
        let address = match requester {
            Requester::User(id) => {
                let bucket = format!("limit:{kind}:user:{id}");
                return self.ports.limiter.take(&bucket, budget, cost, now).await;
            }
            Requester::Address(address) => address,
        };
        let host = ClientNetwork::host(address);
        let bucket = format!("limit:{kind}:from:{host}");
        let verdict = self.ports.limiter.take(&bucket, budget, cost, now).await;
        let Some(site) = ClientNetwork::site(address).filter(|_| verdict.refused_for.is_none()) else {
            return verdict;
        };
        let bucket = format!("limit:{kind}:from:{site}");
        let budget = Budget { quota: site.scaled(budget.quota), ..budget };
        let of_site = self.ports.limiter.take(&bucket, budget, cost, now).await;
        match of_site.refused_for {
            Some(_) => Verdict { remaining: 0, ..of_site },
            None => verdict,
        }
    }
}
