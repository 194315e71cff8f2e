//! Throttling of recorded API key uses: one per minute and key, so that no request waits for the
//! write.

use std::time::Duration;

use foretell_domain::id::ApiKeyId;
use foretell_domain::time::Timestamp;
use foretell_expiring_map::{Change, ExpiringMap, Expiry};
use foretell_ports::api_key::ApiKey;

/// Minimum time between two recorded uses of a key.
const PERIOD: Duration = Duration::from_mins(1);

/// Maximum number of keys in memory; an evicted key is recorded once too often.
const MAX_KEYS: usize = 20_000;

/// Uses that this process has recorded recently.
pub(crate) struct KeyUses(ExpiringMap<ApiKeyId, Timestamp>);

impl KeyUses {
    pub(crate) fn new() -> Self {
        Self(ExpiringMap::new(MAX_KEYS, Expiry::AfterWrite(PERIOD * 2)))
    }

    /// Returns `true` if the caller should record a use now; of concurrent callers, only one gets
    /// `true`.
    pub(crate) fn is_worth_recording(&self, key: &ApiKey, now: Timestamp) -> bool {
        if key.last_used_at.is_some_and(|last| is_recent(last, now)) {
            return false;
        }
        self.0.change(key.id, |last| match last {
            Some(last) if is_recent(*last, now) => Change::Keep,
            _ => Change::Put(now),
        })
    }
}

fn is_recent(used_at: Timestamp, now: Timestamp) -> bool {
    let age = Duration::from_micros(now.micros().saturating_sub(used_at.micros()).unsigned_abs());
    age < PERIOD
}

#[cfg(test)]
mod tests {
    use foretell_testkit::Factory;
    use foretell_testkit::clock::START;

    use super::*;

    #[test]
    fn one_use_per_minute_is_recorded() {
        let uses = KeyUses::new();
        let make = Factory::new(1);
        let key = make.api_key(make.ids().user());
        let check = |key: &ApiKey, seconds, expected| {
            assert_eq!(
                uses.is_worth_recording(key, START.plus_seconds(seconds)),
                expected,
                "{seconds}"
            );
        };
        check(&key, 0, true);
        check(&key, 59, false);
        check(&key, 60, true);
        check(&key, 61, false);
        let seen_elsewhere = ApiKey { last_used_at: Some(START.plus_seconds(100)), ..key.clone() };
        check(&seen_elsewhere, 130, false);
        check(&seen_elsewhere, 160, true);
        check(&make.api_key(key.user_id), 0, true);
    }
}
