//! Findings of the checks.

use foretell_persistence::UnreadableRow;
use serde::Serialize;

/// Result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warning,
    Failed,
}

/// Finding of one check.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) state: State,
    /// The finding.
    pub(super) what: String,
    /// Consequence; `None` if there is no problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<&'static str>,
    /// Fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "mend")]
    pub(super) fix: Option<String>,
    /// The rows that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rows: Vec<RowFinding>,
}

/// An unreadable row.
#[derive(Debug, Serialize)]
pub(super) struct RowFinding {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) id: String,
    pub(super) problem: String,
    /// SQL that repairs it, if possible.
    pub(super) repair: Option<String>,
}

impl From<UnreadableRow> for RowFinding {
    fn from(row: UnreadableRow) -> Self {
        let UnreadableRow { table, column, id, problem, repair } = row;
        Self { table, column, id, problem, repair }
    }
}

impl Finding {
    /// Creates the finding that there is no problem.
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Ok, what: what.into(), why: None, fix: None, rows: Vec::new() }
    }

    /// Creates the finding of a problem.
    pub(super) fn of(
        state: State,
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
        fix: impl Into<String>,
    ) -> Self {
        let (why, fix) = (Some(why), Some(fix.into()));
        Self { check, state, what: what.into(), why, fix, rows: Vec::new() }
    }
}
