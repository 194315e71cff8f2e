//! Jobs: run after the change that requested them, retried as needed, and completed once.

use std::time::Duration;

use foretell_application::writer::Decision;
use foretell_application::{
    AppError, Caller, ExpectedVersion, FailedAttempt, FailedJob, JobFailure,
};
use foretell_domain::error::DomainError;
use foretell_domain::job::{JobError, JobKind, JobLane, JobState, JobTask};
use foretell_domain::market::{MarketEdit, Phase};
use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;
use foretell_ports::job::{Job, JobFilter};
use foretell_ports::mail::{DecisionText, EmailContent};
use foretell_ports::market::{MarketDetails, MarketQueries as _};

use crate::support::{Fixture, settings};

async fn phase(fixture: &Fixture, market: &MarketDetails) -> Phase {
    fixture.memory.find_market(market.market.id()).await.unwrap().unwrap().market.record().phase
}

#[tokio::test]
async fn market_is_closed_at_its_end_date() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let left = market.market.record().ends_at.micros() - fixture.app.now().micros();
    fixture.clock.advance_seconds(left / 1_000_000 - 1);
    assert!(fixture.work().await.is_empty());
    assert_eq!(phase(&fixture, &market).await, Phase::Open);
    fixture.clock.advance_seconds(1);
    assert!(fixture.work().await.is_empty());
    assert_eq!(phase(&fixture, &market).await, Phase::Closed);
}

#[tokio::test]
async fn market_is_closed_at_moved_end_date() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let ends_at = market.market.record().ends_at;
    let edit =
        MarketEdit { name: None, description: None, ends_at: Some(ends_at.plus_seconds(60)) };
    fixture
        .app
        .markets
        .edit_market(&creator, market.market.id(), edit, ExpectedVersion::Any)
        .await
        .unwrap();
    for (second, expected) in [(0, Phase::Open), (59, Phase::Open), (60, Phase::Closed)] {
        let left = ends_at.plus_seconds(second).micros() - fixture.app.now().micros();
        fixture.clock.advance_seconds(left / 1_000_000);
        assert!(fixture.work().await.is_empty());
        assert_eq!(phase(&fixture, &market).await, expected, "{second}");
    }
}

/// Returns the closing jobs, in any state.
async fn closing(fixture: &Fixture) -> Vec<Job> {
    let filter = JobFilter { kind: Some(JobKind::CloseMarket), state: None };
    fixture.app.queries.jobs.list_jobs(filter, all()).await.unwrap()
}

async fn move_end(fixture: &Fixture, creator: &Caller, market: &MarketDetails, ends_at: Timestamp) {
    let edit = MarketEdit { name: None, description: None, ends_at: Some(ends_at) };
    fixture
        .app
        .markets
        .edit_market(creator, market.market.id(), edit, ExpectedVersion::Any)
        .await
        .unwrap();
}

/// Advances the clock to this time.
fn wait_until(fixture: &Fixture, time: Timestamp) {
    fixture.clock.advance_seconds((time.micros() - fixture.app.now().micros()) / 1_000_000);
}

#[tokio::test]
async fn market_with_moved_end_has_one_job() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let ends_at = market.market.record().ends_at;
    let before = closing(&fixture).await;
    for second in 1..=100 {
        move_end(&fixture, &creator, &market, ends_at.plus_seconds(second)).await;
    }
    let after = closing(&fixture).await;
    assert_eq!((before.len(), after.len(), after[0].id), (1, 1, before[0].id));
    assert_eq!(after[0].due_at, Some(ends_at.plus_seconds(100)));
}

#[tokio::test]
async fn deleted_market_leaves_no_closing_job() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let (deleted, kept) =
        (fixture.market(&creator, 5_000).await, fixture.market(&creator, 5_000).await);
    fixture.app.markets.delete_market(&creator, deleted.market.id()).await.unwrap();
    let jobs = closing(&fixture).await;
    let tasks: Vec<_> = jobs.into_iter().map(|job| job.task).collect();
    assert_eq!(tasks, [Ok(JobTask::CloseMarket(kept.market.id()))]);
}

#[tokio::test]
async fn early_retry_of_closing_job_waits() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let ends_at = market.market.record().ends_at;
    fixture.app.jobs.retry_job_as_operator(closing(&fixture).await[0].id).await.unwrap();
    assert!(fixture.work().await.is_empty());
    let jobs = closing(&fixture).await;
    assert_eq!((jobs.len(), jobs[0].state, jobs[0].due_at), (1, JobState::Waiting, Some(ends_at)));
    assert_eq!(phase(&fixture, &market).await, Phase::Open);
    wait_until(&fixture, ends_at);
    assert!(fixture.work().await.is_empty());
    assert_eq!(phase(&fixture, &market).await, Phase::Closed);
}

