//! `foretell doctor`: checks everything that the server depends on, without changing it, and
//! reports each problem with its reason and a fix.

mod database;
mod files;
mod finding;
mod services;
mod storage;

use std::process::ExitCode;

use self::finding::{Finding, RowFinding, State};
use crate::cli::say;
use crate::config::{MetricsAccess, Settings};

/// Prints all findings; fails if any check has failed.
pub(crate) async fn run(settings: &Settings, json: bool) -> anyhow::Result<ExitCode> {
    let mut findings = vec![Finding::ok("configuration", "every setting is valid")];
    // Before the database is opened: then its log files are permanent, and the repair command can
    // name them.
    let files = files::files(settings);
    database::check(settings, &mut findings).await;
    findings.extend(storage::disk(settings));
    findings.extend(storage::backups(settings));
    findings.push(files);
    findings.extend(services::redis(settings).await);
    findings.extend(services::mail(settings).await);
    findings.extend(services::traces(settings).await);
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
    if let Some(fix) = &finding.fix {
        say(format_args!("{:23} fix: {fix}", ""));
    }
    for RowFinding { table, column, id, problem, repair } in &finding.rows {
        say(format_args!("{:23} {table}.{column} of row {id}: {problem}", ""));
        let repair = repair.as_deref().unwrap_or("only a backup has its value");
        say(format_args!("{:25} {repair}", ""));
    }
}

fn network(settings: &Settings) -> Vec<Finding> {
    let bind = settings.server.bind;
    let mut findings = Vec::new();
    if settings.auth.secure_cookies && settings.server.trusted_proxies.is_empty() {
        let what = "cookies are for HTTPS, and no proxy is trusted";
        let why = "everyone who comes through the proxy that ends TLS shares the limits of its \
            one address";
        let fix = "name it in server.trusted_proxies";
        findings.push(Finding::of(State::Warning, "proxies", what, why, fix));
    } else if !settings.auth.secure_cookies && !bind.ip().is_loopback() {
        let what = format!("{bind} can be reached from elsewhere without HTTPS");
        let why = "passwords and tokens can be read on the way";
        let fix = "FORETELL_ENV=production behind a proxy with TLS, or server.bind on 127.0.0.1";
        findings.push(Finding::of(State::Warning, "proxies", what, why, fix));
    } else {
        findings.push(Finding::ok("proxies", format!("requests are taken at {bind}")));
    }
    if matches!(settings.metrics, MetricsAccess::Open) && !bind.ip().is_loopback() {
        let why = "they tell how much is traded";
        let fix = "set metrics.open to false, and metrics.token";
        findings.push(Finding::of(State::Warning, "metrics", "anyone may read them", why, fix));
    }
    findings
}
