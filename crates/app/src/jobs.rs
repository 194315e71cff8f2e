//! `foretell jobs`: lists, retries and discards jobs.

use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use foretell_domain::id::JobId;
use foretell_domain::job::{JobKind, JobState};
use foretell_ports::job::{Job, JobFilter};
use foretell_ports::page::{PageRequest, PageStart};

use crate::cli::{JobsCommand, ListJobs, NamedJob, say};
use crate::config::Settings;
use crate::wiring;

pub(crate) async fn run(settings: &Settings, command: JobsCommand) -> anyhow::Result<ExitCode> {
    let application = wiring::start(settings).await?;
    match command {
        JobsCommand::List(wanted) => {
            let page = PageRequest { start: PageStart::First, limit: wanted.limit };
            for job in application.queries.jobs.list_jobs(filter(&wanted)?, page).await? {
                say(line(&job));
            }
        }
        JobsCommand::Retry(job) => {
            let id = id_of(&job)?;
            application.jobs.retry_job_as_operator(id).await?;
            say(format_args!("{id} is tried at once"));
        }
        JobsCommand::Discard(job) => {
            let id = id_of(&job)?;
            application.jobs.discard_job_as_operator(id).await?;
            say(format_args!("{id} is gone"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(wanted: &ListJobs) -> anyhow::Result<JobFilter> {
    let kind = wanted.kind.as_deref().map(|name| {
        let names = JobKind::ALL.map(JobKind::as_str).join(", ");
        JobKind::from_name(name)
            .ok_or_else(|| anyhow!("there is no kind {name:?}: the kinds are {names}"))
    });
    let state = wanted.state.as_deref().map(|name| {
        let names = JobState::ALL.map(JobState::as_str).join(", ");
        JobState::from_name(name)
            .ok_or_else(|| anyhow!("there is no state {name:?}: the states are {names}"))
    });
    Ok(JobFilter { kind: kind.transpose()?, state: state.transpose()? })
}

fn id_of(job: &NamedJob) -> anyhow::Result<JobId> {
    job.id.parse().with_context(|| format!("{:?} is not the id of a job", job.id))
}

/// Returns a job as a line: its id, kind, state, failures, and the last error.
fn line(job: &Job) -> String {
    // Texts of another version or an error must not control the terminal.
    let plain = |text: &str| text.replace(char::is_control, " ");
    let (kind, state) = (plain(job.kind()), job.state.as_str());
    let error = plain(job.error.as_deref().unwrap_or_default());
    format!("{}  {kind:<15}  {state:<7}  {:>2} failed  {error}", job.id, job.failures)
        .trim_end()
        .to_owned()
}
