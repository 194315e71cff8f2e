//! Settings of background work: jobs, emails, webhooks, semantic search; and access to metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use foretell_application::{RetryPolicies, RetryPolicy};
use foretell_domain::job::JobKind;
use foretell_jobs::WorkerSettings;
use foretell_mail::{SmtpSettings, Templates, TlsMode};
use foretell_webhooks::SenderSettings;
use secrecy::SecretString;

use super::reader::Reader;

/// Emails to users.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// Transport.
    pub(crate) transport: Transport,
    /// Sender address.
    pub(crate) from: String,
    /// Name of the server in emails.
    pub(crate) site: String,
    /// Folder of the operator's own templates, if any.
    pub(crate) templates: Option<PathBuf>,
}

/// Transport of emails.
#[derive(Debug, Clone)]
pub(crate) enum Transport {
    /// No emails.
    None,
    /// Files.
    Outbox {
        /// Folder.
        folder: PathBuf,
        /// Retention; `None` means forever.
        keep: Option<Duration>,
    },
    /// Mail server.
    Smtp(SmtpSettings),
}

/// Access to metrics.
#[derive(Debug, Clone)]
pub(crate) enum MetricsAccess {
    /// Anyone.
    Open,
    /// Clients with this token.
    Token(SecretString),
    /// Disabled.
    None,
}

pub(super) fn read_metrics(reader: &mut Reader) -> Option<MetricsAccess> {
    let open = reader.flag("metrics.open");
    let token = reader.parsed_secret("metrics.token", |text| match text {
        long if long.len() > 200 => Err("must have at most 200 characters".to_owned()),
        text => Ok((!text.is_empty()).then(|| SecretString::from(text))),
    });
    Some(match (open?, token?) {
        (true, _) => MetricsAccess::Open,
        (false, Some(token)) => MetricsAccess::Token(token),
        (false, None) => MetricsAccess::None,
    })
}

/// Embedding model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Model {
    /// No model: semantic search is disabled.
    None,
    /// The built-in model.
    Standard,
    /// A model in a folder.
    Folder(PathBuf),
}

/// Semantic search.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    /// Embedding model.
    pub(crate) model: Model,
    /// Minimum cosine similarity of a match.
    pub(crate) least_similarity: f64,
}

pub(super) fn read_search(reader: &mut Reader) -> Option<Search> {
    let model = reader.parsed("search.model", |text| match text {
        "" => Err("must be \"standard\", \"none\" or a folder".to_owned()),
        "none" => Ok(Model::None),
        "standard" => Ok(Model::Standard),
        folder => Ok(Model::Folder(PathBuf::from(folder))),
    });
    let hundredths: Option<u8> = reader.number("search.least_similarity", 0..=100);
    Some(Search { model: model?, least_similarity: f64::from(hundredths?) / 100.0 })
}

pub(super) fn read_jobs(reader: &mut Reader) -> Option<WorkerSettings> {
    let concurrency = reader.number("jobs.concurrency", 1..=256);
    let poll_ms = reader.number("jobs.poll_ms", 10..=60_000);
    let lease_s = reader.number("jobs.lease_s", 1..=3_600);
    let timeout_s = reader.number("jobs.timeout_s", 1..=86_400);
    Some(WorkerSettings {
        concurrency: concurrency?,
        poll: Duration::from_millis(poll_ms?),
        lease: Duration::from_secs(lease_s?),
        timeout: Duration::from_secs(timeout_s?),
    })
}

