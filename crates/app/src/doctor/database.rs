//! Checks of the database: schema, durability, clock, ledger, unreadable rows and search index.

use std::time::{SystemTime, UNIX_EPOCH};

use foretell_persistence::{ConnectError, DatabaseUrl, Store};
use foretell_ports::error::Chain;
use foretell_ports::ledger::LedgerQueries as _;

use super::finding::{Finding, RowFinding, State};
use crate::config::Settings;

/// Maximum difference of the clocks of this machine and of the database.
const CLOCKS_DIFFER_US: i64 = 2_000_000;

/// Checks the database and the stored data.
pub(super) async fn check(settings: &Settings, findings: &mut Vec<Finding>) {
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
            let fix = "move to a database with the encoding UTF-8, as described above";
            findings.push(Finding::of(
                State::Failed,
                "database",
                format!("{url}: {error}"),
                why,
                fix,
            ));
            return;
        }
        Err(error) => {
            let what = format!("{url} cannot be reached: {:#}", anyhow::Error::from(error));
            let fix =
                "look at the database and its log; foretell config dump shows which one it is";
            findings.push(Finding::of(
                State::Failed,
                "database",
                what,
                "nothing works without it",
                fix,
            ));
            return;
        }
    };
    findings.push(Finding::ok("database", format!("{url} answers")));
    let is_current = migrations(&store, findings).await;
    condition(&store, findings).await;
    if is_current {
        findings.push(ledger(&store).await);
        findings.push(rows(&store).await);
        findings.push(search_index(&store).await);
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
            let fix = "look at the database and its log";
            findings.push(Finding::of(State::Failed, "durability", error.to_string(), why, fix));
            return;
        }
    };
    for setting in &condition.durability {
        let what = format!("{} is {}", setting.name, setting.value);
        findings.push(if setting.is_safe {
            Finding::ok("durability", what)
        } else {
            let why = "what was acknowledged may be lost, or the database damaged, when the \
                machine stops";
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
        let what =
            format!("this machine's differs from the database's by {} ms", difference / 1_000);
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
            return Finding::of(
                State::Failed,
                "rows",
                what,
                why,
                "look at the database and its log",
            );
        }
    };
    if inspection.total == 0 {
        return Finding::ok("rows", format!("all {} can be read", inspection.read));
    }
    let what = format!("{} of {} cannot be read", inspection.total, inspection.read);
    let why = "lists leave them out, and requests for one of them fail";
    let fix =
        "make a backup, run the SQL below, and run foretell doctor again until nothing is listed";
    let rows = inspection.rows.into_iter().map(RowFinding::from).collect();
    Finding { rows, ..Finding::of(State::Failed, "rows", what, why, fix) }
}

/// Checks that searches find all markets and posts.
async fn search_index(store: &Store) -> Finding {
    const CHECK: &str = "search";
    const REINDEX: &str = "foretell search reindex";
    let status = match store.search_index_status().await {
        Ok(status) => status,
        Err(error) => {
            let what = format!("the index cannot be read: {}", Chain(&error));
            let why = "searches may fail";
            return Finding::of(
                State::Failed,
                CHECK,
                what,
                why,
                "look at the database and its log",
            );
        }
    };
    if !status.broken_tables.is_empty() {
        let what = format!("tables are missing or broken: {}", status.broken_tables.join(", "));
        let why = "searches in them find nothing until a server has rebuilt them";
        return Finding::of(State::Failed, CHECK, what, why, REINDEX);
    }
    if !status.is_current {
        let what = "the index is not built yet, or has another language or version";
        let why = "searches find little until a server has rebuilt it";
        return Finding::of(State::Warning, CHECK, what, why, REINDEX);
    }
    if status.missing_texts > 0 {
        let what = format!("{} markets and posts are not indexed", status.missing_texts);
        let why = "searches do not find them";
        return Finding::of(State::Warning, CHECK, what, why, REINDEX);
    }
    if !status.missing_indexes.is_empty() {
        let (names, create): (Vec<_>, Vec<_>) = status
            .missing_indexes
            .into_iter()
            .map(|index| (index.name, index.create + ";"))
            .unzip();
        let what = format!("indexes are missing: {}", names.join(", "));
        let why = "searches read all texts, which takes long";
        return Finding::of(State::Warning, CHECK, what, why, create.join(" "));
    }
    Finding::ok(CHECK, "all markets and posts are indexed")
}
