//! Stored data as clients read it: the statements of the users' accounts, the markets and their
//! trades.

use std::collections::{BTreeMap, BTreeSet};

use foretell_tests::{Client, eventually, minor, text};
use serde_json::Value;

use super::command::Effect;

/// Everything read so far. Only new rows are read again, since the rows of these lists never
/// change, which is checked at the end.
#[derive(Default)]
pub(super) struct Books {
    /// Statement of each user, oldest row first.
    statements: Vec<Vec<Row>>,
    /// Changes by each payment in the statements that contain it.
    payments: BTreeMap<String, Vec<i64>>,
    trades: BTreeMap<String, Trade>,
    /// Client ids of the payments.
    paid_as: BTreeSet<String>,
    /// Client ids of the bets and sales.
    traded_as: BTreeSet<String>,
    /// Number of bets and sales read, for each user.
    own_trades: BTreeMap<String, usize>,
    /// Ids of the markets by name.
    names: BTreeMap<String, String>,
    markets: BTreeMap<String, Market>,
}

/// A row of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    id: String,
    /// For its payer.
    client_id: Option<String>,
    kind: String,
    change: i64,
    balance: i64,
    market_id: Option<String>,
    created_at: String,
}

/// Effect of a bet or sale that its trader's statement contains too: user, market, change and time.
type Trade = (String, String, i64, String);

#[derive(Default)]
struct Market {
    bet_count: usize,
    is_resolved: bool,
}

impl Books {
    /// Reads new rows and checks that they are consistent. Nothing may be written meanwhile except
    /// settlements, which are awaited.
    pub(super) async fn read(&mut self, users: &[Client]) {
        for shown in users[0].all("/markets").await {
            self.read_market(&users[0], &shown).await;
        }
        self.statements.resize(users.len(), Vec::new());
        for (number, user) in users.iter().enumerate() {
            self.read_statement(number, user).await;
            self.read_own_trades(user).await;
        }
        self.check_payments();
        self.check_trades(users);
        self.check_markets();
    }

