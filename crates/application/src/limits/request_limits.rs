//! Rate limits of requests: by user, or by client network for anonymous requests.

use std::net::IpAddr;

use foretell_domain::id::UserId;
use foretell_ports::rate_limit::{Budget, Verdict};

/// Rate limits for each kind of request; `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestLimits {
    /// Requests that change nothing.
    pub read: Option<Budget>,
    /// Requests that change something.
    pub write: Option<Budget>,
    /// Requests that verify or set a password, right or wrong.
    pub log_in: Option<Budget>,
    /// Invalid tokens from one network.
    pub invalid_tokens: Option<Budget>,
}

/// Kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
    /// Verifies or hashes a password.
    LogIn,
}

impl RequestKind {
    /// Returns the name used in settings and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::LogIn => "login",
        }
    }
}

/// User or network that a request is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    /// A user, from all networks.
    User(UserId),
    /// An IP address; a /64 of IPv6 counts as one.
    Address(IpAddr),
}

/// Result of counting a request.
#[derive(Debug, Clone, Copy)]
pub struct Metered {
    /// Kind of the request.
    pub kind: RequestKind,
    /// User or network that it is counted for.
    pub requester: Requester,
    /// Limit of this kind.
    pub budget: Budget,
    /// Verdict on this request.
    pub verdict: Verdict,
}
