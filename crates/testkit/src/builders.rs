//! Builders of users, accounts, markets and transfers for tests, with defaults for every field.

use foretell_domain::account::Account;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::job::JobTask;
use foretell_domain::market::{Market, MarketTexts, Opening};
use foretell_domain::money::Amount;
use foretell_domain::post::{Post, PostBody, PostStatus};
use foretell_domain::probability::Probability;
use foretell_domain::registration::Invitation;
use foretell_domain::scope::Scopes;
use foretell_domain::tag::{Tag, Tags};
use foretell_domain::text::{
    Category, CommentContent, Email, KeyName, MarketDescription, MarketName, OptionName,
    PostContent, PostTitle, UserName,
};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Transfer, TransferKind, TransferOrder, transfer};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_domain::webhook::{WebhookEvents, WebhookStatus, WebhookUrl};
use foretell_ports::api_key::ApiKey;
use foretell_ports::idempotency::{CommandKey, StoredOutcome};
use foretell_ports::job::NewJob;
use foretell_ports::market::NewMarket;
use foretell_ports::secret::{PasswordHash, TokenHash};
use foretell_ports::system::IdSource as _;
use foretell_ports::user::Session;
use foretell_ports::webhook::{Webhook, WebhookSecret};

use crate::clock::START;
use crate::ids::SeededIds;

/// Creates values with unique ids, without storing them. All clones share one source of ids.
///
/// Values with public fields are adapted with `..`: `User { role: Role::Admin, ..make.user() }`.
#[derive(Debug, Clone)]
pub struct Factory {
    ids: SeededIds,
}

impl Factory {
    /// Creates a factory whose ids come from this seed. Two factories with one seed create the same
    /// ids.
    pub fn new(seed: u64) -> Self {
        Self { ids: SeededIds::new(seed) }
    }

    /// Returns the source of the ids.
    pub const fn ids(&self) -> &SeededIds {
        &self.ids
    }

    /// Returns an active user with the default role, who registered at [`START`].
    pub fn user(&self) -> User {
        let id = self.ids.user();
        let email = Email::new(&format!("user-{id}@example.com"));
        User {
            id,
            email: email.expect("an email address"),
            name: UserName::new("A user").expect("a name"),
            avatar: None,
            role: Role::User,
            status: UserStatus::Active,
            version: 1,
            created_at: START,
            updated_at: START,
        }
    }

    /// Returns the hash of a password, different each time.
    pub fn password(&self) -> PasswordHash {
        PasswordHash(format!("$plain$v=2${:x}", self.ids.next_id()))
    }

    /// Returns a session that began at [`START`] and ends a day later.
    pub fn session(&self, user_id: UserId) -> Session {
        let id = self.ids.session();
        let mut hash = [0; 32];
        hash[16..].copy_from_slice(&id.to_bytes());
        let (created_at, expires_at) = (START, START.plus_seconds(86_400));
        Session { id, user_id, token_hash: TokenHash(hash), created_at, expires_at }
    }

    /// Returns an API key with all scopes, created at [`START`], without expiry and never used.
    pub fn api_key(&self, user_id: UserId) -> ApiKey {
        let id = self.ids.api_key();
        let mut hash = [0; 32];
        hash[16..].copy_from_slice(&id.to_bytes());
        ApiKey {
            id,
            user_id,
            name: KeyName::new("A key").expect("a name"),
            secret_hash: TokenHash(hash),
            scopes: Scopes::ALL,
            created_at: START,
            expires_at: None,
            last_used_at: None,
        }
    }

    /// Returns an unused invitation for 5 users, created at [`START`], that expires a day later.
    pub fn invitation(&self, created_by: UserId) -> Invitation {
        Invitation {
            id: self.ids.invitation(),
            role: Role::User,
            grant: None,
            max_uses: 5,
            uses: 0,
            created_by,
            created_at: START,
            expires_at: START.plus_seconds(86_400),
        }
    }

    /// Returns an enabled webhook for all events, created at [`START`].
    pub fn webhook(&self) -> Webhook {
        Webhook {
            id: self.ids.webhook(),
            url: WebhookUrl::new("https://example.org/hook").expect("an address"),
            events: WebhookEvents::ALL,
            status: WebhookStatus::Enabled,
            secret: WebhookSecret([1; 32]),
            replaced: None,
            created_at: START,
            failing: None,
        }
    }

    /// Returns a job that is due at [`START`] and has no unique name.
    pub fn job(&self, task: JobTask) -> NewJob {
        NewJob { id: self.ids.job(), task, run_at: START, once: None, created_at: START }
    }

    /// Returns an account of this user with a balance of zero.
    pub fn account(&self, owner: UserId) -> Account {
        Account::user(self.ids.account(), owner)
    }

    /// Returns an order to move this many minor units at [`START`].
    pub fn order(&self, kind: TransferKind, minor: i64) -> TransferOrder {
        TransferOrder::new(self.ids.transfer(), kind, amount(minor), START)
    }

