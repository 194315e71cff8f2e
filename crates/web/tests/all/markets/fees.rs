//! Tests of markets with a trading fee.

use foretell::Foretell;
use foretell_application::{ApplicationSettings, MarketOpening};
use foretell_domain::id::AccountId;
use foretell_domain::market::MarketTexts;
use foretell_domain::money::Amount;
use foretell_domain::text::{Category, MarketDescription, MarketName, OptionName};
use serde_json::json;

use super::{END_DATE, Opened, SECONDS_TO_END, audit, balance, caller, command, fresh_key};
use crate::support::{TestApp, TestUser};

/// Creates a market with a fee of 2 percent in the store of `app`, by an application with other
/// settings.
async fn open_with_fee(app: &TestApp, creator: &TestUser) -> Opened {
    let settings = ApplicationSettings { fee_bps: 200, ..app.application.settings().clone() };
    let builder = Foretell::builder().storage(app.store.clone()).fakes(2).clock(app.clock.clone());
    let foretell = builder.settings(settings).build().await.unwrap();
    let other = foretell.application();
    let opening = MarketOpening {
        texts: MarketTexts::new(
            MarketName::new("Will it rain?").unwrap(),
            MarketDescription::new("As measured on the roof.").unwrap(),
            Category::new("sports").unwrap(),
            vec![OptionName::new("Yes").unwrap(), OptionName::new("No").unwrap()],
        )
        .unwrap(),
        probabilities: vec![None, None],
        ends_at: other.now().plus_seconds(SECONDS_TO_END),
        subsidy: Amount::new(10_000).unwrap(),
    };
    let receipt =
        other.markets.open_market(&caller(app, creator).await, fresh_key(), opening).await.unwrap();
    other.operations.drain().await;
    let id = receipt.result.unwrap().record.id;
    Opened::from_body(app.get(&format!("/markets/{id}")).await.ok(200))
}

#[actix_web::test]
async fn fees_stay_in_pot_until_settlement() {
    let app = TestApp::start().await;
    let (creator, ann, admin) = (app.user("carl").await, app.user("ann").await, app.admin().await);
    let market = open_with_fee(&app, &creator).await;
    assert_eq!((&market.body["feeBps"], &market.body["endDate"]), (&json!(200), &json!(END_DATE)));

    let quote = json!({ "optionId": market.options[0], "side": "buy", "amount": "50" });
    let quoted = app.post(&market.at("quotes")).json(&quote).await.ok(200);
    let bet = market.bet(&app, &ann, 0, "50").await;
    for field in ["amount", "fee", "shares", "averagePrice"] {
        assert_eq!(quoted[field], bet[field], "{field}");
    }
    assert_eq!(
        (&bet["amount"], &bet["fee"], &bet["balance"]),
        (&json!("50.00"), &json!("1.00"), &json!("950.00"))
    );
    let sale = market.sell(&app, &ann, 0, "35.50").await;
    let minor =
        |text: &serde_json::Value| text.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    let (proceeds, fee) = (minor(&sale["amount"]), minor(&sale["fee"]));
    assert_eq!(fee, (proceeds + fee + 49) / 50, "two percent of the whole, rounded up");
    assert_eq!(balance(&app, &ann).await, 95_000 + proceeds);

    let tiny = json!({ "optionId": market.options[0], "amount": "0.01" });
    command(&app, &market.at("bets"), &ann, &tiny).await.refused(409, "TRADE_TOO_SMALL");
    let held = balance(&app, &ann).await;
    let winner = json!({ "optionId": market.options[0] });
    command(&app, &market.at("resolution"), &creator, &winner).await.ok(200);
    assert_eq!(balance(&app, &ann).await, held + minor(&bet["shares"]) - 3_550);
    let fees = app
        .application
        .ledger
        .get_account(&caller(&app, &admin).await, AccountId::FEES)
        .await
        .unwrap();
    assert_eq!(fees.account.balance().minor(), 100 + fee);
    audit(&app).await;
}

#[actix_web::test]
async fn cancelled_market_refunds_fees() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open_with_fee(&app, &creator).await;
    market.bet(&app, &ann, 0, "50").await;
    market.sell(&app, &ann, 0, "all").await;
    app.post(&market.at("cancellation")).by(&creator).key(&fresh_key()).await.ok(200);
    assert_eq!((balance(&app, &ann).await, balance(&app, &creator).await), (100_000, 100_000));
    audit(&app).await;
}
