//! Rejections of creating, reading, closing and deciding markets.

use foretell_tests::{Client, Database, on_each_database, seconds_from_now};
use serde_json::{Value, json};

use super::fixture::{Case, Fixture, UNKNOWN, ask, post};

on_each_database!(
    invalid_markets_are_rejected,
    invalid_market_lists_are_rejected,
    invalid_decisions_are_rejected
);

/// Returns a request for a market with one field changed.
fn opening<'a>(who: &'a Client, field: &str, value: Value) -> Case<'a> {
    let mut body = foretell_tests::market(&["Yes", "No"], "10.00");
    body[field] = value;
    post(who, "/markets", body)
}

async fn invalid_markets_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ada) = (&fixture.nobody, &fixture.ada);
    let change = |field: &str, value: Value| opening(ada, field, value);
    let named =
        |names: &[&str]| json!(names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>());
    let likely = |probabilities: [Value; 2]| {
        let [yes, no] = probabilities;
        change(
            "options",
            json!([{"name": "Yes", "probability": yes}, {"name": "No", "probability": no}]),
        )
    };
    let eleven: Vec<_> = (0..11).map(|n| n.to_string()).collect();
    fixture
        .check(vec![
            opening(nobody, "name", json!("")).is(401, "UNAUTHORIZED"),
            post(ada, "/markets", json!({})).has(&[
                ("name", "required"),
                ("description", "required"),
                ("category", "required"),
                ("endDate", "required"),
                ("options", "required"),
                ("subsidy", "required"),
            ]),
            post(
                ada,
                "/markets",
                json!({
                    "name": "ab", "description": "short", "category": "weather",
                    "endDate": "tomorrow", "subsidy": 1.5, "fee": 3,
                    "options": [{"name": ""}, {"name": "No", "colour": "red"}, {}],
                }),
            )
            .has(&[
                ("name", "length"),
                ("description", "length"),
                ("category", "invalid"),
                ("endDate", "format"),
                ("options[0].name", "length"),
                ("options[1].colour", "unknown_field"),
                ("options[2].name", "required"),
                ("subsidy", "type"),
                ("fee", "unknown_field"),
            ]),
            change("name", json!("x".repeat(101))).has(&[("name", "length")]),
            change("name", json!("   ")).has(&[("name", "format")]),
            change("description", json!("x".repeat(1_001))).has(&[("description", "length")]),
            change("endDate", json!(seconds_from_now(-1))).has(&[("endDate", "invalid")]),
            change("endDate", json!("2030-01-01")).has(&[("endDate", "format")]),
            change("endDate", json!(4_102_444_800_i64)).has(&[("endDate", "type")]),
            change("options", named(&["Yes"])).has(&[("options", "length")]),
            change("options", named(&eleven.iter().map(String::as_str).collect::<Vec<_>>()))
                .has(&[("options", "length")]),
            change("options", named(&["Yes", "No", " yes "]))
                .has(&[("options[2].name", "repeated")]),
            change("options", named(&["Yes", &"x".repeat(51)]))
                .has(&[("options[1].name", "length")]),
            change("options", json!("Yes, No")).has(&[("options", "type")]),
            likely([json!(0.5), json!(null)]).has(&[("options[1].probability", "required")]),
            likely([json!(0.5), json!(0.4)]).has(&[("options", "invalid")]),
            likely([json!(1.5), json!(-0.5)])
                .has(&[("options[0].probability", "range"), ("options[1].probability", "range")]),
            likely([json!(1), json!(0)])
                .has(&[("options[0].probability", "range"), ("options[1].probability", "range")]),
            likely([json!("0.5"), json!(0.5)]).has(&[("options[0].probability", "type")]),
            change("subsidy", json!("0.00")).has(&[("subsidy", "range")]),
            change("subsidy", json!("0.99")).has(&[("subsidy", "range")]),
            change("subsidy", json!("92233720368547758.07")).has(&[("subsidy", "range")]),
            change("subsidy", json!("1.001")).has(&[("subsidy", "format")]),
            opening(&fixture.cleo, "subsidy", json!("1.00")).says(
                409,
                "INSUFFICIENT_FUNDS",
                json!({"available": "0.00", "needed": "1.00"}),
            ),
        ])
        .await;
}

