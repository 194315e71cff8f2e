//! `foretell doctor`: looks over everything that the server depends on, changes nothing, and says of each thing that is
//! wrong what it is, why it matters and what mends it.

mod files;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foretell_cache::RedisProblem;
use foretell_mail::{SmtpMailer, Templates};
use foretell_persistence::{ConnectError, DatabaseUrl, Store, UnreadableRow};
use foretell_ports::error::Chain;
use foretell_ports::ledger::LedgerQueries as _;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::time::timeout;

use crate::cli::say;
use crate::config::{MetricsAccess, Settings, Transport};

/// Less free space than this is a warning, and less than a tenth of it a failure.
const LITTLE_SPACE: u64 = 1 << 30;
/// How far the clocks of this machine and of the database may differ.
const CLOCKS_DIFFER_US: i64 = 2_000_000;
/// The age of the last backup, in seconds, from which on it is a warning: a week.
const OLD_BACKUP_S: u64 = 7 * 24 * 3_600;
/// How long others may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Failed,
}

/// What was found of one thing.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    /// What was found.
    what: String,
    /// Why it matters; nothing if all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
    /// The rows that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rows: Vec<RowFinding>,
}

/// A stored row that cannot be read.
#[derive(Debug, Serialize)]
struct RowFinding {
    table: &'static str,
    column: &'static str,
    id: String,
    problem: String,
    /// The SQL that repairs it, if SQL can.
    repair: Option<String>,
}

impl From<UnreadableRow> for RowFinding {
    fn from(row: UnreadableRow) -> Self {
        let UnreadableRow { table, column, id, problem, repair } = row;
        Self { table, column, id, problem, repair }
    }
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Ok, what: what.into(), why: None, mend: None, rows: Vec::new() }
    }

    fn of(
        state: State,
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
        mend: impl Into<String>,
    ) -> Self {
        let (why, mend) = (Some(why), Some(mend.into()));
        Self { check, state, what: what.into(), why, mend, rows: Vec::new() }
    }
}

