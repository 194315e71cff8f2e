//! Checks of services on the network: Redis, the mail server and the trace collector.

use std::time::Duration;

use foretell_cache::RedisProblem;
use foretell_mail::{SmtpMailer, Templates};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use ureq::http::StatusCode;

use super::finding::{Finding, State};
use crate::config::{Settings, Transport};

/// Timeout of other services.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn redis(settings: &Settings) -> Option<Finding> {
    let redis = settings.redis.as_ref()?;
    let why = "all goes on without it, but each node counts and remembers by itself";
    Some(match redis.probe().await {
        Ok(()) => Finding::ok("redis", "it answers, and permits what is needed"),
        Err(RedisProblem::Rejected(cause)) => {
            Finding::of(State::Warning, "redis", cause.to_string(), why, cause.advice())
        }
        Err(problem @ RedisProblem::Away(_)) => {
            let fix = "look at redis.url and at Redis";
            Finding::of(State::Warning, "redis", problem.to_string(), why, fix)
        }
    })
}

pub(super) async fn mail(settings: &Settings) -> Option<Finding> {
    let smtp = match &settings.mail.transport {
        Transport::None => return Some(Finding::ok("mail", "none is sent (mail.transport)")),
        Transport::Outbox { folder, .. } => {
            return Some(Finding::ok("mail", format!("it is kept in {}", folder.display())));
        }
        Transport::Smtp(smtp) => smtp,
    };
    let templates = Templates::load(
        &settings.mail.from,
        &settings.mail.site,
        settings.mail.templates.as_deref(),
    );
    let tried = async {
        let mailer = SmtpMailer::new(smtp, templates.map_err(anyhow::Error::from)?)?;
        mailer.check().await.map_err(anyhow::Error::from)
    };
    let failure = match timeout(TIMEOUT, tried).await {
        Ok(Ok(())) => {
            return Some(Finding::ok("mail", format!("{} answers and lets us in", smtp.host)));
        }
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "it takes too long".to_owned(),
    };
    let why = "emails wait, and are given up after a day";
    let fix = "look at mail.smtp_host, mail.smtp_tls, mail.smtp_user and mail.smtp_password";
    Some(Finding::of(State::Warning, "mail", format!("{}: {failure}", smtp.host), why, fix))
}

/// Sends an empty request to the collector.
pub(super) async fn traces(settings: &Settings) -> Option<Finding> {
    let traces = settings.telemetry.traces.as_ref()?;
    let endpoint = traces.endpoint.as_str();
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT));
    let agent = config.http_status_as_error(false).build().new_agent();
    let request = agent.post(endpoint).header("content-type", "application/x-protobuf");
    let request =
        traces.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    let send = move || anyhow::Ok::<StatusCode>(request.send_empty()?.status());
    let what = match spawn_blocking(send).await.map_err(anyhow::Error::from).flatten() {
        Ok(status) if status.is_success() => {
            return Some(Finding::ok("traces", format!("{endpoint} takes them")));
        }
        Ok(status) => format!("{endpoint} answers {status}"),
        Err(error) => format!("{error:#}"),
    };
    let fix = "look at traces.endpoint and traces.headers, and at the collector";
    Some(Finding::of(State::Warning, "traces", what, "what is not taken is lost", fix))
}
