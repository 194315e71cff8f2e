//! Tests of the worker with the in-memory store: due jobs are executed, whatever else fails.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foretell::Foretell;
use foretell_application::{Application, ApplicationSettings, Registration};
use foretell_domain::id::JobId;
use foretell_domain::job::{JobKind, JobState};
use foretell_domain::text::{Email, UserName};
use foretell_domain::user::Role;
use foretell_jobs::{Worker, WorkerSettings};
use foretell_ports::job::{JobFilter, JobQueries as _};
use foretell_ports::mail::{MailError, Mailer, OutgoingEmail};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_testkit::{FakeClock, MemoryMailer, MemoryStore, new_password};

/// Page with the newest jobs.
const FIRST: PageRequest<JobId> = PageRequest { start: PageStart::Offset(0), limit: 100 };

/// Timeout of each wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// A mailer that fails for users with certain names.
#[derive(Clone, Default)]
struct MoodyMailer(MemoryMailer);

#[async_trait]
impl Mailer for MoodyMailer {
    async fn send(&self, email: &OutgoingEmail) -> Result<(), MailError> {
        match email.name.as_str() {
            "nobody" => Err(MailError::Refused("550 no such user".to_owned())),
            "poison" => Err(MailError::Unwritten("poison".to_owned())),
            "panic" => panic!("a test panics"),
            "endless" => std::future::pending().await,
            _ => self.0.send(email).await,
        }
    }
}

struct Fixture {
    app: Arc<Application>,
    store: MemoryStore,
    clock: FakeClock,
    mailer: MoodyMailer,
}

impl Fixture {
    async fn open() -> Self {
        let (store, clock) = (MemoryStore::new(), FakeClock::default());
        let mailer = MoodyMailer::default();
        let builder = Foretell::builder().storage(store.clone()).fakes(1).clock(clock.clone());
        let builder = builder.mailer(mailer.clone()).settings(settings());
        let app = Arc::clone(builder.build().await.unwrap().application());
        Self { app, store, clock, mailer }
    }

    async fn register(&self, number: usize, name: &str) {
        let registration = Registration {
            email: Email::new(&format!("user-{number}@example.org")).unwrap(),
            name: UserName::new(name).unwrap(),
            password: new_password("correct horse"),
            avatar: None,
            role: Role::User,
        };
        self.app.identity.register_user(registration).await.unwrap();
    }

    async fn count(&self, state: JobState) -> i64 {
        let filter = JobFilter { kind: Some(JobKind::WelcomeMail), state: Some(state) };
        self.store.count_jobs(filter).await.unwrap()
    }

    /// Waits until a waiting email job has failed so often.
    async fn failed(&self, failures: u32) {
        let filter = JobFilter { kind: Some(JobKind::WelcomeMail), state: Some(JobState::Waiting) };
        let failed = async {
            loop {
                let waiting = self.store.list_jobs(filter, FIRST).await.unwrap();
                if waiting.iter().any(|job| job.failures == failures) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, failed).await.expect("it fails");
    }

    /// Waits until so many email jobs are in this state.
    async fn reach(&self, state: JobState, expected: i64) {
        let reached = async {
            while self.count(state).await != expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reached).await.is_ok();
        assert!(in_time, "{} are {state:?}, not {expected}", self.count(state).await);
    }
}

fn settings() -> ApplicationSettings {
    ApplicationSettings {
        signup_grant: None,
        session_trust: Duration::ZERO,
        market_trust: Duration::ZERO,
        ..ApplicationSettings::default()
    }
}

fn brisk() -> WorkerSettings {
    WorkerSettings { poll: Duration::from_millis(5), ..WorkerSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_job_delays_no_other_job() {
    let fixture = Fixture::open().await;
    for number in 0..=1_000 {
        fixture.register(number, if number == 7 { "poison" } else { "good" }).await;
    }
    let worker = Worker::start(&fixture.app, brisk());
    fixture.reach(JobState::Done, 1_000).await;
    for failures in 1..10 {
        fixture.failed(failures).await;
        fixture.clock.advance_seconds(86_400);
    }
    fixture.reach(JobState::Dead, 1).await;
    assert!(worker.health()().iter().all(|lane| lane.is_ok));
    worker.stop(PATIENCE).await;
    assert_eq!(fixture.mailer.0.emails().len(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_email_is_not_retried() {
    let fixture = Fixture::open().await;
    fixture.register(1, "nobody").await;
    let worker = Worker::start(&fixture.app, brisk());
    fixture.reach(JobState::Dead, 1).await;
    worker.stop(PATIENCE).await;
    let filter = JobFilter { kind: Some(JobKind::WelcomeMail), state: Some(JobState::Dead) };
    let dead = fixture.store.list_jobs(filter, FIRST).await.unwrap();
    assert_eq!(dead[0].failures, 1);
    assert!(
        dead[0].error.as_deref().is_some_and(|error| error.contains("550 no such user")),
        "{dead:?}"
    );
    assert!(fixture.app.notifications.is_mail_well(), "the mail server is not to blame");
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_fails_only_its_job() {
    let fixture = Fixture::open().await;
    fixture.register(1, "panic").await;
    fixture.register(2, "good").await;
    let worker = Worker::start(&fixture.app, brisk());
    fixture.reach(JobState::Done, 1).await;
    fixture.reach(JobState::Waiting, 1).await;
    worker.stop(PATIENCE).await;
    let filter = JobFilter { kind: None, state: Some(JobState::Waiting) };
    let failed = fixture.store.list_jobs(filter, FIRST).await.unwrap();
    let failed: Vec<_> = failed.iter().filter(|job| job.failures > 0).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].error.as_deref(), Some("the job panicked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_attempt_fails() {
    let fixture = Fixture::open().await;
    fixture.register(1, "endless").await;
    let worker = Worker::start(
        &fixture.app,
        WorkerSettings { timeout: Duration::from_millis(50), ..brisk() },
    );
    fixture.reach(JobState::Waiting, 0).await;
    fixture.reach(JobState::Waiting, 1).await;
    worker.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_worker_releases_unfinished_jobs() {
    let fixture = Fixture::open().await;
    fixture.register(1, "endless").await;
    let worker = Worker::start(&fixture.app, brisk());
    fixture.reach(JobState::Running, 1).await;
    worker.stop(Duration::from_millis(20)).await;
    // Without waiting for the lease to expire.
    assert_eq!(
        (fixture.count(JobState::Running).await, fixture.count(JobState::Waiting).await),
        (0, 1)
    );
}
