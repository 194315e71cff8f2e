//! Jobs: added once, leased by one worker at a time, and finished only by the holder of the latest
//! lease.

use std::collections::BTreeSet;

use foretell_domain::id::{JobId, MarketId, PostId, UserId, WebhookId};
use foretell_domain::job::{JobKind, JobLane, JobState, JobTask};
use foretell_domain::time::Timestamp;
use foretell_ports::job::{Job, JobCount, JobFilter, Lease, LeaseRequest, LeasedJob, NewJob};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, after};
use super::overlap::{Meeting, overlap};

async fn add(fixture: &Fixture, job: NewJob) -> NewJob {
    let added = job.clone();
    assert_eq!(
        fixture.commit(move |tx| tx.add_jobs(std::slice::from_ref(&job))).await,
        1,
        "{added:?}"
    );
    added
}

fn request(now: i64, limit: u32) -> LeaseRequest {
    LeaseRequest { lane: JobLane::Main, now: after(now), until: after(now + 10), limit }
}

async fn lease(fixture: &Fixture, request: LeaseRequest) -> Vec<LeasedJob> {
    fixture.commit(move |tx| Ok(tx.lease_jobs(&request)?.jobs)).await
}

/// Leases the only due job.
async fn take_up(fixture: &Fixture, now: i64) -> LeasedJob {
    let leased = lease(fixture, request(now, 10)).await;
    assert_eq!(leased.len(), 1, "{leased:?}");
    leased[0]
}

fn ids(leased: &[LeasedJob]) -> BTreeSet<JobId> {
    leased.iter().map(|job| job.lease.job).collect()
}

async fn stored(fixture: &Fixture, id: JobId) -> Job {
    fixture.ports.jobs.find_job(id).await.unwrap().expect("the job is stored")
}

/// A job of every kind is returned as added, and waits for its time.
pub async fn jobs_are_returned_as_added(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (market, user) = (MarketId::from_u128(1), UserId::from_u128(2));
    for task in [
        JobTask::CloseMarket(market),
        JobTask::WelcomeMail(user),
        JobTask::DecisionMail { market, user },
        JobTask::Webhook { webhook: WebhookId::from_u128(3), market },
        JobTask::EmbedMarket(market),
        JobTask::EmbedPost(PostId::from_u128(4)),
        JobTask::EmbedAll,
        JobTask::PurgeOutcomes,
        JobTask::PurgeSessions,
        JobTask::PurgeJobs,
    ] {
        let added = add(&fixture, NewJob { run_at: after(7), ..fixture.make.job(task) }).await;
        let expected = Job {
            id: added.id,
            task: Ok(task),
            state: JobState::Waiting,
            failures: 0,
            error: None,
            created_at: added.created_at,
            due_at: Some(after(7)),
            finished_at: None,
        };
        assert_eq!(stored(&fixture, added.id).await, expected);
    }
    assert_eq!(fixture.ports.jobs.find_job(fixture.make.ids().job()).await.unwrap(), None);
}

/// There is one job with each unique name, even after it is done; jobs without a name are
/// independent.
pub async fn named_job_is_added_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let tick = || NewJob {
        once: Some("purge_jobs:17".to_owned()),
        ..fixture.make.job(JobTask::PurgeJobs)
    };
    let both = [
        tick(),
        tick(),
        fixture.make.job(JobTask::PurgeJobs),
        fixture.make.job(JobTask::PurgeJobs),
    ];
    assert_eq!(fixture.commit(move |tx| tx.add_jobs(&both)).await, 3);
    for leased in lease(&fixture, request(0, 10)).await {
        assert!(fixture.commit(move |tx| tx.finish_job(leased.lease, after(1))).await);
    }
    let again = [tick()];
    assert_eq!(fixture.commit(move |tx| tx.add_jobs(&again)).await, 0);
}

/// Jobs are leased when they are due, the longest due first, and only of the requested lane.
pub async fn due_jobs_are_leased_in_order(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut by_time = Vec::new();
    for second in [3, 1, 2, 9] {
        by_time.push(
            add(&fixture, NewJob { run_at: after(second), ..fixture.make.job(JobTask::PurgeJobs) })
                .await
                .id,
        );
    }
    let webhook =
        JobTask::Webhook { webhook: WebhookId::from_u128(3), market: MarketId::from_u128(1) };
    let elsewhere = add(&fixture, fixture.make.job(webhook)).await.id;
    let has_due =
        async |lane, second| fixture.ports.jobs.has_due_job(lane, after(second)).await.unwrap();
    assert!(!has_due(JobLane::Main, 0).await && has_due(JobLane::Main, 1).await);
    assert!(has_due(JobLane::Webhooks, 0).await);
    assert_eq!(
        ids(&lease(&fixture, request(3, 2)).await),
        BTreeSet::from([by_time[1], by_time[2]])
    );
    assert_eq!(ids(&lease(&fixture, request(3, 2)).await), BTreeSet::from([by_time[0]]));
    assert_eq!(lease(&fixture, request(3, 2)).await, []);
    let other_lane = LeaseRequest { lane: JobLane::Webhooks, ..request(3, 2) };
    assert_eq!(ids(&lease(&fixture, other_lane).await), BTreeSet::from([elsewhere]));
}

