//! `foretell ledger`: audits the ledger.

use std::process::ExitCode;

use foretell_ports::ledger::{AuditFinding, AuditReport};
use serde_json::{Value, json};

use crate::cli::say;
use crate::config::Settings;
use crate::wiring;

pub(crate) async fn run(settings: &Settings, json: bool) -> anyhow::Result<ExitCode> {
    let application = wiring::start(settings).await?;
    let report = application.queries.ledger.audit().await?;
    application.operations.drain().await;
    if json {
        say(format_args!("{:#}", as_json(&report)));
    } else {
        print(&report);
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &AuditReport) {
    let lines: [(&str, i128); 16] = [
        ("accounts", report.accounts.into()),
        ("transfers", report.transfers.into()),
        ("markets", report.markets.into()),
        ("bets and sales", report.bets.into()),
        ("sum of balances", report.sum_of_balances),
        ("accounts not the sum of their transfers", report.balance_drift.into()),
        ("accounts not as their last transfer left them", report.last_row_drift.into()),
        ("accounts with a broken chain of transfers", report.broken_chains.into()),
        ("accounts below their minimum balance", report.below_floor.into()),
        ("markets whose pot does not cover their payout", report.uncovered_markets.into()),
        ("markets that differ from their bets and positions", report.market_drift.into()),
        ("bets and sales that differ from their transfer or market", report.bet_drift.into()),
        ("positions that differ from their bets and sales", report.position_drift.into()),
        ("transfers that do not fit their kind", report.transfer_drift.into()),
        ("payouts and settlements that do not add up", report.payout_drift.into()),
        ("settled markets with money left", report.unsettled_remainders.into()),
    ];
    for (what, count) in lines {
        say(format_args!("{count:>12}  {what}"));
    }
    for AuditFinding { table, id, column, stored, expected } in &report.findings {
        say(format_args!("{table} {id}: {column} is {stored}, expected {expected}"));
    }
    say(if report.is_sound() { "the ledger is sound" } else { "the ledger is NOT sound" });
}

fn as_json(report: &AuditReport) -> Value {
    let finding = |finding: &AuditFinding| {
        json!({
            "table": finding.table,
            "id": finding.id,
            "column": finding.column,
            "stored": finding.stored,
            "expected": finding.expected,
        })
    };
    json!({
        "isSound": report.is_sound(),
        "accounts": report.accounts,
        "transfers": report.transfers,
        "markets": report.markets,
        "bets": report.bets,
        "sumOfBalancesMinor": report.sum_of_balances.to_string(),
        "balanceDrift": report.balance_drift,
        "lastRowDrift": report.last_row_drift,
        "brokenChains": report.broken_chains,
        "belowFloor": report.below_floor,
        "uncoveredMarkets": report.uncovered_markets,
        "marketDrift": report.market_drift,
        "betDrift": report.bet_drift,
        "positionDrift": report.position_drift,
        "transferDrift": report.transfer_drift,
        "payoutDrift": report.payout_drift,
        "unsettledRemainders": report.unsettled_remainders,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
