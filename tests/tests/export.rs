//! Tests of exports: all rows, once, in the form of the API, as JSON lines and as tables.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeSet;

use foretell_tests::{Client, Database, Server, on_each_database, text};
use serde_json::{Value, json};

on_each_database!(exports_contain_every_row_once, user_export_contains_only_own_data);

/// More than one query reads.
const PAYMENTS: usize = 700;

async fn lines(server: &Server, what: &str) -> Vec<Value> {
    let told = server.command(&format!("export {what}")).run().await.succeeded().stdout;
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Makes many concurrent payments.
async fn pay(from: &Client, to: &Client) {
    let payment =
        json!({"fromAccountId": from.account_id, "toAccountId": to.account_id, "amount": "0.01"});
    let batch = json!({"mode": "atomic", "transfers": vec![payment; PAYMENTS]});
    from.post("/transfers/batch", batch).await.expect(200);
}

/// Returns the paths of all fields of an object, with a point before nested fields.
fn fields(row: &Value, within: &str) -> Vec<String> {
    let path = |(name, value): (&String, &Value)| {
        let path = format!("{within}{name}");
        if value.is_object() { fields(value, &format!("{path}.")) } else { vec![path] }
    };
    row.as_object().unwrap().iter().flat_map(path).collect()
}

async fn exports_contain_every_row_once(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let mut markets = Vec::new();
    for name in ["=HYPERLINK(1)", "Yes", "A, \"quoted\" name"] {
        markets.push(ada.open_market(&[name, "No"], "10").await);
    }
    for market in &markets {
        ben.bet(market, 0, "1.50").await.expect(201);
        ben.sell(market, 0, "all").await.expect(201);
    }
    pay(&ada, &ben).await;
    let admin = server.admin().await;

    let ids = |rows: &[Value]| rows.iter().map(|row| text(&row["id"])).collect::<BTreeSet<_>>();
    let exported = lines(&server, "markets").await;
    assert_eq!(exported, ada.all("/markets").await);
    let exported = lines(&server, "bets").await;
    assert_eq!((exported.len(), ids(&exported).len()), (6, 6));
    let bets = ben.all("/me/bets").await;
    assert!(exported.iter().all(|bet| bets.contains(bet)), "{exported:#?} are not {bets:#?}");
    let transfers = lines(&server, "transfers").await;
    let count = server.home().count("SELECT COUNT(*) AS count FROM transfers");
    let count = usize::try_from(count).unwrap();
    assert_eq!((transfers.len(), ids(&transfers).len()), (count, count));
    let one = &transfers[300];
    assert_eq!(*one, admin.get(&format!("/transfers/{}", text(&one["id"]))).await.data(200));

    for (what, rows) in [("markets", 3), ("bets", 6), ("transfers", transfers.len())] {
        let file = server.home().path().join(format!("{what}.csv"));
        let command = format!("export {what} --format csv --to {}", file.display());
        server.command(&command).run().await.succeeded();
        let mut table = csv::Reader::from_path(&file).unwrap();
        let columns: Vec<_> = table.headers().unwrap().iter().map(str::to_owned).collect();
        let known: BTreeSet<_> = columns.iter().cloned().collect();
        for row in lines(&server, what).await {
            let missing: Vec<_> =
                fields(&row, "").into_iter().filter(|field| !known.contains(field)).collect();
            assert!(missing.is_empty(), "{what} have no column for {missing:?}");
        }
        assert_eq!(table.records().map(Result::unwrap).count(), rows, "{what}");
        server.command(&command).run().await.failed(&["exists"]);
    }
}

async fn user_export_contains_only_own_data(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "10").await;
    for user in [&ada, &ben] {
        user.bet(&market, 0, "1").await.expect(201);
        for is_published in [true, false] {
            let post = json!({"title": "On rain", "content": "It may.", "published": is_published});
            user.post("/posts", post).await.expect(201);
        }
        let comment = json!({"content": "Surely."});
        user.post(&format!("/markets/{}/comments", text(&market["id"])), comment).await.expect(201);
    }
    pay(&ada, &ben).await;

    let rows = lines(&server, &format!("user {}", ada.user_id)).await;
    let of = |kind: &str| -> Vec<&Value> {
        rows.iter().filter(|row| row["kind"] == kind).map(|row| &row["data"]).collect()
    };
    for (kind, count) in [
        ("user", 1),
        ("account", 1),
        ("bet", 1),
        ("post", 2),
        ("comment", 1),
        ("session", 1),
        ("known_network", 1),
    ] {
        assert_eq!(of(kind).len(), count, "{kind}: {rows:#?}");
    }
    // The grant, the subsidy, the bet and the payments.
    assert_eq!(of("transfer").len(), 3 + PAYMENTS);
    assert_eq!(of("user")[0]["email"], "ada@example.org");
    assert_eq!(of("known_network")[0]["network"], "127.0.0.1");
    for transfer in of("transfer") {
        for side in ["from", "to"].map(|side| &transfer[side]) {
            let is_own = side["accountId"] == ada.account_id.as_str();
            assert_eq!(
                side.get("balance").is_some(),
                is_own,
                "what others hold is not hers: {transfer}"
            );
        }
    }
    let all = format!("{rows:?}");
    for secret in ["ben@example.org", ada.token.as_ref().unwrap(), "$argon2"] {
        assert!(!all.contains(secret), "{secret}");
    }
    let unknown = server.command("export user 0190163d-8694-739b-aea5-966c26f8ad91").run().await;
    unknown.failed(&["there is no such user"]);
}
