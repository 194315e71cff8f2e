//! Tests that the audit reports the row of every value changed directly in the database.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{Client, Database, Home, Server, on_each_database, text};
use serde_json::Value;

on_each_database!(audit_reports_altered_row);

/// A change of one value, the change that reverts it, and the finding that reports it.
struct Alteration {
    table: &'static str,
    key: String,
    /// Assignments `column = expression` that change and restore the value.
    change: [String; 2],
    finding: (&'static str, String, &'static str),
}

/// Ids of rows: a market with several bets, one of them with its transfer and account (of option
/// 0), a payment, and a settled market that paid that account.
struct Rows {
    market: String,
    bet: String,
    transfer: String,
    account: String,
    payment: String,
    settled: String,
}

fn literal(database: Database, id: &str) -> String {
    match database {
        Database::Sqlite => format!("x'{}'", id.replace('-', "")),
        Database::Postgres => format!("'{id}'::uuid"),
    }
}

/// Increases a column by a number, and back.
fn raised(column: &str, by: u32) -> [String; 2] {
    [format!("{column} = {column} + {by}"), format!("{column} = {column} - {by}")]
}

/// Sets another value in a column of a bet, and the saved one.
fn replaced(column: &str, value: &str) -> [String; 2] {
    let kept = format!("{column} = (SELECT {column} FROM kept_bets WHERE kept_bets.id = bets.id)");
    [format!("{column} = {value}"), kept]
}

/// Alterations of one database.
struct Alterations {
    database: Database,
    all: Vec<Alteration>,
}

impl Alterations {
    fn add(
        &mut self,
        table: &'static str,
        key: &str,
        change: [String; 2],
        finding: (&'static str, &str, &'static str),
    ) {
        let finding = (finding.0, finding.1.to_owned(), finding.2);
        self.all.push(Alteration { table, key: key.to_owned(), change, finding });
    }

    fn equals(&self, column: &str, id: &str) -> String {
        format!("{column} = {}", literal(self.database, id))
    }

    fn of_bet(&mut self, Rows { market, bet, account, .. }: &Rows) {
        let key = self.equals("id", bet);
        let position = format!("{market}/{account}/0");
        let option = format!("{market}/0");
        for (column, by, found) in [
            ("cash_minor", 1, ("bets", bet, "cash_minor")),
            ("fee_minor", 1, ("bets", bet, "fee_minor")),
            ("sequence", 1_000, ("bets", bet, "sequence")),
            ("market_version", 1, ("bets", bet, "market_version")),
            ("created_at_us", 1, ("bets", bet, "created_at_us")),
            ("shares_units", 1, ("bets", bet, "prices_after")),
            ("shares_units", 1, ("positions", &position, "shares_units")),
            ("shares_units", 1, ("market_options", &option, "outstanding_units")),
        ] {
            self.add("bets", &key, raised(column, by), (found.0, found.1, found.2));
        }
        let other = literal(self.database, "00000000-0000-0000-0000-0000000000ff");
        for (column, found) in [
            ("account_id", "user_id"),
            ("user_id", "user_id"),
            ("transfer_id", "transfer_id"),
            ("option_id", "option_id"),
        ] {
            self.add("bets", &key, replaced(column, &other), ("bets", bet, found));
        }
        for column in ["prices_before", "prices_after"] {
            let value = match self.database {
                Database::Sqlite => "zeroblob(16)",
                Database::Postgres => "decode(repeat('00', 16), 'hex')",
            };
            self.add("bets", &key, replaced(column, value), ("bets", bet, column));
        }
    }

    fn of_market(&mut self, Rows { market, account, .. }: &Rows) {
        let of_market = self.equals("market_id", market);
        for column in ["fees_minor", "volume_minor", "stakes_minor", "bet_count"] {
            self.add(
                "market_states",
                &of_market,
                raised(column, 1),
                ("market_states", market, column),
            );
        }
        let key = self.equals("id", market);
        self.add("markets", &key, raised("subsidy_minor", 1), ("markets", market, "subsidy_minor"));
        let key = format!("{of_market} AND option_index = 0");
        let option = format!("{market}/0");
        let outstanding = raised("outstanding_units", 1);
        self.add(
            "market_options",
            &key,
            outstanding,
            ("market_options", &option, "outstanding_units"),
        );
        let key = format!("{key} AND {}", self.equals("account_id", account));
        let position = format!("{market}/{account}/0");
        for column in ["shares_units", "spent_minor", "received_minor"] {
            self.add("positions", &key, raised(column, 1), ("positions", &position, column));
        }
    }

    fn of_transfers(&mut self, Rows { market, bet, transfer, payment, .. }: &Rows) {
        let key = self.equals("id", transfer);
        self.add("transfers", &key, raised("amount_minor", 1), ("bets", bet, "cash_minor"));
        self.add("transfers", &key, raised("created_at_us", 1), ("bets", bet, "created_at_us"));
        let sale = ["kind = 'sale'".to_owned(), "kind = 'bet'".to_owned()];
        self.add("transfers", &key, sale, ("transfers", transfer, "kind"));
        let nowhere = ["market_id = NULL".to_owned(), self.equals("market_id", market)];
        self.add("transfers", &key, nowhere, ("transfers", transfer, "kind"));
        let key = self.equals("id", payment);
        for column in ["amount_minor", "debit_balance_minor", "credit_balance_minor"] {
            self.add("transfers", &key, raised(column, 1), ("transfers", payment, "balance_minor"));
        }
        for column in ["debit_version", "credit_version"] {
            self.add("transfers", &key, raised(column, 100_000), ("transfers", payment, "version"));
        }
        let minted = ["kind = 'mint'".to_owned(), "kind = 'payment'".to_owned()];
        self.add("transfers", &key, minted, ("transfers", payment, "kind"));
    }

