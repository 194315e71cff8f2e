//! Tests of the leaderboard of traders by profit.

use serde_json::{Value, json};

use crate::markets::{command, open};
use crate::support::{TestApp, TestUser};

/// Longer than any leaderboard is cached.
const MINUTE: i64 = 61;
const DAY: i64 = 86_400;

async fn ranks(app: &TestApp, query: &str) -> Vec<(i64, String, String)> {
    let rows = app.get(&format!("/leaderboard{query}")).await.ok(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rank =
        |row: &Value| (row["rank"].as_i64().unwrap(), text(&row["name"]), text(&row["profit"]));
    rows.as_array().unwrap().iter().map(rank).collect()
}

fn ranked(expected: &[(i64, &str, &str)]) -> Vec<(i64, String, String)> {
    expected
        .iter()
        .map(|(rank, name, profit)| (*rank, (*name).to_owned(), (*profit).to_owned()))
        .collect()
}

/// Ann bets 50.00 on the winning option and is paid 87.06, Bob 30.00 on the other one.
async fn set_up(app: &TestApp) -> [TestUser; 3] {
    let (carl, ann, bob) = (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(app, &carl).await;
    market.bet(app, &ann, 0, "50").await;
    market.bet(app, &bob, 1, "30").await;
    let winner = json!({ "optionId": market.options[0] });
    command(app, &market.at("resolution"), &carl, &winner).await.ok(200);
    [carl, ann, bob]
}

#[actix_web::test]
async fn traders_are_ranked_by_profit() {
    let app = TestApp::start().await;
    let [carl, ..] = set_up(&app).await;
    // The creator's subsidy and its refund are no profit of a trader.
    let expected = ranked(&[(1, "ann", "37.06"), (2, "bob", "-30.00")]);
    for query in ["", "?period=all", "?period=day", "?period=week", "?period=month"] {
        assert_eq!(ranks(&app, query).await, expected, "{query}");
    }
    let reply = app.get("/leaderboard?limit=1&page=2").await;
    let row = &reply.ok(200)[0];
    let names: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["avatar", "name", "profit", "rank", "userId"]);
    assert_eq!(reply.json()["meta"]["pagination"], json!({ "page": 2, "limit": 1, "total": 2 }));
    let market = open(&app, &carl).await;
    market.bet(&app, &carl, 0, "5").await;
    assert_eq!(ranks(&app, "").await, expected, "remembered for some seconds");
    app.clock.advance_seconds(MINUTE);
    let expected = [(1, "ann", "37.06"), (2, "carl", "-5.00"), (3, "bob", "-30.00")];
    assert_eq!(ranks(&app, "").await, ranked(&expected));
}

#[actix_web::test]
async fn period_excludes_earlier_trades() {
    let app = TestApp::start().await;
    set_up(&app).await;
    let all = ranked(&[(1, "ann", "37.06"), (2, "bob", "-30.00")]);
    for (days, in_day, in_week, in_month) in
        [(2, false, true, true), (8, false, false, true), (31, false, false, false)]
    {
        app.clock.set(foretell_testkit::clock::START.plus_seconds(days * DAY));
        for (period, is_in) in
            [("day", in_day), ("week", in_week), ("month", in_month), ("all", true)]
        {
            let expected = if is_in { all.clone() } else { Vec::new() };
            assert_eq!(
                ranks(&app, &format!("?period={period}")).await,
                expected,
                "{period} after {days} days"
            );
        }
    }
}

#[actix_web::test]
async fn erased_user_is_not_ranked() {
    let app = TestApp::start().await;
    let [_, ann, bob] = set_up(&app).await;
    let admin = app.admin().await;
    let body = json!({ "status": "suspended" });
    app.patch(&format!("/users/{}", ann.id)).by(&admin).json(&body).await.ok(200);
    assert_eq!(ranks(&app, "").await, ranked(&[(1, "bob", "-30.00")]));
    assert_eq!(app.erase(&bob).await.status.as_u16(), 204);
    assert_eq!(
        ranks(&app, "").await,
        ranked(&[(1, "Deleted user", "-30.00")]),
        "until it is summed up anew"
    );
    app.clock.advance_seconds(MINUTE);
    assert_eq!(ranks(&app, "").await, []);
}

#[actix_web::test]
async fn invalid_leaderboard_parameters_are_rejected() {
    let app = TestApp::start().await;
    let errors = app.get("/leaderboard?period=year&limit=0&sort=x").await.errors();
    assert_eq!(errors, ["limit: range", "period: invalid", "sort: unknown_field"]);
    assert_eq!(ranks(&app, "").await, []);
}