    /// Returns `true` if it happened.
    pub(super) fn has(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Payment(id) => self.paid_as.contains(id),
            Effect::Trade(id) => self.traded_as.contains(id),
            Effect::Market(name) => self.names.contains_key(name),
            Effect::Resolution(id) => self.markets.get(id).is_some_and(|market| market.is_resolved),
        }
    }

    /// Returns the path at which it can be read; `None` for an absent market.
    pub(super) fn path_of(&self, effect: &Effect) -> Option<String> {
        match effect {
            Effect::Payment(id) => Some(format!("/transfers/{id}")),
            Effect::Trade(id) => Some(format!("/bets/{id}")),
            Effect::Market(name) => self.names.get(name).map(|id| format!("/markets/{id}")),
            Effect::Resolution(id) => Some(format!("/markets/{id}/resolution")),
        }
    }

    /// Returns everything that happened.
    pub(super) fn effects(&self) -> BTreeSet<Effect> {
        let payments = self.paid_as.iter().cloned().map(Effect::Payment);
        let trades = self.traded_as.iter().cloned().map(Effect::Trade);
        let names = self.names.keys().cloned().map(Effect::Market);
        let resolved = self.markets.iter().filter(|(_, market)| market.is_resolved);
        let resolved = resolved.map(|(id, _)| Effect::Resolution(id.clone()));
        payments.chain(trades).chain(names).chain(resolved).collect()
    }

    /// Reads the whole statements again: they must equal the rows read earlier.
    pub(super) async fn check_unchanged(&self, users: &[Client]) {
        for (user, known) in users.iter().zip(&self.statements) {
            let rows = user.all(&format!("/accounts/{}/transfers", user.account_id)).await;
            let rows: Vec<_> = rows.iter().rev().map(Row::of).collect();
            assert_eq!(&rows, known, "the statement of {}", user.account_id);
        }
    }

    async fn read_market(&mut self, client: &Client, shown: &Value) {
        let id = text(&shown["id"]);
        let holder = self.names.insert(text(&shown["name"]), id.clone());
        assert!(holder.is_none_or(|holder| holder == id), "opened twice: {shown:#}");
        let known = self.markets.entry(id.clone()).or_default();
        let bet_count = usize::try_from(shown["betCount"].as_u64().unwrap()).unwrap();
        for bet in client.newest(&format!("/markets/{id}/bets"), bet_count - known.bet_count).await
        {
            let sign = if bet["side"] == "buy" { -1 } else { 1 };
            let change = sign * minor(&bet["amount"]);
            let trade = (text(&bet["userId"]), id.clone(), change, text(&bet["createdAt"]));
            assert!(self.trades.insert(text(&bet["id"]), trade).is_none(), "made twice: {bet:#}");
        }
        known.bet_count = bet_count;
        if shown["status"] == "resolved" && !known.is_resolved {
            let path = format!("/markets/{id}/resolution");
            let is_settled = async || client.get(&path).await.data(200)["completed"] == true;
            eventually("the holders to be paid", async || is_settled().await.then_some(())).await;
            known.is_resolved = true;
        }
    }

    /// Only the trader can read the client id of a trade.
    async fn read_own_trades(&mut self, user: &Client) {
        let own = self.trades.values().filter(|(trader, ..)| *trader == user.user_id).count();
        let known = self.own_trades.entry(user.user_id.clone()).or_default();
        for bet in user.newest("/me/bets", own - *known).await {
            assert!(self.trades.contains_key(&text(&bet["id"])), "its market has it too: {bet:#}");
            assert!(self.traded_as.insert(text(&bet["clientId"])), "made twice: {bet:#}");
        }
        *known = own;
    }

    async fn read_statement(&mut self, number: usize, user: &Client) {
        let path = format!("/accounts/{}", user.account_id);
        let account = user.get(&path).await.data(200);
        let known = &mut self.statements[number];
        let row_count = usize::try_from(account["version"].as_u64().unwrap()).unwrap();
        let new = user.newest(&format!("{path}/transfers"), row_count - known.len()).await;
        for row in new.iter().rev().map(Row::of) {
            let before = known.last().map_or(0, |row| row.balance);
            assert_eq!(row.balance, before + row.change, "the balance runs on: {row:?}");
            assert!(row.balance >= 0, "no user owes anything: {row:?}");
            if row.kind == "payment" {
                if let Some(client_id) = row.client_id.clone() {
                    assert!(self.paid_as.insert(client_id), "made twice: {row:?}");
                }
                self.payments.entry(row.id.clone()).or_default().push(row.change);
            }
            known.push(row);
        }
        assert_eq!(known.len(), row_count, "each row has raised the version by one: {account:#}");
        let last = known.last().map_or(0, |row| row.balance);
        assert_eq!(minor(&account["balance"]), last, "{account:#}");
    }

    /// Checks that each payment appears once in each of two statements.
    fn check_payments(&self) {
        for (id, changes) in &self.payments {
            assert_eq!((changes.len(), changes.iter().sum()), (2, 0), "payment {id}: {changes:?}");
        }
    }

    /// Checks that each trade appears in its trader's statement, and nothing else does.
    fn check_trades(&self, users: &[Client]) {
        let mut counts: BTreeMap<Trade, i32> = BTreeMap::new();
        for trade in self.trades.values() {
            *counts.entry(trade.clone()).or_default() += 1;
        }
        for (user, rows) in users.iter().zip(&self.statements) {
            for row in rows.iter().filter(|row| row.kind == "bet" || row.kind == "sale") {
                let market_id = row.market_id.clone().unwrap();
                let trade = (user.user_id.clone(), market_id, row.change, row.created_at.clone());
                *counts.entry(trade).or_default() -= 1;
            }
        }
        counts.retain(|_, count| *count != 0);
        assert!(
            counts.is_empty(),
            "trades without their transfers, and the other way round: {counts:?}"
        );
    }

    /// Checks that each market was paid for once, and paid each holder once.
    fn check_markets(&self) {
        let mut counts: BTreeMap<(&str, &str, Option<usize>), usize> = BTreeMap::new();
        for (number, row) in self.rows() {
            let Some(market_id) = row.market_id.as_deref() else { continue };
            match row.kind.as_str() {
                "subsidy" => *counts.entry((market_id, "subsidy", None)).or_default() += 1,
                kind @ ("payout" | "remainder") => {
                    *counts.entry((market_id, kind, Some(number))).or_default() += 1;
                }
                _ => {}
            }
        }
        assert!(counts.values().all(|count| *count == 1), "{counts:?}");
        let opened = counts.keys().filter(|(_, kind, _)| *kind == "subsidy").map(|(id, _, _)| *id);
        assert!(
            opened.eq(self.markets.keys().map(String::as_str)),
            "each market has had its subsidy"
        );
    }

    fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        let statements = self.statements.iter().enumerate();
        statements.flat_map(|(number, rows)| rows.iter().map(move |row| (number, row)))
    }
}

impl Row {
    fn of(shown: &Value) -> Self {
        let is_in = shown["direction"] == "in";
        let amount = minor(&shown["amount"]);
        Self {
            id: text(&shown["id"]),
            client_id: shown["clientId"].as_str().map(str::to_owned),
            kind: text(&shown["kind"]),
            change: if is_in { amount } else { -amount },
            balance: minor(&shown[if is_in { "to" } else { "from" }]["balance"]),
            market_id: shown["marketId"].as_str().map(str::to_owned),
            created_at: text(&shown["createdAt"]),
        }
    }
}
