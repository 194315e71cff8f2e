//! The ports that can be replaced: one list, from which the setters of the builder are made.

use std::sync::Arc;

use foretell_ports::cache::Cache;
use foretell_ports::health::Health;
use foretell_ports::job::JobQueries;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::mail::Mailer;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::search::TextSearch;
use foretell_ports::secret::{PasswordHasher, Tokens};
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::UserQueries;
use foretell_ports::user_changes::UserChanges;
use foretell_ports::vector::VectorQueries;
use foretell_ports::webhook::{WebhookBodies, WebhookQueries, WebhookSender};

use crate::builder::Builder;

macro_rules! replaceable_ports {
    ($($(#[$doc:meta])* $name:ident: $port:ident,)+) => {
        /// The ports that were replaced.
        #[derive(Clone, Default)]
        pub(crate) struct ReplacedPorts {
            $(pub(crate) $name: Option<Arc<dyn $port>>,)+
        }

        /// One setter for each port.
        impl Builder {
            $(
                $(#[$doc])*
                pub fn $name(mut self, port: impl $port + 'static) -> Self {
                    self.replaced.$name = Some(Arc::new(port));
                    self
                }
            )+
        }
    };
}

replaceable_ports! {
    /// Runs units of work by this adapter instead of the storage's.
    units: UnitOfWork,
    /// Reads accounts and transfers from this adapter instead of the storage.
    ledger: LedgerQueries,
    /// Reads markets from this adapter instead of the storage.
    markets: MarketQueries,
    /// Reads users, sessions and API keys from this adapter instead of the storage.
    users: UserQueries,
    /// Reads posts, comments and tags from this adapter instead of the storage.
    posts: PostQueries,
    /// Searches texts by this adapter instead of the storage.
    search: TextSearch,
    /// Reads embeddings from this adapter instead of the storage.
    vectors: VectorQueries,
    /// Reads jobs from this adapter instead of the storage.
    jobs: JobQueries,
    /// Reads webhooks from this adapter instead of the storage.
    webhooks: WebhookQueries,
    /// Checks the health of storage by this adapter.
    health: Health,
    /// Caches in this adapter. Default: in this process, and in Redis if there is one.
    cache: Cache,
    /// Limits rates by this adapter. Default: Redis if there is one, otherwise this process.
    limiter: RateLimiter,
    /// Announces changed users to other nodes by this adapter. Default: Redis if there is one.
    user_changes: UserChanges,
    /// Sends emails by this adapter. Default: no emails are written.
    mailer: Mailer,
    /// Sends webhook messages by this adapter. Default: HTTPS, to public addresses only.
    webhook_sender: WebhookSender,
    /// Writes the bodies of webhook messages by this adapter. Default: JSON.
    webhook_bodies: WebhookBodies,
    /// Reads the time from this clock. Default: the system's.
    clock: Clock,
    /// Creates ids by this adapter. Default: version 7 UUIDs.
    ids: IdSource,
    /// Hashes passwords by this adapter. Default: argon2id, with a thread for each core.
    passwords: PasswordHasher,
    /// Creates tokens by this adapter. Default: 256 random bits.
    tokens: Tokens,
}
