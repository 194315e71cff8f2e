//! Permanent failures of Redis that an operator must fix, logged at a bounded rate.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_redis::redis::{ErrorKind, RedisError};

/// Minimum time between two log lines of one cause.
const LOGGED_EVERY: Duration = Duration::from_mins(1);

/// Reason why Redis cannot be used although it responds, or why an entry is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RedisCause {
    /// `NOAUTH`: it requires a password.
    NoPassword,
    /// `WRONGPASS`: the user or the password is wrong.
    WrongPassword,
    /// `NOPERM`: the user may not use a command, key or channel.
    NotPermitted,
    /// `MOVED` and similar: it is a cluster.
    Cluster,
    /// `READONLY`: it is a replica.
    ReadOnly,
    /// `OOM`: it has no memory left, and may not evict keys.
    Full,
    /// `MISCONF`: it cannot save to its disk, and therefore rejects writes.
    CannotSave,
    /// An entry or message is not signed by this installation.
    Forged,
}

impl RedisCause {
    /// Returns the cause of an error, if it is one of these.
    pub(crate) fn of(error: &(dyn Error + Send + Sync + 'static)) -> Option<Self> {
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(cause) = error.downcast_ref::<RedisError>().and_then(Self::of_redis) {
                return Some(cause);
            }
            next = error.source();
        }
        None
    }

    fn of_redis(error: &RedisError) -> Option<Self> {
        // The code is reliable, so it goes first; the text is a fallback for errors that lost their
        // code.
        let by_code = error.code().and_then(|code| match code {
            "NOAUTH" => Some(Self::NoPassword),
            "WRONGPASS" => Some(Self::WrongPassword),
            "NOPERM" => Some(Self::NotPermitted),
            "MOVED" | "ASK" | "CROSSSLOT" | "CLUSTERDOWN" => Some(Self::Cluster),
            "READONLY" => Some(Self::ReadOnly),
            "OOM" => Some(Self::Full),
            "MISCONF" => Some(Self::CannotSave),
            _ => None,
        });
        if by_code.is_some() || error.kind() != ErrorKind::AuthenticationFailed {
            return by_code.or_else(|| Self::of_text(&error.to_string()));
        }
        Some(Self::WrongPassword)
    }

    /// Recognises errors by their text: scripts, and selecting a database while connecting, lose
    /// the code.
    fn of_text(text: &str) -> Option<Self> {
        let texts = [
            ("Authentication required", Self::NoPassword),
            ("not allowed in cluster mode", Self::Cluster),
            ("The user executing the script can't", Self::NotPermitted),
            ("has no permissions", Self::NotPermitted),
        ];
        texts.into_iter().find(|(part, _)| text.contains(part)).map(|(_, cause)| cause)
    }

    /// Returns the advice for the operator.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoPassword => {
                "put the password into redis.url: redis://user:password@host:6379/0"
            }
            Self::WrongPassword => "correct the user and the password in redis.url",
            Self::NotPermitted => {
                "let the user of redis.url run scripts on all keys and channels that begin with \
                 redis.prefix: ACL SETUSER name ~PREFIX:* &PREFIX:* +@all -@dangerous"
            }
            Self::Cluster => "set redis.url to a Redis that is not a cluster",
            Self::ReadOnly => "set redis.url to the primary instead of its replica",
            Self::Full => "raise maxmemory of Redis, or set its maxmemory-policy to allkeys-lru",
            Self::CannotSave => "check the disk and the log of Redis, or disable its snapshots",
            Self::Forged => {
                "give each installation a redis.prefix of its own, and let nobody else write to \
                 this Redis"
            }
        }
    }
}

impl fmt::Display for RedisCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPassword => "redis requires a password (NOAUTH)",
            Self::WrongPassword => "redis rejects the user or the password (WRONGPASS)",
            Self::NotPermitted => "redis lacks a permission for the user (NOPERM)",
            Self::Cluster => "redis is a cluster (MOVED), which is not supported",
            Self::ReadOnly => "redis is a read-only replica (READONLY)",
            Self::Full => "redis has no memory left (OOM)",
            Self::CannotSave => "redis cannot save to its disk and rejects writes (MISCONF)",
            Self::Forged => "an entry or message in redis has no valid signature and was dropped",
        })
    }
}

/// Logs each cause when it appears, and at most once a minute while it lasts.
#[derive(Debug, Default)]
pub(crate) struct CauseLog(Mutex<HashMap<RedisCause, Instant>>);

impl CauseLog {
    pub(crate) fn warn(&self, cause: RedisCause) {
        if self.is_due(cause, Instant::now()) {
            tracing::warn!("{cause}: {}", cause.advice());
        }
    }

    fn is_due(&self, cause: RedisCause, now: Instant) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Every request would log the same cause otherwise: thousands of lines a second under load.
        let is_due =
            logged.get(&cause).is_none_or(|last| now.duration_since(*last) >= LOGGED_EVERY);
        if is_due {
            logged.insert(cause, now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cause_is_logged_once_a_minute() {
        let (log, start) = (CauseLog::default(), Instant::now());
        let is_due = |cause, seconds| log.is_due(cause, start + Duration::from_secs(seconds));
        assert!(is_due(RedisCause::Cluster, 0));
        assert!(!is_due(RedisCause::Cluster, 59));
        assert!(is_due(RedisCause::Forged, 59), "another cause");
        assert!(is_due(RedisCause::Cluster, 60));
        assert!(!is_due(RedisCause::Cluster, 61));
    }
}
