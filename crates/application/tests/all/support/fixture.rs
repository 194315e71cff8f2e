//! Test fixture: an application with a ledger, a clock and a storage that a test controls, and
//! users for it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foretell::{Builder, Foretell};
use foretell_application::writer::{Payment, Receipt, WriterSettings};
use foretell_application::{
    AppError, Application, ApplicationSettings, Caller, Credential, PasswordConfirmation,
    Registration, RequestLimits, Semantic, StreamLimits,
};
use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, SessionId, UserId};
use foretell_domain::money::Amount;
use foretell_domain::quota::Quotas;
use foretell_domain::text::{Email, UserName};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_domain::user::Role;
use foretell_ports::ledger::LedgerQueries as _;
use foretell_ports::secret::Tokens as _;
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::Session;
use foretell_testkit::{
    Announcements, Factory, FakeClock, FaultyStore, MemoryMailer, MemoryStore, MemoryWebhooks,
    PlainPasswordHasher, SeededIds, SeededTokens, new_password,
};

use super::late::LateStore;

/// Sign-up grant of a new user, in minor units.
pub(crate) const GRANT: i64 = 10_000;
/// Client address of every sign-in unless a test sets another.
pub(crate) const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// Password of every user.
pub(crate) const PASSWORD: &str = "correct horse";

/// Returns the confirmation of every user's password.
pub(crate) fn confirmation() -> PasswordConfirmation {
    PasswordConfirmation { password: PASSWORD.into(), from: ADDRESS }
}

/// An application and its test adapters.
pub(crate) struct Fixture {
    pub(crate) app: Arc<Application>,
    /// Store that holds and fails the units of the application.
    pub(crate) faults: FaultyStore,
    pub(super) late: LateStore,
    /// Store behind it.
    pub(crate) memory: MemoryStore,
    pub(crate) clock: FakeClock,
    /// Source of ids that clients choose; the application's own have another seed.
    pub(crate) ids: SeededIds,
    pub(crate) passwords: PlainPasswordHasher,
    /// Emails sent to users.
    pub(crate) mailer: MemoryMailer,
    /// Messages sent to webhooks.
    pub(crate) receivers: MemoryWebhooks,
    /// A user who is not registered.
    pub(super) nobody: Caller,
    /// Announces changed users to other nodes once it is enabled.
    pub(crate) announcements: Announcements,
    builder: Builder,
    made: AtomicU64,
}

impl Fixture {
    /// Opens a fixture with the usual settings.
    pub(crate) async fn open() -> Self {
        Self::open_with(settings()).await
    }

    /// Opens a fixture with these settings.
    pub(crate) async fn open_with(settings: ApplicationSettings) -> Self {
        let memory = MemoryStore::new();
        let late = LateStore::new(Arc::new(memory.clone()));
        let faults = FaultyStore::new(Arc::new(late.clone()));
        let announcements = Announcements::default();
        let (clock, passwords) = (FakeClock::default(), PlainPasswordHasher::default());
        let (mailer, receivers) = (MemoryMailer::default(), MemoryWebhooks::default());
        let builder = Foretell::builder()
            .storage(memory.clone())
            .fakes(1)
            .units(faults.clone())
            .clock(clock.clone())
            .passwords(passwords.clone())
            .mailer(mailer.clone())
            .webhook_sender(receivers.clone())
            .user_changes(announcements.clone());
        let app = build(builder.clone().settings(settings)).await;
        let (ids, made) = (SeededIds::new(2), AtomicU64::new(0));
        let user = Factory::new(3).user();
        let credential = Credential::Process;
        let nobody = Caller { user, account_id: ids.account(), credential };
        Self {
            app,
            faults,
            late,
            memory,
            clock,
            ids,
            passwords,
            mailer,
            receivers,
            nobody,
            announcements,
            builder,
            made,
        }
    }

    /// Starts another process over the same storage.
    pub(crate) async fn second_node(&self, settings: ApplicationSettings) -> Arc<Application> {
        build(self.builder.clone().settings(settings)).await
    }

    /// Starts another process over the same storage, with semantic search.
    pub(crate) async fn node_that_knows(&self, semantic: Semantic) -> Arc<Application> {
        build(self.builder.clone().settings(settings()).semantic(semantic)).await
    }

    /// Registers a new user with the sign-up grant.
    pub(crate) async fn user(&self) -> Caller {
        self.register(Role::User).await
    }

