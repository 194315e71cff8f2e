//! Publishes raised minimum versions to Redis and the other nodes, in the background.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use deadpool_redis::redis::Script;
use foretell_ports::cache::MinVersion;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::link::RedisLink;
use crate::min_versions::MIN_VERSIONS_KEPT;

/// Channel of minimum versions.
pub(crate) const CHANNEL: &str = "floors";

/// Maximum number of keys in one script.
const MAX_MIN_VERSIONS: usize = 1_000;

/// Maximum lifetime of an entry, in milliseconds: the maximum of `cache.shared_s`.
const ENTRIES_KEPT_MS: u32 = 86_400_000;

/// Returns a Lua function that reads the version at a key, of an entry or a minimum. A key that
/// would never expire, or later than ours do, is not ours and counts as absent: whatever its
/// version is, it blocks nothing.
pub(crate) fn version_at() -> String {
    format!(
        r"
        local function version_at(key)
            local version = redis.pcall('HGET', key, 'version')
            version = type(version) == 'string' and tonumber(version)
            if not version then return nil end
            local most = redis.call('HEXISTS', key, 'bytes') == 1 and {ENTRIES_KEPT_MS} or {}
            local left = redis.call('PTTL', key)
            if left < 0 or left > most then return nil end
            return version
        end
        ",
        MIN_VERSIONS_KEPT.as_millis()
    )
}

/// Replaces outdated entries by their minimum versions, so that no older entry can be stored, and
/// notifies all nodes.
static RAISE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&format!(
        r"
        {}
        for index, key in ipairs(KEYS) do
            local version = version_at(key)
            if not version or version < tonumber(ARGV[index + 3]) then
                redis.call('DEL', key)
                redis.call('HSET', key, 'version', ARGV[index + 3])
                redis.call('PEXPIRE', key, ARGV[1])
            end
        end
        redis.call('PUBLISH', ARGV[2], ARGV[3])
        return 1
        ",
        version_at()
    ))
});

/// Minimum versions to be published; the highest of each key.
#[derive(Debug, Default)]
struct Waiting {
    min_versions: Mutex<HashMap<Arc<str>, i64>>,
    is_some: Notify,
}

/// Publishes minimum versions in batches: while one is on its way, the next one accumulates.
#[derive(Debug)]
pub(crate) struct Publisher {
    waiting: Arc<Waiting>,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Starts publishing.
    pub(crate) fn start(link: &Arc<RedisLink>) -> Self {
        let waiting = Arc::<Waiting>::default();
        let task = link.runtime().spawn(run(Arc::clone(&waiting), Arc::clone(link)));
        Self { waiting, task }
    }

    pub(crate) fn publish(&self, min_versions: &[MinVersion]) {
        self.waiting.add(min_versions);
        // `Notify` keeps one permit, so that a call between two batches is not lost.
        self.waiting.is_some.notify_one();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Waiting {
    fn add(&self, min_versions: &[MinVersion]) {
        let mut waiting = self.min_versions.lock().unwrap_or_else(PoisonError::into_inner);
        for MinVersion { key, version } in min_versions {
            let held = waiting.entry(Arc::clone(key)).or_insert(*version);
            // Only the highest version counts, so a market traded often takes one entry in a batch.
            *held = (*held).max(*version);
        }
    }

    fn take(&self) -> Vec<(Arc<str>, i64)> {
        std::mem::take(&mut *self.min_versions.lock().unwrap_or_else(PoisonError::into_inner))
            .into_iter()
            .collect()
    }
}

/// Publishes until it is aborted. A batch that fails is dropped: other nodes read storage again
/// soon.
async fn run(waiting: Arc<Waiting>, link: Arc<RedisLink>) {
    loop {
        waiting.is_some.notified().await;
        for min_versions in waiting.take().chunks(MAX_MIN_VERSIONS) {
            let mut script = RAISE.prepare_invoke();
            let message = link.seal().seal_message(CHANNEL, &message(min_versions));
            script
                .arg(MIN_VERSIONS_KEPT.as_millis().to_string())
                .arg(link.name(CHANNEL))
                .arg(message);
            for (key, version) in min_versions {
                script.key(link.name(key)).arg(*version);
            }
            let _: Option<i64> = link.run(&script).await;
        }
    }
}

/// Returns the message for minimum versions, one per line.
fn message(min_versions: &[(Arc<str>, i64)]) -> String {
    let lines: Vec<_> =
        min_versions.iter().map(|(key, version)| format!("{version} {key}")).collect();
    lines.join("\n")
}

/// Returns the minimum versions of a message; malformed lines are left out.
pub(crate) fn parse_min_versions(message: &str) -> Vec<MinVersion> {
    let min_version = |line: &str| {
        let (version, key) = line.split_once(' ')?;
        Some(MinVersion { key: key.into(), version: version.parse().ok()? })
    };
    message.lines().filter_map(min_version).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_round_trips_floors() {
        let message = message(&[("market:1".into(), 7), ("a b".into(), 1)]);
        let min_version = |key: &str, version| MinVersion { key: key.into(), version };
        assert_eq!(
            parse_min_versions(&message),
            [min_version("market:1", 7), min_version("a b", 1)]
        );
        assert_eq!(parse_min_versions("nonsense\nx y\n 3\n"), []);
    }
}
