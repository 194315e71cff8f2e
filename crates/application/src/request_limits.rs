//! Limits how often requests are made: by user, or by the address of whoever has not said who they are.

use std::net::IpAddr;

use foretell_domain::id::UserId;
use foretell_ports::rate_limit::{Budget, Verdict};

use crate::Application;
use crate::login_limits::network_of;

/// How many requests of each kind are served; `None` is any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestLimits {
    /// What changes nothing.
    pub read: Option<Budget>,
    /// What changes something.
    pub write: Option<Budget>,
    /// Registering, signing in and changing a password, right or wrong.
    pub log_in: Option<Budget>,
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
        let bucket = match requester {
            Requester::User(id) => format!("limit:{}:user:{id}", kind.as_str()),
            Requester::Address(address) => format!("limit:{}:from:{}", kind.as_str(), network_of(address)),
        };
        let verdict = self.ports.limiter.take(&bucket, budget, 1, self.now()).await;
        Some(Metered { kind, budget, verdict })
    }
}
