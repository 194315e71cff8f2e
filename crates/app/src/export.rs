//! `foretell export`: exports markets, bets, transfers, or all data of a user, row by row.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use foretell_application::{Export, ExportRow};
use foretell_web::ExportViews;
use serde::Serialize;
use serde_json::Value;

use crate::cli::{ExportArguments, ExportFormat, Exported};
use crate::config::Settings;
use crate::wiring;

/// Columns of markets: fields of the API, with a point before nested fields, and lists as JSON.
const MARKETS: &[&str] = &[
    "id",
    "name",
    "description",
    "category",
    "status",
    "creatorId",
    "subsidy",
    "feeBps",
    "volume",
    "betCount",
    "revision",
    "options",
    "endDate",
    "version",
    "createdAt",
    "updatedAt",
];
const BETS: &[&str] = &[
    "id",
    "marketId",
    "sequence",
    "userId",
    "accountId",
    "optionId",
    "side",
    "amount",
    "fee",
    "shares",
    "averagePrice",
    "priceBefore",
    "priceAfter",
    "pricesBefore",
    "pricesAfter",
    "transferId",
    "marketVersion",
    "createdAt",
];
const TRANSFERS: &[&str] = &[
    "id",
    "kind",
    "status",
    "amount",
    "currency",
    "from.accountId",
    "from.balance",
    "to.accountId",
    "to.balance",
    "memo",
    "marketId",
    "reversalOf",
    "createdAt",
];

pub(crate) async fn run(
    settings: &Settings,
    arguments: &ExportArguments,
) -> anyhow::Result<ExitCode> {
    let (export, columns) = match (arguments.what, &arguments.user) {
        (Exported::Markets, None) => (Export::Markets, Some(MARKETS)),
        (Exported::Bets, None) => (Export::Bets, Some(BETS)),
        (Exported::Transfers, None) => (Export::Transfers, Some(TRANSFERS)),
        (Exported::User, Some(id)) => {
            let id = id.parse().with_context(|| format!("{id:?} is not the id of a user"))?;
            (Export::User(id), None)
        }
        (_, Some(_)) => bail!("only an export of a user's data takes an id"),
        (Exported::User, None) => bail!("an export of a user's data requires the id of the user"),
    };
    let layout = match (arguments.format, columns) {
        (ExportFormat::Jsonl, columns) => Layout::Lines { has_kinds: columns.is_none() },
        (ExportFormat::Csv, Some(columns)) => Layout::Columns(columns),
        (ExportFormat::Csv, None) => {
            bail!("a user's data has several kinds of rows: export it as JSON lines")
        }
    };
    let application = wiring::start(settings).await?;
    let out: Box<dyn Write + Send> = match &arguments.to {
        Some(path) => Box::new(File::create_new(path).with_context(|| path.display().to_string())?),
        None => Box::new(io::stdout()),
    };
    let views = ExportViews { currency: &application.settings().currency, now: application.now() };
    let mut rows = RowWriter::begin(out, layout)?;
    application.operations.export(export, &mut |row| rows.write(views, row)).await?;
    rows.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// Format of rows.
#[derive(Clone, Copy)]
enum Layout {
    /// One object per line; inside another one with its kind, if there are several.
    Lines { has_kinds: bool },
    /// Values separated by commas, below the names of these columns.
    Columns(&'static [&'static str]),
}

/// A row among rows of other kinds.
#[derive(Serialize)]
struct Line {
    kind: &'static str,
    data: Value,
}

/// The output file.
enum RowWriter<W: Write> {
    Jsonl { out: BufWriter<W>, has_kinds: bool },
    Csv { out: Box<csv::Writer<W>>, columns: &'static [&'static str] },
}

impl<W: Write> RowWriter<W> {
    fn begin(out: W, layout: Layout) -> io::Result<Self> {
        Ok(match layout {
            Layout::Lines { has_kinds } => Self::Jsonl { out: BufWriter::new(out), has_kinds },
            Layout::Columns(columns) => {
                let mut out = csv::Writer::from_writer(out);
                out.write_record(columns)?;
                Self::Csv { out: Box::new(out), columns }
            }
        })
    }

    fn write(&mut self, views: ExportViews<'_>, row: ExportRow<'_>) -> io::Result<()> {
        let (kind, data) = views.show(row)?;
        match self {
            Self::Jsonl { out, has_kinds } => {
                if *has_kinds {
                    serde_json::to_writer(&mut *out, &Line { kind, data })?;
                } else {
                    serde_json::to_writer(&mut *out, &data)?;
                }
                writeln!(out)
            }
            Self::Csv { out, columns } => {
                Ok(out.write_record(columns.iter().map(|column| cell(&data, column)))?)
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Jsonl { mut out, .. } => out.flush(),
            Self::Csv { mut out, .. } => out.flush(),
        }
    }
}

/// Returns the text of a cell; empty if there is no value.
fn cell(data: &Value, column: &str) -> String {
    let found = column.split('.').try_fold(data, |value, field| value.get(field));
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => tamed(text),
        Some(other) => other.to_string(),
    }
}

/// Protects a text from being evaluated as a formula by spreadsheets: one that starts like a
/// formula, and is not a number, gets an apostrophe.
fn tamed(text: &str) -> String {
    let is_formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn formula_is_exported_as_text() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+x", "'+x"),
            ("-12.50", "-12.50"),
            ("Will it rain?", "Will it rain?"),
            ("", ""),
        ] {
            assert_eq!(tamed(text), expected);
        }
    }

    #[test]
    fn cells_are_read_from_nested_objects() {
        let row = json!({
            "id": "a", "from": { "balance": "-1.00" }, "memo": null, "options": [1, 2], "n": 3,
        });
        for (column, expected) in [
            ("id", "a"),
            ("from.balance", "-1.00"),
            ("memo", ""),
            ("gone.at", ""),
            ("options", "[1,2]"),
            ("n", "3"),
        ] {
            assert_eq!(cell(&row, column), expected, "{column}");
        }
    }
}
