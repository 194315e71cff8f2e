//! Counts requests against the limits of their kind.

use std::time::Duration;

use foretell_ports::rate_limit::{Budget, Verdict};

use super::Limits;
use super::request_limits::{Metered, RequestKind, Requester};
use crate::client_network::ClientNetwork;

impl Limits {
    /// Returns the limit of a kind of request; `None` if it is unlimited.
    pub const fn request_budget(&self, kind: RequestKind) -> Option<Budget> {
        let limits = &self.requests;
        match kind {
            RequestKind::Read => limits.read,
            RequestKind::Write => limits.write,
            RequestKind::LogIn => limits.log_in,
        }
    }

    /// Counts a request; `None` if its kind is unlimited.
    pub async fn meter_request(&self, kind: RequestKind, requester: Requester) -> Option<Metered> {
        let budget = self.request_budget(kind)?;
        let verdict = self.take_request(kind, budget, requester, 1).await;
        Some(Metered { kind, requester, budget, verdict })
    }

    /// Takes the remaining cost of a request that was counted as one. A cost above the limit takes
    /// a full bucket.
    pub async fn charge_request(&self, metered: Metered, cost: u32) -> Metered {
        let Metered { kind, requester, budget, .. } = metered;
        let rest = cost.min(budget.quota).saturating_sub(1);
        if rest == 0 {
            return metered;
        }
        let mut verdict = self.take_request(kind, budget, requester, rest).await;
        // The next attempt is counted as one before it is charged the rest.
        let one = Duration::from_micros(budget.interval_us().unsigned_abs());
        verdict.refused_for = verdict.refused_for.map(|wait| (wait + one).min(budget.window));
        Metered { verdict, ..metered }
    }

    /// Takes tokens from each bucket of a requester; the verdict is that of the host or user unless
    /// another bucket is empty.
    async fn take_request(
        &self,
        kind: RequestKind,
        budget: Budget,
        requester: Requester,
        cost: u32,
    ) -> Verdict {
        let (kind, now) = (kind.as_str(), self.clock.now());
        let address = match requester {
            Requester::User(id) => {
                let bucket = format!("limit:{kind}:user:{id}");
                return self.limiter.take(&bucket, budget, cost, now).await;
            }
            Requester::Address(address) => address,
        };
        let host = ClientNetwork::host(address);
        let bucket = format!("limit:{kind}:from:{host}");
        let verdict = self.limiter.take(&bucket, budget, cost, now).await;
        let Some(site) = ClientNetwork::site(address).filter(|_| verdict.refused_for.is_none())
        else {
            return verdict;
        };
        let bucket = format!("limit:{kind}:from:{site}");
        let budget = Budget { quota: site.scaled(budget.quota), ..budget };
        let of_site = self.limiter.take(&bucket, budget, cost, now).await;
        match of_site.refused_for {
            Some(_) => Verdict { remaining: 0, ..of_site },
            None => verdict,
        }
    }
}