/// A leased job runs until its lease expires, and has its task.
pub async fn leased_job_runs(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let job = add(&fixture, fixture.make.job(JobTask::PurgeSessions)).await;
    let leased = take_up(&fixture, 5).await;
    let lease = Lease { job: job.id, number: 1 };
    assert_eq!(leased, LeasedJob { lease, task: JobTask::PurgeSessions, failures: 0 });
    let running = stored(&fixture, job.id).await;
    assert_eq!((running.state, running.due_at), (JobState::Running, Some(after(15))));
}

/// A job is finished once, by the holder of its latest lease.
pub async fn job_is_finished_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let job = add(&fixture, fixture.make.job(JobTask::PurgeSessions)).await;
    let lease = take_up(&fixture, 0).await.lease;
    for expected in [true, false] {
        assert_eq!(fixture.commit(move |tx| tx.finish_job(lease, after(4))).await, expected);
    }
    let done = stored(&fixture, job.id).await;
    assert_eq!((done.state, done.due_at, done.finished_at), (JobState::Done, None, Some(after(4))));
    let late = LeaseRequest { now: Timestamp::from_micros(i64::MAX), ..request(0, 10) };
    assert_eq!(self::lease(&fixture, late).await, []);
}

/// An expired lease counts as a failure, and its holder can change nothing more.
pub async fn expired_lease_passes_to_next_worker(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    add(&fixture, fixture.make.job(JobTask::PurgeSessions)).await;
    let first = take_up(&fixture, 0).await.lease;
    assert!(fixture.commit(move |tx| tx.extend_lease(first, after(20))).await);
    assert_eq!(lease(&fixture, request(19, 10)).await, []);
    let second = take_up(&fixture, 20).await;
    assert_eq!((second.lease.number, second.failures), (2, 1));
    let refused = fixture
        .commit(move |tx| {
            Ok([
                tx.extend_lease(first, after(90))?,
                tx.finish_job(first, after(21))?,
                tx.reschedule_job(first, after(21), Some("late"))?,
                tx.dead_letter_job(first, after(21), "late")?,
            ])
        })
        .await;
    assert_eq!(refused, [false; 4]);
    let lease = second.lease;
    assert!(fixture.commit(move |tx| tx.finish_job(lease, after(22))).await);
}

/// A failed job waits for its next attempt with the error; a rescheduled one has not failed.
pub async fn job_is_rescheduled(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let job = add(&fixture, fixture.make.job(JobTask::PurgeSessions)).await;
    for (second, failure, expected) in
        [(0, Some("no answer"), (1, Some("no answer"))), (10, None, (1, Some("no answer")))]
    {
        let lease = take_up(&fixture, second).await.lease;
        assert!(
            fixture.commit(move |tx| tx.reschedule_job(lease, after(second + 10), failure)).await
        );
        let waiting = stored(&fixture, job.id).await;
        assert_eq!((waiting.state, waiting.due_at), (JobState::Waiting, Some(after(second + 10))));
        assert_eq!((waiting.failures, waiting.error.as_deref()), expected);
    }
    assert_eq!(take_up(&fixture, 20).await.failures, 1);
}

/// A dead job keeps its error, is not leased, and can be revived.
pub async fn dead_job_is_revived(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let job = add(&fixture, fixture.make.job(JobTask::PurgeSessions)).await;
    let lease = take_up(&fixture, 0).await.lease;
    assert!(fixture.commit(move |tx| tx.dead_letter_job(lease, after(1), "broken for good")).await);
    let dead = stored(&fixture, job.id).await;
    assert_eq!((dead.state, dead.due_at, dead.finished_at), (JobState::Dead, None, Some(after(1))));
    assert_eq!((dead.failures, dead.error.as_deref()), (1, Some("broken for good")));
    assert_eq!(self::lease(&fixture, request(99, 10)).await, []);
    fixture
        .commit(move |tx| {
            let dead = tx.lock_job(job.id)?.expect("the job is stored");
            tx.revive_job(&dead, after(2))
        })
        .await;
    let revived = stored(&fixture, job.id).await;
    assert_eq!(
        (revived.state, revived.due_at, revived.finished_at),
        (JobState::Waiting, Some(after(2)), None)
    );
    assert_eq!(take_up(&fixture, 2).await.failures, 0);
}

