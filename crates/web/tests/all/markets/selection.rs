//! Tests of embedded resources and selected fields of markets.

use serde_json::json;

use super::{open, opening};
use crate::support::TestApp;

#[actix_web::test]
async fn markets_embed_creators_and_bets_on_request() {
    let app = TestApp::start().await;
    let (carl, ann) = (app.user("carl").await, app.user("ann").await);
    let (market, quiet) = (open(&app, &carl).await, open(&app, &ann).await);
    for _ in 0..22 {
        market.bet(&app, &ann, 0, "1").await;
    }
    let path = format!("{}?expand=creator,bets", market.path);
    let found = app.get(&path).await;
    assert_eq!(
        found.header("ETag"),
        "",
        "the creator's profile has no part in the market's version"
    );
    let found = found.ok(200);
    let public = app.get(&format!("/users/{}", carl.id)).by(&ann).await.ok(200);
    assert_eq!(found["creator"], public);
    let bets = app.get(&market.at("bets?limit=20")).await.ok(200);
    assert_eq!(found["bets"], bets, "the newest, as their own list shows them");
    let list = app.get("/markets?expand=bets,creator").await.ok(200);
    let row =
        |id: &str| list.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
    assert_eq!(row(&market.id), found);
    assert_eq!(
        (&row(&quiet.id)["bets"], &row(&quiet.id)["creator"]["name"]),
        (&json!([]), &json!("ann"))
    );
    let plain = market.read(&app).await;
    assert!(plain.get("creator").is_none() && plain.get("bets").is_none());
}

#[actix_web::test]
async fn markets_have_selected_fields_only() {
    let app = TestApp::start().await;
    let carl = app.user("carl").await;
    let market = open(&app, &carl).await;
    let expected = json!({ "id": market.id, "name": opening()["name"] });
    let known = app.get(&format!("{}?fields=name,id", market.path)).await;
    assert_eq!(known.ok(200), expected);
    assert_ne!(known.header("ETag"), "");
    assert_eq!(app.get("/markets?fields=id,name").await.ok(200), json!([expected]));
    let errors = app.get(&format!("{}?fields=pot&expand=comments", market.path)).await.errors();
    assert_eq!(errors, ["expand: invalid", "fields: invalid"]);
    let errors = app.get("/markets?fields=id,,&expand=Creator").await.errors();
    assert_eq!(errors, ["expand: invalid", "fields: invalid"]);
}