#[tokio::test]
async fn end_moved_during_job_is_kept() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let (id, ends_at) = (market.market.id(), market.market.record().ends_at);
    // A worker whose clock is ahead leases the job, and the date moves before it closes the market.
    fixture.app.jobs.retry_job_as_operator(closing(&fixture).await[0].id).await.unwrap();
    let leased =
        fixture.app.jobs.lease_jobs(JobLane::Main, 100, Duration::from_mins(1)).await.unwrap().jobs;
    let job = leased.iter().find(|job| job.task == JobTask::CloseMarket(id)).unwrap();
    let later = ends_at.plus_seconds(60);
    move_end(&fixture, &creator, &market, later).await;
    let lost = fixture.app.jobs.run_job(job).await;
    assert!(matches!(lost, Err(JobFailure::Lost)), "{lost:?}");
    let jobs = closing(&fixture).await;
    assert_eq!((jobs.len(), jobs[0].due_at), (1, Some(later)));
    wait_until(&fixture, ends_at);
    fixture.work().await;
    assert_eq!(phase(&fixture, &market).await, Phase::Open);
    wait_until(&fixture, later);
    fixture.work().await;
    assert_eq!(phase(&fixture, &market).await, Phase::Closed);
}

#[tokio::test]
async fn welcome_email_is_sent_once_after_retries() {
    let fixture = Fixture::open().await;
    fixture.mailer.refuse(2);
    let user = fixture.user().await;
    for attempt in 1..=2 {
        let failed = fixture.work().await;
        assert!(
            matches!(failed[..], [(JobFailure::Mail(_), FailedJob::Retried(_))]),
            "{attempt}: {failed:?}"
        );
        assert!(fixture.work().await.is_empty(), "nothing is tried again at once");
        fixture.clock.advance_seconds(20);
    }
    assert!(fixture.work().await.is_empty());
    fixture.clock.advance_seconds(86_400);
    assert!(fixture.work().await.is_empty());
    let emails = fixture.mailer.emails();
    assert_eq!(emails.len(), 1, "{emails:?}");
    assert_eq!((&emails[0].to, &emails[0].content), (&user.user.email, &EmailContent::Welcome));
}

#[tokio::test]
async fn rejected_registration_sends_no_email() {
    let fixture = Fixture::open().await;
    let user = fixture.user().await;
    let mut again = fixture.registration(Role::User);
    again.email = user.user.email.clone();
    let refused = fixture.app.identity.register_user(again).await.map(drop);
    assert!(matches!(refused, Err(AppError::Refused(DomainError::EmailTaken))), "{refused:?}");
    assert!(fixture.work().await.is_empty());
    assert_eq!(fixture.mailer.emails().len(), 1);
}

#[tokio::test]
async fn holders_get_one_email_per_market() {
    let fixture = Fixture::open().await;
    let (creator, ann, ben) = (fixture.user().await, fixture.user().await, fixture.user().await);
    let market = fixture.market(&creator, 5_000).await;
    for (trader, option) in [(&ann, 0), (&ben, 1), (&ann, 1)] {
        fixture.bet(trader, &market, option, 100).await.unwrap();
    }
    let winner = Fixture::option(&market, 0);
    fixture.decide(&creator, &market, Decision::Winner(winner)).await.unwrap().result.unwrap();
    assert!(fixture.work().await.is_empty());
    let mut told = Vec::new();
    for email in fixture.mailer.emails() {
        if let EmailContent::Decision { market: name, decision } = email.content {
            assert_eq!(name, market.texts.name);
            let won = market.texts.options()[0].clone();
            assert_eq!(decision, DecisionText::Resolved(vec![(won, 10_000)]));
            told.push(email.to);
        }
    }
    told.sort();
    let mut expected = vec![ann.user.email, ben.user.email];
    expected.sort();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn failing_job_becomes_dead_without_delaying_others() {
    let fixture = Fixture::open().await;
    fixture.mailer.refuse(u32::MAX);
    fixture.user().await;
    let mut attempts = 0;
    while fixture.jobs(JobState::Dead).await.is_empty() {
        fixture.clock.advance_seconds(86_400);
        attempts += fixture.work().await.len();
        assert!(attempts <= 10, "it is not given up");
    }
    assert_eq!(attempts, 10);
    let dead = fixture.jobs(JobState::Dead).await;
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].kind(), dead[0].failures), ("welcome_mail", 10));
    assert!(
        dead[0].error.as_deref().is_some_and(|error| error.contains("the mail server is away"))
    );

    // An operator has looked, and it is retried.
    fixture.mailer.refuse(0);
    fixture.app.jobs.retry_job_as_operator(dead[0].id).await.unwrap();
    assert!(fixture.work().await.is_empty());
    assert_eq!((fixture.jobs(JobState::Dead).await.len(), fixture.mailer.emails().len()), (0, 1));
}

