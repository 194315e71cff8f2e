//! `GET /ledger/audit`: audits the ledger. `GET /ledger/debts`: lists debts.

use actix_web::web::{Data, ServiceConfig};
use foretell_domain::id::{AccountId, MarketId, TransferId};
use foretell_domain::money::Currency;
use foretell_ports::ledger::{AuditFinding, AuditReport};
use foretell_ports::market::Debt;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::extract::{AdminOnly, Manage, NoParams, Pagination, Params};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::routing::at;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(audit, list_debts))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/ledger/audit").no_deadline().get(audit))
        .service(at("/ledger/debts").get(list_debts));
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditView {
    is_sound: bool,
    accounts: i64,
    transfers: i64,
    markets: i64,
    bets: i64,
    sum_of_balances: Money,
    balance_drift: i64,
    last_row_drift: i64,
    broken_chains: i64,
    below_floor: i64,
    uncovered_markets: i64,
    market_drift: i64,
    bet_drift: i64,
    position_drift: i64,
    transfer_drift: i64,
    payout_drift: i64,
    unsettled_remainders: i64,
    /// The first findings, at most 10 of each table.
    findings: Vec<FindingView>,
}

/// A stored value that differs from the value computed from other rows.
#[derive(Serialize, ToSchema)]
struct FindingView {
    table: &'static str,
    id: String,
    column: &'static str,
    stored: String,
    expected: String,
}

impl From<&AuditFinding> for FindingView {
    fn from(finding: &AuditFinding) -> Self {
        let AuditFinding { table, id, column, stored, expected } = finding.clone();
        Self { table, id, column, stored, expected }
    }
}

impl AuditView {
    fn new(report: &AuditReport, currency: &Currency) -> Self {
        Self {
            is_sound: report.is_sound(),
            accounts: report.accounts,
            transfers: report.transfers,
            markets: report.markets,
            bets: report.bets,
            sum_of_balances: Money::new(currency, report.sum_of_balances),
            balance_drift: report.balance_drift,
            last_row_drift: report.last_row_drift,
            broken_chains: report.broken_chains,
            below_floor: report.below_floor,
            uncovered_markets: report.uncovered_markets,
            market_drift: report.market_drift,
            bet_drift: report.bet_drift,
            position_drift: report.position_drift,
            transfer_drift: report.transfer_drift,
            payout_drift: report.payout_drift,
            unsettled_remainders: report.unsettled_remainders,
            findings: report.findings.iter().map(FindingView::from).collect(),
        }
    }
}

/// Audits the ledger: checks every account, transfer, market, bet, position and payout against the
/// others, and lists the first differences. A sound ledger has zero everywhere except in the
/// counts.
#[utoipa::path(
    get,
    path = "/ledger/audit",
    operation_id = "auditLedger",
    tag = "ledger",
    responses((status = 200, description = "Done.", body = AuditView)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
async fn audit(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    params: Params<NoParams>,
) -> HandlerResult {
    state.validate(params)?;
    let report = state.application.ledger.audit_ledger(&caller).await?;
    reply::ok(AuditView::new(&report, &state.application.settings().currency))
}

/// Money that an account owes because the treasury has paid for it when a settlement was undone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DebtView {
    /// The transfer by which the treasury has paid.
    #[schema(value_type = Id)]
    transfer_id: Text<TransferId>,
    #[schema(value_type = Id)]
    account_id: Text<AccountId>,
    #[schema(value_type = Id)]
    market_id: Text<MarketId>,
    amount: Money,
    created_at: Time,
}

impl DebtView {
    fn new(debt: &Debt, currency: &Currency) -> Self {
        Self {
            transfer_id: Text(debt.transfer_id),
            account_id: Text(debt.account_id),
            market_id: Text(debt.market_id),
            amount: Money::new(currency, debt.amount.minor()),
            created_at: Time(debt.created_at),
        }
    }
}

/// Lists the debts of all accounts, newest first. Burns do not reduce them: they say what the
/// treasury has paid.
#[utoipa::path(
    get,
    path = "/ledger/debts",
    operation_id = "listDebts",
    tag = "ledger",
    responses((status = 200, description = "Done.", body = Vec<DebtView>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
async fn list_debts(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    params: Params<Pagination>,
) -> HandlerResult {
    let paging = state.validate(params)?;
    let application = &state.application;
    let mut debts = application.markets.list_debts(&caller, paging.request()).await?;
    let total = application.queries.markets.count_debts();
    let meta = paging.meta(&mut debts, |debt| debt.transfer_id, total).await?;
    let currency = &application.settings().currency;
    let rows: Vec<_> = debts.iter().map(|debt| DebtView::new(debt, currency)).collect();
    reply::list(rows, meta)
}
