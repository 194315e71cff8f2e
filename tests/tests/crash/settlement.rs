//! A settlement of thousands of holders that is killed midway, several times.

use foretell_domain::market::HOLDERS_PER_SET;
use foretell_tests::{Client, Database, Home, Server, eventually, minor, on_each_database, text};
use serde_json::{Value, json};

use super::PATIENT;
use super::holders::register_holders;
use super::seed::Seed;

on_each_database!(killed_settlement_resumes_and_pays_once);

const HOLDERS: usize = 5_000;
/// Number of kills.
const KILLS: usize = 3;

/// Payout of each option, in basis points: above zero, so that all shares count.
const SPLIT: [usize; 2] = [7_001, 2_999];

async fn killed_settlement_resumes_and_pays_once(database: Database) {
    let seed = Seed::given();
    let mut chance = seed.chance(0);
    let mut server = Server::start_with(database, &PATIENT).await;
    let (mut creator, admin) = (server.register("creator").await, server.admin().await);
    let market = creator.open_market(&["Yes", "No"], "900.00").await;
    server.stop_cleanly().await;
    register_holders(server.home(), &market, HOLDERS).await;
    // However slow this test is, the server cannot finish before it is killed.
    hold_back(server.home(), HOLDERS - HOLDERS_PER_SET);

    server.start_again().await;
    creator = creator.moved_to(server.origin());
    let (path, body) = (format!("/markets/{}/resolution", text(&market["id"])), split(&market));
    let decision = {
        let (creator, path, body) = (creator.clone(), path.clone(), body.clone());
        tokio::spawn(async move { creator.try_post_once(&path, "decide", body).await.ok() })
    };
    let mut enough = 0;
    for _ in 0..KILLS {
        enough += HOLDERS_PER_SET * (1 + chance.below(3));
        let paid = wait_until_paid(&creator, &path, enough.min(HOLDERS - HOLDERS_PER_SET)).await;
        server.kill();
        assert!(paid < HOLDERS, "it is killed in the middle");
        server.start_again().await;
        creator = creator.moved_to(server.origin());
        assert_eq!(creator.get(&path).await.data(200)["completed"], false, "it is not done");
    }
    server.kill();
    let first = decision.await.unwrap();

    release(server.home());
    server.start_again().await;
    creator = creator.moved_to(server.origin());
    let is_done = async || creator.get(&path).await.data(200)["completed"] == true;
    eventually("the settlement to be done", async || is_done().await.then_some(())).await;
    check_paid(&server, &market, &creator.get(&path).await.data(200));
    let again = creator.post_once(&path, "decide", body).await.expect(200);
    assert!(again.is_replay(), "{again:#?}");
    assert!(first.is_none_or(|first| first.body == again.body), "{again:#?}");
    admin.moved_to(server.origin()).check_audit().await;
    server.command("ledger audit").run().await.succeeded();
}

/// Returns the decision that pays the options in parts.
fn split(market: &Value) -> Value {
    let parts = market["options"].as_array().unwrap().iter().zip(SPLIT);
    let part =
        |(option, bps): (&Value, usize)| json!({"optionId": option["id"], "basisPoints": bps});
    json!({"split": parts.map(part).collect::<Vec<_>>()})
}

/// Waits until so many holders have been paid; returns their number.
async fn wait_until_paid(client: &Client, path: &str, enough: usize) -> usize {
    eventually(&format!("{enough} holders to be paid"), async || {
        let settlement = client.get(path).await;
        let paid = settlement.body["data"]["holdersPaid"].as_u64().unwrap_or(0);
        let paid = usize::try_from(paid).unwrap();
        (paid >= enough).then_some(paid)
    })
    .await
}

/// Prevents any settlement from paying more holders than this.
fn hold_back(home: &Home, most: usize) {
    let when = format!("WHEN (NEW.holders_paid > {most})");
    home.execute(&match home.database_url() {
        None => format!(
            "CREATE TRIGGER held_back BEFORE UPDATE ON settlements {when}
            BEGIN SELECT RAISE(ABORT, 'held back'); END"
        ),
        Some(_) => format!(
            "CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'held back'; END $$;
            CREATE TRIGGER held_back BEFORE UPDATE ON settlements
                FOR EACH ROW {when} EXECUTE FUNCTION hold_back()"
        ),
    });
}

fn release(home: &Home) {
    home.execute(match home.database_url() {
        None => "DROP TRIGGER held_back",
        Some(_) => "DROP TRIGGER held_back ON settlements; DROP FUNCTION hold_back()",
    });
}

/// Checks that each holder got one payout, the value of the shares and possibly the last unit,
/// which goes to the largest fractions of a set, and that the creator got the remainder.
fn check_paid(server: &Server, market: &Value, settlement: &Value) {
    assert_eq!(settlement["holdersPaid"], HOLDERS, "{settlement:#}");
    let home = server.home();
    let due = format!(
        "shares_units * CASE option_index WHEN 0 THEN {} ELSE {} END / 10000",
        SPLIT[0], SPLIT[1]
    );
    let right = home.count(&format!(
        "WITH paid AS (
            SELECT credit_account_id, COUNT(*) AS payouts, SUM(amount_minor) AS amount_minor
            FROM transfers WHERE kind = 'payout' GROUP BY credit_account_id
        )
        SELECT COUNT(*) AS count FROM positions
        JOIN paid ON paid.credit_account_id = positions.account_id
        WHERE payouts = 1 AND amount_minor - {due} IN (0, 1)"
    ));
    assert_eq!(right, i64::try_from(HOLDERS).unwrap(), "each holder is paid once what is due");
    let count = |what: &str| home.count(&format!("SELECT COUNT(*) AS count FROM {what}"));
    assert_eq!(count("transfers WHERE kind = 'payout'"), right, "nobody else is paid");
    let sum =
        "SELECT CAST(SUM(amount_minor) AS BIGINT) AS count FROM transfers WHERE kind = 'payout'";
    assert_eq!(home.count(sum), minor(&settlement["paid"]), "{settlement:#}");
    assert_eq!(count("transfers WHERE kind = 'remainder'"), 1, "the creator gets what is left");
    let pots = count("accounts WHERE kind = 'market' AND balance_minor <> 0");
    assert_eq!(pots, 0, "the pot of {} is empty", market["id"]);
}