    fn of_settlement_and_account(&mut self, Rows { account, settled, .. }: &Rows) {
        let key = self.equals("market_id", settled);
        for column in ["paid_minor", "holders_paid"] {
            self.add("settlements", &key, raised(column, 1), ("settlements", settled, column));
        }
        let payout = format!("{settled}/{account}");
        self.add("payouts", &key, raised("amount_minor", 1), ("payouts", &payout, "amount_minor"));
        let key = self.equals("id", account);
        for column in ["balance_minor", "version"] {
            self.add("accounts", &key, raised(column, 1), ("accounts", account, column));
        }
    }
}

fn alterations(rows: &Rows, database: Database) -> Vec<Alteration> {
    let mut alterations = Alterations { database, all: Vec::new() };
    alterations.of_bet(rows);
    alterations.of_market(rows);
    alterations.of_transfers(rows);
    alterations.of_settlement_and_account(rows);
    alterations.all
}

/// Creates a ledger in use: a payment, a market with bets and sales, and a settled one.
async fn fill(server: &Server) -> Rows {
    let (ada, bob) = (server.register("ada").await, server.register("bob").await);
    let payment = text(&ada.pay(&bob, "1.00").await.data(201)["id"]);
    let settled = ada.open_market(&["Yes", "No"], "10").await;
    bob.bet(&settled, 0, "7.77").await.data(201);
    let decision = serde_json::json!({"optionId": settled["options"][0]["id"]});
    let path = format!("/markets/{}/resolution", text(&settled["id"]));
    ada.post(&path, decision).await.data(200);
    let market = ada.open_market(&["Yes", "No"], "10").await;
    ada.bet(&market, 1, "3.33").await.data(201);
    let bet = bob.bet(&market, 0, "5.00").await.data(201);
    ada.bet(&market, 0, "4.44").await.data(201);
    bob.sell(&market, 0, "1.00").await.data(201);
    let statement = bob.all(&format!("/accounts/{}/transfers", bob.account_id)).await;
    let of_bet = |row: &&Value| row["kind"] == "bet" && row["amount"] == "5.00";
    Rows {
        market: text(&market["id"]),
        bet: text(&bet["id"]),
        transfer: text(&statement.iter().find(of_bet).unwrap()["id"]),
        account: bob.account_id.clone(),
        payment,
        settled: text(&settled["id"]),
    }
}

async fn findings(admin: &Client) -> (bool, Vec<Value>) {
    let report = admin.get("/ledger/audit").await.data(200);
    (report["isSound"].as_bool().unwrap(), report["findings"].as_array().unwrap().clone())
}

fn update(home: &Home, Alteration { table, key, .. }: &Alteration, change: &str) {
    home.execute(&format!("UPDATE {table} SET {change} WHERE {key}"));
}

async fn audit_reports_altered_row(database: Database) {
    let server = Server::start(database).await;
    let rows = fill(&server).await;
    let (admin, home) = (server.admin().await, server.home());
    home.execute("CREATE TABLE kept_bets AS SELECT * FROM bets");
    assert_eq!(findings(&admin).await, (true, vec![]));
    for alteration in alterations(&rows, database) {
        let [change, undo] = &alteration.change;
        update(home, &alteration, change);
        let (is_sound, found) = findings(&admin).await;
        let (table, id, column) = &alteration.finding;
        let names_it = |finding: &Value| {
            finding["table"] == *table && finding["id"] == *id && finding["column"] == *column
        };
        let what = format!("{}: {change}", alteration.table);
        assert!(
            !is_sound && found.iter().any(names_it),
            "{what}: {table} {id} {column} in {found:#?}"
        );
        update(home, &alteration, undo);
        assert_eq!(findings(&admin).await, (true, vec![]), "{what}");
    }
    check_command(&server, &rows, database).await;
}

/// Checks that the command reports the same, as text and as JSON, and fails.
async fn check_command(server: &Server, rows: &Rows, database: Database) {
    server.command("ledger audit --json").run().await.succeeded();
    let market = literal(database, &rows.market);
    server.home().execute(&format!(
        "UPDATE market_states SET fees_minor = fees_minor + 5 WHERE market_id = {market}"
    ));
    let printed = server.command("ledger audit").run().await;
    assert!(!printed.status.success());
    let line = format!("market_states {}: fees_minor is ", rows.market);
    assert!(printed.stdout.contains(&line), "{}", printed.stdout);
    let report: Value =
        serde_json::from_str(&server.command("ledger audit --json").run().await.stdout).unwrap();
    assert_eq!(
        (&report["isSound"], &report["marketDrift"]),
        (&Value::from(false), &Value::from(1))
    );
    assert_eq!(report["findings"][0]["table"], "market_states");
}
