//! Tables of the in-memory store, with the indexes that a database would have.

use std::net::IpAddr;

use foretell_domain::account::Account;
use foretell_domain::comment::Comment;
use foretell_domain::id::{
    AccountId, ApiKeyId, BetId, ClientId, CommentId, InvitationId, JobId, MarketId, PostId,
    SessionId, TransferId, UserId, WebhookId,
};
use foretell_domain::market::{
    Bet, Dispute, Market, MarketRevision, MarketTexts, Payout, Position, Resolution, Settlement,
};
use foretell_domain::money::{Balance, Currency};
use foretell_domain::post::Post;
use foretell_domain::registration::Invitation;
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::api_key::ApiKey;
use foretell_ports::grant::EmailHash;
use foretell_ports::idempotency::{CommandKey, StoredOutcome};
use foretell_ports::job::Job;
use foretell_ports::market::Debt;
use foretell_ports::secret::TokenHash;
use foretell_ports::user::{Credentials, Session};
use foretell_ports::vector::{StoredVector, TextId};
use foretell_ports::webhook::{Webhook, WebhookCursor};

use super::table::{EndOfUnit, Table};

/// An account and its creation time.
#[derive(Debug, Clone)]
pub(super) struct AccountRow {
    pub(super) account: Account,
    pub(super) created_at: Timestamp,
}

/// A market and its texts.
#[derive(Debug, Clone)]
pub(super) struct MarketRow {
    pub(super) market: Market,
    pub(super) texts: MarketTexts,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// A job and its internal fields.
#[derive(Debug, Clone)]
pub(super) struct JobRow {
    pub(super) job: Job,
    pub(super) leases: i64,
    pub(super) once: Option<String>,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $row:ty),+ $(,)?) => {
        /// All stored data.
        #[derive(Debug)]
        pub(super) struct Tables {
            $($(#[$doc])* pub(super) $name: Table<$key, $row>,)+
        }

        impl Default for Tables {
            fn default() -> Self {
                Self { $($name: Table::new(stringify!($name)),)+ }
            }
        }

        impl EndOfUnit for Tables {
            fn commit(&mut self) {
                $(self.$name.commit();)+
            }

            fn roll_back(&mut self) {
                $(self.$name.roll_back();)+
            }
        }
    };
}

tables! {
    /// At most one row.
    currency: () => Currency,
    secrets: &'static str => [u8; 32],
    accounts: AccountId => AccountRow,
    /// Accounts of each user, oldest first.
    accounts_by_owner: (UserId, Timestamp, AccountId) => (),
    transfers: TransferId => Transfer,
    /// Transfer that each account made under each of its client ids.
    paid_as: (AccountId, ClientId) => TransferId,
    /// Bet or sale that each account made under each of its client ids.
    traded_as: (AccountId, ClientId) => BetId,
    /// Transfer that gave each account each of its versions.
    account_versions: (AccountId, i64) => TransferId,
    /// Reversed transfers, with their reversals.
    reversals: TransferId => TransferId,
    users: UserId => Credentials,
    users_by_email: Email => UserId,
    sessions: SessionId => Session,
    sessions_by_token: TokenHash => SessionId,
    /// Time when each user last signed in from each network.
    known_networks: (UserId, IpAddr) => Timestamp,
    /// Time when each email address was recorded.
    signup_grants: EmailHash => Timestamp,
    /// Each with the hash of its code.
    invitations: InvitationId => (Invitation, TokenHash),
    invitations_by_code: TokenHash => InvitationId,
    jobs: JobId => JobRow,
    job_names: String => JobId,
    /// Each with its model.
    vectors: TextId => (String, StoredVector),
    webhooks: WebhookId => Webhook,
    webhook_places: (WebhookId, MarketId) => WebhookCursor,
    api_keys: ApiKeyId => ApiKey,
    api_keys_by_secret: TokenHash => ApiKeyId,
    outcomes: CommandKey => StoredOutcome,
    posts: PostId => Post,
    comments: CommentId => Comment,
    markets: MarketId => MarketRow,
    revisions: (MarketId, i64) => MarketRevision,
    /// Positions of each market's holders, option by option.
    positions: (MarketId, AccountId, usize) => Position,
    bets: BetId => Bet,
    /// Bet with each sequence number of each market.
    bets_by_sequence: (MarketId, i64) => BetId,
    resolutions: (MarketId, i64) => Resolution,
    disputes: (MarketId, i64, UserId) => Dispute,
    settlements: MarketId => Settlement,
    /// Payment to each holder, and its time.
    payouts: (MarketId, AccountId) => (Payout, Timestamp),
    /// Debts by the transfer of the treasury.
    debts: TransferId => Debt,
}

impl Tables {
    /// Returns the balance of a market's account; zero if it has none.
    pub(super) fn pot(&self, market: MarketId) -> Balance {
        let pot = self.accounts.committed().get(&AccountId::of_market(market));
        pot.map_or(Balance::ZERO, |row| row.account.balance())
    }
}