#[tokio::test]
async fn job_of_crashing_workers_becomes_dead() {
    let fixture = Fixture::open().await;
    fixture.user().await;
    for _ in 0..10 {
        assert_eq!(fixture.take_up(JobLane::Main).await.len(), 1);
        fixture.clock.advance_seconds(61);
    }
    let failed = fixture.work().await;
    assert!(
        matches!(failed[..], [(JobFailure::AttemptsExhausted, FailedJob::DeadLettered)]),
        "{failed:?}"
    );
    assert!(fixture.mailer.emails().is_empty());
}

#[tokio::test]
async fn worker_with_expired_lease_cannot_finish_job() {
    let fixture = Fixture::open().await;
    fixture.user().await;
    let late = fixture.take_up(JobLane::Main).await;
    fixture.clock.advance_seconds(61);
    let second = fixture.take_up(JobLane::Main).await;
    assert!(!fixture.app.jobs.extend_lease(late[0].lease, Duration::from_mins(1)).await.unwrap());
    assert_eq!(
        fixture.app.jobs.fail_job(&late[0], &FailedAttempt::temporary("late")).await.unwrap(),
        FailedJob::Lost
    );
    let lost = fixture.app.jobs.run_job(&late[0]).await;
    assert!(matches!(lost, Err(JobFailure::Lost)), "{lost:?}");
    fixture.app.jobs.run_job(&second[0]).await.unwrap();
}

#[tokio::test]
async fn periodic_jobs_are_added_once_per_period() {
    let fixture = Fixture::open().await;
    let nodes = [fixture.second_node(settings()).await, fixture.second_node(settings()).await];
    let added = async || fixture.jobs(JobState::Waiting).await.len();
    let mut last = [None; 2];
    for (seconds, expected) in [(0, 3), (0, 3), (600, 4)] {
        fixture.clock.advance_seconds(seconds);
        for (node, last) in nodes.iter().zip(&mut last) {
            *last = Some(node.jobs.add_scheduled_jobs(*last).await.unwrap());
        }
        assert_eq!(added().await, expected);
    }
}

#[tokio::test]
async fn admin_retries_or_discards_idle_jobs_only() {
    let fixture = Fixture::open().await;
    let (admin, user) = (fixture.admin().await, fixture.user().await);
    let waiting = fixture.jobs(JobState::Waiting).await;
    let id = waiting[0].id;
    for refused in [
        fixture.app.jobs.retry_job(&user, id).await.map(drop),
        fixture.app.jobs.discard_job(&user, id).await,
        fixture.app.jobs.list_jobs(&user, JobFilter::default(), all()).await.map(drop),
    ] {
        assert!(matches!(refused, Err(AppError::Refused(DomainError::Denied(_)))), "{refused:?}");
    }
    fixture.take_up(JobLane::Main).await;
    let busy =
        |result| matches!(result, Err(AppError::Refused(DomainError::Job(JobError::Busy(_)))));
    assert!(busy(fixture.app.jobs.retry_job(&admin, id).await.map(drop)));
    assert!(busy(fixture.app.jobs.discard_job(&admin, id).await));
    fixture.clock.advance_seconds(61);
    fixture.work().await;
    fixture.app.jobs.discard_job(&admin, id).await.unwrap();
    let gone = fixture.app.jobs.discard_job(&admin, id).await;
    assert!(
        matches!(gone, Err(AppError::Refused(DomainError::Job(JobError::NotFound(_))))),
        "{gone:?}"
    );
}

fn all() -> foretell_ports::page::PageRequest<foretell_domain::id::JobId> {
    foretell_ports::page::PageRequest {
        start: foretell_ports::page::PageStart::Offset(0),
        limit: 10,
    }
}