    /// Registers a new moderator with the sign-up grant.
    pub(crate) async fn moderator(&self) -> Caller {
        self.register(Role::Moderator).await
    }

    /// Registers a new admin with the sign-up grant.
    pub(crate) async fn admin(&self) -> Caller {
        self.register(Role::Admin).await
    }

    async fn register(&self, role: Role) -> Caller {
        let (user, registered) =
            self.app.identity.register_user(self.registration(role)).await.unwrap();
        let session = self.sign_in(user.id).await;
        Caller { user, account_id: registered.account_id, credential: Credential::Session(session) }
    }

    /// Returns the caller of a session token or API key that is presented from [`ADDRESS`].
    pub(crate) async fn authenticate(&self, token: &str) -> Option<Arc<Caller>> {
        self.app.identity.authenticate(token, ADDRESS).await.unwrap()
    }

    /// Stores a session of this user that never expires.
    pub(crate) async fn sign_in(&self, user_id: UserId) -> SessionId {
        let session = Session {
            id: self.ids.session(),
            user_id,
            token_hash: SeededTokens::new(self.made.fetch_add(1, Ordering::SeqCst) + 1_000)
                .issue()
                .1,
            created_at: self.app.now(),
            expires_at: Timestamp::from_micros(i64::MAX),
        };
        let units: &dyn UnitOfWork = &self.memory;
        units.run("sign_in", move |tx| tx.insert_session(&session)).await.unwrap();
        session.id
    }

    /// Returns the registration of a new user.
    pub(crate) fn registration(&self, role: Role) -> Registration {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        Registration {
            email: Email::new(&format!("user-{number}@example.com")).unwrap(),
            name: UserName::new(format!("User {number}")).unwrap(),
            password: new_password(PASSWORD),
            avatar: None,
            role,
        }
    }

    /// Returns a new idempotency key.
    pub(crate) fn key(&self) -> String {
        format!("key-{}", self.made.fetch_add(1, Ordering::SeqCst))
    }

    /// Returns a payment between the accounts of two users.
    pub(crate) fn payment(from: &Caller, to: &Caller, minor: i64) -> Payment {
        Payment {
            client_id: None,
            from: from.account_id,
            to: to.account_id,
            amount: amount(minor),
            memo: None,
        }
    }

    /// Makes a payment under a new key.
    pub(crate) async fn pay(
        &self,
        from: &Caller,
        to: &Caller,
        minor: i64,
    ) -> Result<Transfer, DomainError> {
        let receipt =
            self.app.ledger.pay(from, self.key(), Self::payment(from, to, minor)).await.unwrap();
        assert!(!receipt.is_replay);
        receipt.result
    }

    /// Sends a payment under a new key.
    pub(crate) async fn send(
        &self,
        caller: &Caller,
        payment: Payment,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.app.ledger.pay(caller, self.key(), payment).await
    }

    /// Returns the balance of an account, in minor units.
    pub(crate) async fn balance(&self, account: AccountId) -> i64 {
        self.memory.find_account(account).await.unwrap().unwrap().account.balance().minor()
    }

    /// Returns the balances of these users' accounts, in minor units.
    pub(crate) async fn balances<'a>(
        &self,
        users: impl IntoIterator<Item = &'a Caller>,
    ) -> Vec<i64> {
        let mut balances = Vec::new();
        for user in users {
            balances.push(self.balance(user.account_id).await);
        }
        balances
    }

    /// Checks every invariant of the ledger and returns the number of transfers.
    pub(crate) async fn audit(&self) -> i64 {
        let report = self.app.queries.ledger.audit().await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        report.transfers
    }
}

async fn build(builder: Builder) -> Arc<Application> {
    Arc::clone(builder.build().await.unwrap().application())
}

/// Returns the usual settings: a sign-up grant, no fee, one lane, and timeouts for slow machines.
pub(crate) fn settings() -> ApplicationSettings {
    ApplicationSettings {
        signup_grant: Some(amount(GRANT)),
        quotas: Quotas::default(),
        categories: vec!["politics".to_owned()],
        session_lifetime: Duration::from_hours(1),
        request_limits: RequestLimits::default(),
        stream_limits: StreamLimits::default(),
        writer: WriterSettings { max_wait: Duration::from_mins(1), ..WriterSettings::default() },
        ..ApplicationSettings::default()
    }
}

/// Returns the amount of this many minor units.
pub(crate) fn amount(minor: i64) -> Amount {
    Amount::new(minor).unwrap()
}