async fn invalid_market_lists_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let nobody = &fixture.nobody;
    let mut cases = vec![
        ask(nobody, "GET /markets?page=0&limit=0&sort=best&status=lost&creatorId=me&category=")
            .has(&[
                ("page", "range"),
                ("limit", "range"),
                ("sort", "invalid"),
                ("status", "invalid"),
                ("creatorId", "format"),
                ("category", "length"),
            ]),
        ask(nobody, "GET /markets?order=newest").has(&[("order", "unknown_field")]),
        ask(nobody, "GET /markets?limit=10&limit=10").has(&[("limit", "repeated")]),
        ask(nobody, &format!("GET /bets/{UNKNOWN}")).is(404, "NOT_FOUND"),
        ask(nobody, "GET /bets/nonsense").has(&[("id", "format")]),
        ask(nobody, &format!("GET /bets/{}?odd=1", fixture.bet["id"].as_str().unwrap()))
            .has(&[("odd", "unknown_field")]),
        ask(nobody, &format!("GET {}", Fixture::of(&fixture.open, "/resolution")))
            .is(404, "NOT_FOUND"),
        ask(
            nobody,
            &format!("GET {}", Fixture::of(&fixture.open, "/prices?interval=1w&from=now&to=then")),
        )
        .has(&[("interval", "invalid"), ("from", "format"), ("to", "format")]),
        ask(
            nobody,
            &format!(
                "GET {}",
                Fixture::of(
                    &fixture.open,
                    "/prices?from=2030-01-02T00:00:00Z&to=2030-01-01T00:00:00Z"
                )
            ),
        )
        .has(&[("from", "range")]),
        ask(
            nobody,
            &format!(
                "GET {}",
                Fixture::of(
                    &fixture.open,
                    "/prices?interval=1m&from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z"
                )
            ),
        )
        .has(&[("from", "range")]),
    ];
    for rest in ["", "/bets", "/positions", "/prices", "/resolution"] {
        cases.push(ask(nobody, &format!("GET /markets/{UNKNOWN}{rest}")).is(404, "NOT_FOUND"));
        cases.push(ask(nobody, &format!("GET /markets/nonsense{rest}")).has(&[("id", "format")]));
        let known = Fixture::of(&fixture.resolved, rest);
        cases.push(ask(nobody, &format!("GET {known}?odd=1")).has(&[("odd", "unknown_field")]));
    }
    for rest in ["/bets", "/positions"] {
        let known = Fixture::of(&fixture.open, rest);
        cases.push(
            ask(nobody, &format!("GET {known}?page=0&limit=101"))
                .has(&[("page", "range"), ("limit", "range")]),
        );
    }
    fixture.check(cases).await;
    let missing = nobody.get(&format!("/markets/{UNKNOWN}")).await;
    assert_eq!(missing.body["error"], format!("Market not found: {UNKNOWN}"));
}

async fn invalid_decisions_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ada, ben) = (&fixture.nobody, &fixture.ada, &fixture.ben);
    let (yes, no) = (&fixture.open["options"][0]["id"], &fixture.open["options"][1]["id"]);
    let resolution = Fixture::of(&fixture.open, "/resolution");
    let part = |option: &Value, basis_points: i64| json!({"optionId": option, "basisPoints": basis_points});
    let split = |parts: Value| post(ada, &resolution, json!({"split": parts}));
    let mut cases = vec![
        post(ada, &resolution, json!({})).has(&[("optionId", "required")]),
        post(ada, &resolution, json!({"optionId": yes, "split": [part(yes, 10_000)]}))
            .has(&[("optionId", "invalid")]),
        post(ada, &resolution, json!({"optionId": "yes", "because": 1}))
            .has(&[("optionId", "format"), ("because", "unknown_field")]),
        post(ada, &resolution, json!({"optionId": UNKNOWN})).is(404, "NOT_FOUND"),
        split(json!([])).has(&[("split", "length")]),
        split(json!([part(yes, 5_000), part(no, 4_999)])).has(&[("split", "invalid")]),
        split(json!([part(yes, 5_000), part(yes, 5_000)]))
            .has(&[("split[1].optionId", "repeated")]),
        split(json!([part(yes, 10_001), part(no, -1)]))
            .has(&[("split[0].basisPoints", "range"), ("split[1].basisPoints", "range")]),
        split(json!([{}]))
            .has(&[("split[0].optionId", "required"), ("split[0].basisPoints", "required")]),
        split(json!([{}, 5])).has(&[("split[1]", "type")]),
        split(json!([part(yes, 5_000), part(&json!(UNKNOWN), 5_000)])).is(404, "NOT_FOUND"),
        post(ada, &Fixture::of(&fixture.closed, "/close"), json!({})).is(409, "MARKET_CLOSED"),
        post(ada, &Fixture::of(&fixture.resolved, "/close"), json!({})).is(409, "MARKET_CLOSED"),
        post(ada, &Fixture::of(&fixture.resolved, "/cancellation"), json!({})).is(409, "CONFLICT"),
        post(
            ada,
            &Fixture::of(&fixture.resolved, "/resolution"),
            json!({"optionId": fixture.resolved["options"][1]["id"]}),
        )
        .is(409, "CONFLICT"),
    ];
    for (rest, body) in [
        ("/close", json!({})),
        ("/cancellation", json!({})),
        ("/resolution", json!({"optionId": yes})),
    ] {
        let path = Fixture::of(&fixture.open, rest);
        cases.push(post(nobody, &path, body.clone()).is(401, "UNAUTHORIZED"));
        cases.push(post(ben, &path, body.clone()).is(403, "FORBIDDEN"));
        cases.push(
            post(ada, &format!("/markets/{UNKNOWN}{rest}"), body.clone()).is(404, "NOT_FOUND"),
        );
        cases.push(
            post(ada, &format!("/markets/nonsense{rest}"), body.clone()).has(&[("id", "format")]),
        );
        let mut odd = body;
        odd["odd"] = json!(1);
        cases.push(post(ada, &path, odd).has(&[("odd", "unknown_field")]));
    }
    fixture.check(cases).await;
}