    /// Moves this many minor units from the first account to the second as a payment.
    pub fn payment(&self, debit: &mut Account, credit: &mut Account, minor: i64) -> Transfer {
        transfer(debit, credit, self.order(TransferKind::Payment, minor))
            .expect("the payment is possible")
    }

    /// Returns the outcome of a command that a user sent at [`START`].
    pub fn outcome(&self, user_id: UserId, key: &str) -> StoredOutcome {
        let mut request_hash = [0; 32];
        request_hash[..16].copy_from_slice(&self.ids.next_id().to_be_bytes());
        let key = CommandKey { user_id, key: key.to_owned() };
        StoredOutcome { key, request_hash, outcome: "done".to_owned(), created_at: START }
    }

    /// Returns a post with version 1 by this user, created at [`START`].
    pub fn post(&self, author_id: UserId, status: PostStatus, tags: &[&str]) -> Post {
        let body = PostBody {
            title: PostTitle::new("A post").expect("a title"),
            content: PostContent::new("What it says.").expect("a content"),
            tags: self::tags(tags),
            status,
        };
        Post {
            id: self.ids.post(),
            author_id,
            body,
            version: 1,
            created_at: START,
            updated_at: START,
        }
    }

    /// Returns a comment by this user, created at [`START`].
    pub fn comment(&self, author_id: UserId, subject: impl Into<CommentSubject>) -> Comment {
        let content = CommentContent::new("Well said.").expect("a content");
        let (id, subject) = (self.ids.comment(), subject.into());
        Comment { id, subject, author_id, content, created_at: START, updated_at: START }
    }

    /// Returns a builder of a market by the owner of this account.
    pub fn market(&self, creator: &Account) -> MarketBuilder {
        MarketBuilder {
            ids: self.ids.clone(),
            creator_id: creator.owner().expect("creators are users"),
            creator_account_id: creator.id(),
            category: "politics".to_owned(),
            initial: vec![None; 2],
            subsidy_minor: 10_000,
            fee_bps: 0,
            created_at: START,
            ends_at: START.plus_seconds(30 * 86_400),
        }
    }
}

/// Builder of a market: by default two equal options, a subsidy of 10,000, no fee, and 30 days from
/// [`START`].
#[derive(Debug, Clone)]
pub struct MarketBuilder {
    ids: SeededIds,
    creator_id: UserId,
    creator_account_id: AccountId,
    category: String,
    initial: Vec<Option<Probability>>,
    subsidy_minor: i64,
    fee_bps: u16,
    created_at: Timestamp,
    ends_at: Timestamp,
}

impl MarketBuilder {
    /// Sets this many equal options.
    #[must_use]
    pub fn options(mut self, count: usize) -> Self {
        self.initial = vec![None; count];
        self
    }

    /// Sets one option for each of these initial probabilities.
    #[must_use]
    pub fn initial(mut self, probabilities: &[f64]) -> Self {
        let probability = |value: &f64| Some(Probability::new(*value).expect("a probability"));
        self.initial = probabilities.iter().map(probability).collect();
        self
    }

    /// Sets the subsidy, in minor units.
    #[must_use]
    pub const fn subsidy(mut self, minor: i64) -> Self {
        self.subsidy_minor = minor;
        self
    }

    /// Sets the trading fee.
    #[must_use]
    pub const fn fee_bps(mut self, fee_bps: u16) -> Self {
        self.fee_bps = fee_bps;
        self
    }

    /// Sets the category.
    #[must_use]
    pub fn category(mut self, category: &str) -> Self {
        category.clone_into(&mut self.category);
        self
    }

    /// Sets the creation time.
    #[must_use]
    pub const fn created_at(mut self, at: Timestamp) -> Self {
        self.created_at = at;
        self
    }

    /// Sets the end date.
    #[must_use]
    pub const fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = at;
        self
    }

    /// Returns the market right after its creation, with a new id.
    pub fn build(&self) -> NewMarket {
        let opening = Opening {
            id: self.ids.market(),
            creator_id: self.creator_id,
            creator_account_id: self.creator_account_id,
            ends_at: self.ends_at,
            subsidy: amount(self.subsidy_minor),
            fee_bps: self.fee_bps,
            options: self.initial.iter().map(|initial| (self.ids.option(), *initial)).collect(),
        };
        let market = Market::open(opening, self.created_at).expect("the market can open");
        NewMarket { market, texts: self.texts(), created_at: self.created_at }
    }

    fn texts(&self) -> MarketTexts {
        let names = (1..=self.initial.len()).map(|number| format!("Option {number}"));
        let texts = MarketTexts::new(
            MarketName::new("Will it rain?").expect("a name"),
            MarketDescription::new("By the weather service's word.").expect("a description"),
            Category::new(self.category.clone()).expect("a category"),
            names.map(|name| OptionName::new(name).expect("an option's name")).collect(),
        );
        texts.expect("a texts")
    }
}

/// Returns the amount of this many minor units, for tests.
pub fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount is above zero")
}

/// Returns the tags with these texts, for tests.
pub fn tags(texts: &[&str]) -> Tags {
    let tags = texts.iter().map(|text| Tag::new(text).expect("a tag"));
    Tags::new(tags).expect("few and distinct tags")
}