/// Reads the retry policies of each kind of job.
pub(super) fn read_retries(reader: &mut Reader) -> Option<RetryPolicies> {
    let give_up_hours: Option<u64> = reader.number("jobs.email_give_up_hours", 0..=720);
    let mut policies = BTreeMap::new();
    for kind in JobKind::ALL {
        let key = |name: &str| format!("jobs.{}.{name}", kind.as_str());
        let attempts = reader.number(&key("attempts"), 1..=100);
        let first_delay_s = reader.number(&key("first_delay_s"), 1..=86_400);
        let factor = reader.number(&key("factor"), 1..=10);
        let is_email = matches!(kind, JobKind::WelcomeMail | JobKind::DecisionMail);
        let slow_until =
            give_up_hours.filter(|hours| is_email && *hours > 0).map(Duration::from_hours);
        if let (Some(attempts), Some(first_delay_s), Some(factor)) =
            (attempts, first_delay_s, factor)
        {
            let first_delay = Duration::from_secs(first_delay_s);
            policies.insert(kind, RetryPolicy { attempts, first_delay, factor, slow_until });
        }
    }
    (give_up_hours.is_some() && policies.len() == JobKind::ALL.len())
        .then(|| policies.into_iter().collect())
}

/// Value of the setting that selects the transport.
#[derive(Clone, Copy)]
enum Kind {
    None,
    Outbox,
    Smtp,
}

pub(super) fn read_mail(reader: &mut Reader, data_dir: Option<PathBuf>) -> Option<Mail> {
    let kind = reader.parsed("mail.transport", |text| match text {
        "none" => Ok(Kind::None),
        "outbox" => Ok(Kind::Outbox),
        "smtp" => Ok(Kind::Smtp),
        _ => Err("must be \"none\", \"outbox\" or \"smtp\"".to_owned()),
    });
    let from = reader.parsed("mail.from", |text| match Templates::load(text, "", None) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    });
    let site = reader.parsed("mail.site", |text| Ok(text.to_owned()));
    let templates = reader.parsed("mail.templates", |text| Ok(text.to_owned()));
    let keep_days = reader.number::<u64>("mail.outbox_keep_days", 0..=3_650);
    let smtp = read_smtp(reader, kind);
    let transport = match kind? {
        Kind::None => Transport::None,
        Kind::Outbox => {
            let keep = keep_days.map(|days| Duration::from_hours(24 * days))?;
            Transport::Outbox {
                folder: data_dir?.join("outbox"),
                keep: (!keep.is_zero()).then_some(keep),
            }
        }
        Kind::Smtp => Transport::Smtp(smtp?),
    };
    let templates = Some(PathBuf::from(templates?)).filter(|folder| !folder.as_os_str().is_empty());
    Some(Mail { transport, from: from?, site: site?, templates })
}

fn read_smtp(reader: &mut Reader, kind: Option<Kind>) -> Option<SmtpSettings> {
    let is_needed = matches!(kind, Some(Kind::Smtp));
    let host = reader.parsed("mail.smtp_host", |text| match text {
        "" if is_needed => Err("must be the name of the mail server".to_owned()),
        _ => Ok(text.to_owned()),
    });
    let port = reader.number("mail.smtp_port", 1..=65_535);
    let tls = reader.parsed("mail.smtp_tls", |text| match text {
        "none" => Ok(TlsMode::None),
        "starttls" => Ok(TlsMode::StartTls),
        "tls" => Ok(TlsMode::Tls),
        _ => Err("must be \"none\", \"starttls\" or \"tls\"".to_owned()),
    });
    let user = reader.parsed("mail.smtp_user", |text| Ok(text.to_owned()));
    let password = reader.parsed_secret("mail.smtp_password", |text| Ok(SecretString::from(text)));
    let credentials = Some((user?, password?)).filter(|(user, _)| !user.is_empty());
    Some(SmtpSettings { host: host?, port: port?, tls: tls?, credentials })
}

pub(super) fn read_webhooks(reader: &mut Reader) -> Option<SenderSettings> {
    let allow_private = reader.flag("webhooks.allow_private");
    let timeout_s = reader.number("webhooks.timeout_s", 1..=60);
    Some(SenderSettings { allow_private: allow_private?, timeout: Duration::from_secs(timeout_s?) })
}
