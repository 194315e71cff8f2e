//! Audits the ledger from the command line.

use std::process::ExitCode;

use crate::cli::say;
use crate::config::Settings;
use crate::wiring;

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let application = wiring::start(settings).await?;
    let report = application.audit_as_operator().await?;
    application.drain().await;
    let lines: [(&str, i128); 12] = [
        ("accounts", report.accounts.into()),
        ("transfers", report.transfers.into()),
        ("markets", report.markets.into()),
        ("bets and sales", report.bets.into()),
        ("sum of balances", report.sum_of_balances),
        ("accounts not the sum of their transfers", report.balance_drift.into()),
        ("accounts not as their last transfer left them", report.last_row_drift.into()),
        ("accounts with a broken chain of transfers", report.broken_chains.into()),
        ("accounts below their floor", report.below_floor.into()),
        ("markets whose pot does not cover their payout", report.uncovered_markets.into()),
        ("markets that differ from their bets and positions", report.market_drift.into()),
        ("settled markets with money left", report.unsettled_remainders.into()),
    ];
    for (what, count) in lines {
        say(format_args!("{count:>12}  {what}"));
    }
    if report.is_sound() {
        say("the ledger is sound");
        Ok(ExitCode::SUCCESS)
    } else {
        say("the ledger is NOT sound");
        Ok(ExitCode::FAILURE)
    }
}