/// Prints all findings; fails if anything has failed.
pub(crate) async fn run(settings: &Settings, json: bool) -> anyhow::Result<ExitCode> {
    let mut findings = vec![Finding::ok("configuration", "every setting is valid")];
    // Before the database is opened: its logs are there then only if they stay, and the command can name them.
    let files = files::files(settings);
    database(settings, &mut findings).await;
    findings.extend(disk(settings));
    findings.extend(backups(settings));
    findings.push(files);
    findings.extend(redis(settings).await);
    findings.extend(mail(settings).await);
    findings.extend(traces(settings).await);
    findings.extend(network(settings));
    let has_failed = findings.iter().any(|finding| finding.state == State::Failed);
    if json {
        say(serde_json::to_string_pretty(&findings)?);
    } else {
        findings.iter().for_each(show);
    }
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(finding: &Finding) {
    let state = match finding.state {
        State::Ok => "ok",
        State::Warning => "WARNING",
        State::Failed => "FAILED",
    };
    say(format_args!("{state:<8} {:<14} {}", finding.check, finding.what));
    if let Some(why) = finding.why {
        say(format_args!("{:23} why:  {why}", ""));
    }
    if let Some(mend) = &finding.mend {
        say(format_args!("{:23} mend: {mend}", ""));
    }
    for RowFinding { table, column, id, problem, repair } in &finding.rows {
        say(format_args!("{:23} {table}.{column} of row {id}: {problem}", ""));
        let repair = repair.as_deref().unwrap_or("only a backup has its value");
        say(format_args!("{:25} {repair}", ""));
    }
}

async fn database(settings: &Settings, findings: &mut Vec<Finding>) {
    let url = &settings.database.url;
    if let DatabaseUrl::Sqlite(file) = url
        && !file.exists()
    {
        let what = format!("there is no database at {} yet", file.display());
        findings.push(Finding::of(
            State::Warning,
            "database",
            what,
            "nothing was ever stored here",
            "foretell serve",
        ));
        return;
    }
    let store = match Store::connect(&settings.database).await {
        Ok(store) => store,
        Err(error @ ConnectError::Encoding { .. }) => {
            let why = "names and texts in other scripts cannot be stored or are garbled";
            let mend = "move to a database with the encoding UTF-8, as described above";
            findings.push(Finding::of(State::Failed, "database", format!("{url}: {error}"), why, mend));
            return;
        }
        Err(error) => {
            let what = format!("{url} cannot be reached: {:#}", anyhow::Error::from(error));
            let mend = "look at the database and its log; foretell config dump shows which one it is";
            findings.push(Finding::of(State::Failed, "database", what, "nothing works without it", mend));
            return;
        }
    };
    findings.push(Finding::ok("database", format!("{url} answers")));
    let is_current = migrations(&store, findings).await;
    condition(&store, findings).await;
    if is_current {
        findings.push(ledger(&store).await);
        findings.push(rows(&store).await);
    }
}

async fn migrations(store: &Store, findings: &mut Vec<Finding>) -> bool {
    let finding = match store.migration_status().await {
        Ok(status) if !status.unknown.is_empty() => Finding::of(
            State::Failed,
            "migrations",
            format!("the database was changed by a newer program: {}", status.unknown.join(", ")),
            "this program does not know its tables",
            "run the newer program, or restore a backup from before: foretell backup restore FILE",
        ),
        Ok(status) if !status.pending.is_empty() => Finding::of(
            State::Warning,
            "migrations",
            format!("the tables lack {} changes", status.pending.len()),
            "the server makes them when it starts",
            "foretell migrate",
        ),
        Ok(status) => Finding::ok("migrations", format!("all {} are there", status.applied.len())),
        Err(error) => Finding::of(
            State::Failed,
            "migrations",
            format!("cannot be read: {error}"),
            "what the tables are like is not known",
            "look at the database and its log",
        ),
    };
    let is_current = finding.state == State::Ok;
    findings.push(finding);
    is_current
}

async fn condition(store: &Store, findings: &mut Vec<Finding>) {
    let condition = match store.condition().await {
        Ok(condition) => condition,
        Err(error) => {
            let why = "whether what was acknowledged survives a crash is not known";
            let mend = "look at the database and its log";
            findings.push(Finding::of(State::Failed, "durability", error.to_string(), why, mend));
            return;
        }
    };
    for setting in &condition.durability {
        let what = format!("{} is {}", setting.name, setting.value);
        findings.push(if setting.is_safe {
            Finding::ok("durability", what)
        } else {
            let why = "what was acknowledged may be lost, or the database damaged, when the machine stops";
            Finding::of(
                State::Failed,
                "durability",
                what,
                why,
                format!("ALTER SYSTEM SET {} = on", setting.name),
            )
        });
    }
    if let Some(clock_us) = condition.clock_us {
        let own = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let difference = i64::try_from(own).unwrap_or(i64::MAX) - clock_us;
        let what = format!("this machine's differs from the database's by {} ms", difference / 1_000);
        findings.push(if difference.abs() < CLOCKS_DIFFER_US {
            Finding::ok("clock", what)
        } else {
            let why = "markets close and sessions end by the clock of each machine";
            Finding::of(
                State::Warning,
                "clock",
                what,
                why,
                "set both by NTP, such as systemd-timesyncd or chrony",
            )
        });
    }
}

async fn ledger(store: &Store) -> Finding {
    match store.audit().await {
        Ok(report) if report.is_sound() => {
            Finding::ok("ledger", format!("{} transfers add up", report.transfers))
        }
        Ok(_) => Finding::of(
            State::Failed,
            "ledger",
            "it is not sound",
            "money came from nowhere, or went there",
            "stop the server, keep a copy of the database, and see foretell ledger audit",
        ),
        Err(error) => Finding::of(
            State::Failed,
            "ledger",
            format!("cannot be audited: {error}"),
            "whether money is where it should be is not known",
            "look at the database and its log",
        ),
    }
}

/// Reads every row of every table.
async fn rows(store: &Store) -> Finding {
    let inspection = match store.inspect().await {
        Ok(inspection) => inspection,
        Err(error) => {
            let why = "whether every row can be read is not known";
            let what = format!("cannot be read: {}", Chain(&error));
            return Finding::of(State::Failed, "rows", what, why, "look at the database and its log");
        }
    };
    if inspection.total == 0 {
        return Finding::ok("rows", format!("all {} can be read", inspection.read));
    }
    let what = format!("{} of {} cannot be read", inspection.total, inspection.read);
    let why = "lists leave them out, and requests for one of them fail";
    let mend = "make a backup, run the SQL below, and run foretell doctor again until nothing is listed";
    let rows = inspection.rows.into_iter().map(RowFinding::from).collect();
    Finding { rows, ..Finding::of(State::Failed, "rows", what, why, mend) }
}

fn disk(settings: &Settings) -> Option<Finding> {
    let DatabaseUrl::Sqlite(file) = &settings.database.url else { return None };
    let folder = file.parent().filter(|folder| folder.exists())?;
    let space = rustix::fs::statvfs(folder).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let what = format!("{} MiB are free at {}", free >> 20, folder.display());
    let finding = |state| {
        let why = "without space nothing can be stored; reading goes on";
        Finding::of(state, "disk", what.clone(), why, "make room, or move data.dir to another disk")
    };
    Some(match free {
        free if free < LITTLE_SPACE / 10 => finding(State::Failed),
        free if free < LITTLE_SPACE => finding(State::Warning),
        _ => Finding::ok("disk", what),
    })
}

fn backups(settings: &Settings) -> Option<Finding> {
    let DatabaseUrl::Sqlite(file) = &settings.database.url else { return None };
    if !file.exists() {
        return None;
    }
    let ages = std::fs::read_dir(&settings.backups).into_iter().flatten().filter_map(|entry| {
        let entry =
            entry.ok().filter(|entry| entry.path().extension().is_some_and(|ending| ending == "db"))?;
        entry.metadata().ok()?.modified().ok()?.elapsed().ok()
    });
    let what = match ages.min() {
        Some(age) if age.as_secs() < OLD_BACKUP_S => {
            return Some(Finding::ok(
                "backup",
                format!("the last one is {} hours old", age.as_secs() / 3_600),
            ));
        }
        Some(age) => format!("the last one is {} days old", age.as_secs() / 86_400),
        None => format!("there is none in {}", settings.backups.display()),
    };
    let why = "what happened since is lost with the disk, unless it is kept elsewhere";
    Some(Finding::of(State::Warning, "backup", what, why, "foretell backup create"))
}

async fn redis(settings: &Settings) -> Option<Finding> {
    let redis = settings.redis.as_ref()?;
    let why = "all goes on without it, but each node counts and remembers by itself";
    Some(match redis.probe().await {
        Ok(()) => Finding::ok("redis", "it answers, and permits what is needed"),
        Err(RedisProblem::Rejected(cause)) => {
            Finding::of(State::Warning, "redis", cause.to_string(), why, cause.advice())
        }
        Err(problem @ RedisProblem::Away(_)) => {
            let mend = "look at redis.url and at Redis";
            Finding::of(State::Warning, "redis", problem.to_string(), why, mend)
        }
    })
}

async fn mail(settings: &Settings) -> Option<Finding> {
    let smtp = match &settings.mail.transport {
        Transport::None => return Some(Finding::ok("mail", "none is sent (mail.transport)")),
        Transport::Outbox { folder, .. } => {
            return Some(Finding::ok("mail", format!("it is kept in {}", folder.display())));
        }
        Transport::Smtp(smtp) => smtp,
    };
    let templates =
        Templates::load(&settings.mail.from, &settings.mail.site, settings.mail.templates.as_deref());
    let tried = async {
        let mailer = SmtpMailer::new(smtp, templates.map_err(anyhow::Error::from)?)?;
        mailer.check().await.map_err(anyhow::Error::from)
    };
    let failure = match timeout(PATIENCE, tried).await {
        Ok(Ok(())) => return Some(Finding::ok("mail", format!("{} answers and lets us in", smtp.host))),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "it takes too long".to_owned(),
    };
    let why = "letters wait, and are given up after a day";
    let mend = "look at mail.smtp_host, mail.smtp_tls, mail.smtp_user and mail.smtp_password";
    Some(Finding::of(State::Warning, "mail", format!("{}: {failure}", smtp.host), why, mend))
}

/// Asks the collector to take nothing at all.
async fn traces(settings: &Settings) -> Option<Finding> {
    let traces = settings.telemetry.traces.as_ref()?;
    let endpoint = traces.endpoint.as_str();
    let asked = reqwest::Client::new().post(endpoint).header(CONTENT_TYPE, "application/x-protobuf");
    let asked = traces.headers.iter().fold(asked, |asked, (name, value)| asked.header(name, value));
    let what = match timeout(PATIENCE, asked.send()).await {
        Ok(Ok(answer)) if answer.status().is_success() => {
            return Some(Finding::ok("traces", format!("{endpoint} takes them")));
        }
        Ok(Ok(answer)) => format!("{endpoint} answers {}", answer.status()),
        Ok(Err(error)) => format!("{:#}", anyhow::Error::from(error)),
        Err(_) => format!("{endpoint} takes too long"),
    };
    let mend = "look at traces.endpoint and traces.headers, and at the collector";
    Some(Finding::of(State::Warning, "traces", what, "what is not taken is lost", mend))
}

fn network(settings: &Settings) -> Vec<Finding> {
    let bind = settings.server.bind;
    let mut findings = Vec::new();
    if settings.auth.secure_cookies && settings.server.trusted_proxies.is_empty() {
        let what = "cookies are for HTTPS, and no proxy is trusted";
        let why = "everyone who comes through the proxy that ends TLS shares the limits of its one address";
        let mend = "name it in server.trusted_proxies";
        findings.push(Finding::of(State::Warning, "proxies", what, why, mend));
    } else if !settings.auth.secure_cookies && !bind.ip().is_loopback() {
        let what = format!("{bind} can be reached from elsewhere without HTTPS");
        let why = "passwords and tokens can be read on the way";
        let mend = "FORETELL_ENV=production behind a proxy with TLS, or server.bind on 127.0.0.1";
        findings.push(Finding::of(State::Warning, "proxies", what, why, mend));
    } else {
        findings.push(Finding::ok("proxies", format!("requests are taken at {bind}")));
    }
    if matches!(settings.metrics, MetricsAccess::Open) && !bind.ip().is_loopback() {
        let why = "they tell how much is traded";
        let mend = "set metrics.open to false, and metrics.token";
        findings.push(Finding::of(State::Warning, "metrics", "anyone may read them", why, mend));
    }
    findings
}