/// A deleted job is absent, and its name is available.
pub async fn deleted_job_is_absent(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let named =
        || NewJob { once: Some("a name".to_owned()), ..fixture.make.job(JobTask::PurgeJobs) };
    let job = add(&fixture, named()).await;
    fixture
        .commit(move |tx| {
            let locked = tx.lock_job(job.id)?.expect("the job is stored");
            tx.delete_job(locked)
        })
        .await;
    assert_eq!(fixture.ports.jobs.find_job(job.id).await.unwrap(), None);
    add(&fixture, named()).await;
}

fn closing(fixture: &Fixture, second: i64) -> NewJob {
    let task = JobTask::CloseMarket(MarketId::from_u128(1));
    NewJob { run_at: after(second), once: task.unique_name(), ..fixture.make.job(task) }
}

/// Schedules the job and returns all jobs.
async fn schedule(fixture: &Fixture, job: NewJob) -> Vec<Job> {
    fixture.commit(move |tx| tx.schedule_job(&job)).await;
    let page = PageRequest { start: PageStart::First, limit: 10 };
    fixture.ports.jobs.list_jobs(JobFilter::default(), page).await.unwrap()
}

/// A scheduled job is added once and moved from then on, in every state, as if it were new.
pub async fn scheduled_job_is_moved(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let first = closing(&fixture, 5);
    let id = first.id;
    let check = |jobs: Vec<Job>, second| {
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        let job = &jobs[0];
        assert_eq!((job.id, job.state, job.due_at), (id, JobState::Waiting, Some(after(second))));
        assert_eq!((job.failures, &job.error, job.finished_at), (0, &None, None));
    };
    check(schedule(&fixture, first).await, 5);
    check(schedule(&fixture, closing(&fixture, 3)).await, 3);
    let lease = take_up(&fixture, 3).await.lease;
    assert!(fixture.commit(move |tx| tx.reschedule_job(lease, after(4), Some("no answer"))).await);
    check(schedule(&fixture, closing(&fixture, 20)).await, 20);
    let lease = take_up(&fixture, 20).await.lease;
    assert!(fixture.commit(move |tx| tx.dead_letter_job(lease, after(21), "broken")).await);
    check(schedule(&fixture, closing(&fixture, 30)).await, 30);
    let lease = take_up(&fixture, 30).await.lease;
    assert!(fixture.commit(move |tx| tx.finish_job(lease, after(31))).await);
    check(schedule(&fixture, closing(&fixture, 40)).await, 40);
    take_up(&fixture, 40).await;
}

/// A job that is moved while a worker runs it waits for its new time, whatever the worker does.
pub async fn running_job_that_moves_is_kept(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    schedule(&fixture, closing(&fixture, 1)).await;
    let lease = take_up(&fixture, 1).await.lease;
    schedule(&fixture, closing(&fixture, 50)).await;
    let refused = fixture
        .commit(move |tx| {
            Ok([
                tx.extend_lease(lease, after(90))?,
                tx.finish_job(lease, after(2))?,
                tx.reschedule_job(lease, after(2), None)?,
                tx.dead_letter_job(lease, after(2), "late")?,
            ])
        })
        .await;
    assert_eq!(refused, [false; 4]);
    assert_eq!(self::lease(&fixture, request(49, 10)).await, []);
    take_up(&fixture, 50).await;
}

/// Two units that schedule the same job leave one of it.
pub async fn concurrent_units_schedule_one_job(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let unit = |job: NewJob| {
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            tx.schedule_job(&job)?;
            meeting.arrive();
            Ok(())
        }
    };
    for result in overlap(&fixture, unit(closing(&fixture, 5)), unit(closing(&fixture, 6))).await {
        result.expect("both units are committed");
    }
    assert_eq!(fixture.ports.jobs.count_jobs(JobFilter::default()).await.unwrap(), 1);
}

/// Jobs are deleted by their names, also a running one, and no other job.
pub async fn named_jobs_are_deleted(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let named =
        |name: &str| NewJob { once: Some(name.to_owned()), ..fixture.make.job(JobTask::PurgeJobs) };
    for job in [named("a"), named("b"), named("c"), fixture.make.job(JobTask::PurgeJobs)] {
        add(&fixture, job).await;
    }
    let leased = lease(&fixture, request(0, 10)).await;
    let gone = ["a", "c", "d"].map(str::to_owned);
    assert_eq!(fixture.commit(move |tx| tx.delete_named_jobs(&gone)).await, 2);
    assert_eq!(fixture.ports.jobs.count_jobs(JobFilter::default()).await.unwrap(), 2);
    let mut finished = 0;
    for job in leased {
        finished += i32::from(fixture.commit(move |tx| tx.finish_job(job.lease, after(1))).await);
    }
    assert_eq!(finished, 2);
    add(&fixture, named("a")).await;
}

/// Finished jobs are deleted after a time, in batches; others stay.
pub async fn old_jobs_are_purged(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let waiting =
        add(&fixture, NewJob { run_at: after(50), ..fixture.make.job(JobTask::PurgeJobs) })
            .await
            .id;
    for second in 1..=4 {
        add(&fixture, fixture.make.job(JobTask::PurgeJobs)).await;
        let lease = take_up(&fixture, 0).await.lease;
        assert!(fixture.commit(move |tx| tx.finish_job(lease, after(second))).await);
    }
    let mut purged = Vec::new();
    for _ in 0..3 {
        purged.push(fixture.commit(|tx| tx.purge_jobs(after(4), 2)).await);
    }
    assert_eq!(purged, [2, 1, 0]);
    assert_eq!(fixture.ports.jobs.count_jobs(JobFilter::default()).await.unwrap(), 2);
    assert_eq!(stored(&fixture, waiting).await.state, JobState::Waiting);
}

/// Jobs are listed newest first, by kind and state, and counted.
pub async fn jobs_are_listed_by_kind_and_state(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut newest_first = Vec::new();
    for task in [JobTask::PurgeJobs, JobTask::PurgeSessions, JobTask::PurgeJobs] {
        newest_first.insert(0, add(&fixture, fixture.make.job(task)).await.id);
    }
    let leased = lease(&fixture, request(0, 10)).await;
    let one = leased.iter().find(|job| job.lease.job == newest_first[0]).expect("it is due").lease;
    assert!(fixture.commit(move |tx| tx.dead_letter_job(one, after(1), "broken")).await);
    for (kind, state, expected) in [
        (None, None, &newest_first[..]),
        (Some(JobKind::PurgeSessions), None, &newest_first[1..2]),
        (None, Some(JobState::Dead), &newest_first[..1]),
        (Some(JobKind::PurgeJobs), Some(JobState::Running), &newest_first[2..]),
        (Some(JobKind::Webhook), None, &[]),
    ] {
        let filter = JobFilter { kind, state };
        let page = PageRequest { start: PageStart::Offset(0), limit: 10 };
        let listed = fixture.ports.jobs.list_jobs(filter, page).await.unwrap();
        assert_eq!(listed.iter().map(|job| job.id).collect::<Vec<_>>(), expected, "{filter:?}");
        let count = fixture.ports.jobs.count_jobs(filter).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.len(), "{filter:?}");
    }
    let page = PageRequest { start: PageStart::After(newest_first[0]), limit: 1 };
    let next = fixture.ports.jobs.list_jobs(JobFilter::default(), page).await.unwrap();
    assert_eq!(next.iter().map(|job| job.id).collect::<Vec<_>>(), newest_first[1..2]);
    let mut counts = fixture.ports.jobs.count_unfinished_jobs().await.unwrap();
    counts.sort_unstable_by_key(|count| (count.kind, count.state));
    let count = |kind, state| JobCount { kind: Some(kind), state, count: 1 };
    let expected = [
        count(JobKind::PurgeSessions, JobState::Running),
        count(JobKind::PurgeJobs, JobState::Running),
        count(JobKind::PurgeJobs, JobState::Dead),
    ];
    assert_eq!(counts, expected);
}

/// Two workers that poll at the same time never lease the same job.
pub async fn concurrent_workers_lease_different_jobs(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for _ in 0..6 {
        add(&fixture, fixture.make.job(JobTask::PurgeJobs)).await;
    }
    let take = |tx: &mut dyn Tx, meeting: &Meeting| {
        let leased = tx.lease_jobs(&request(0, 4))?.jobs;
        meeting.arrive();
        Ok(leased)
    };
    let [first, second] = overlap(&fixture, take, take).await.map(|leased| ids(&leased.unwrap()));
    assert!(first.is_disjoint(&second), "{first:?} {second:?}");
    let rest = ids(&lease(&fixture, request(0, 10)).await);
    assert_eq!(first.len() + second.len() + rest.len(), 6);
}
