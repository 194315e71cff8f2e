//! Thousands of users with shares of one market, created by the application itself within the test:
//! over HTTP, each would wait for a password to be hashed.

use std::sync::Arc;
use std::time::Duration;

use foretell::{DatabaseConfig, Foretell};
use foretell_application::writer::WriterSettings;
use foretell_application::{
    Application, ApplicationSettings, Caller, Credential, Registration, TradeTarget,
};
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::market::BuyOrder;
use foretell_domain::money::Amount;
use foretell_domain::text::{Email, UserName};
use foretell_domain::user::Role;
use foretell_security::{SystemClock, UuidV7Ids};
use foretell_testkit::new_password;
use foretell_tests::{Home, text};
use futures::future::join_all;
use serde_json::Value;

/// Number of concurrent requests.
const AT_ONCE: usize = 500;

/// Registers users in the home of a stopped server, and places a bet of each on one option of the
/// market.
pub(super) async fn register_holders(home: &Home, market: &Value, count: usize) {
    let application = application_in(home).await;
    let options = market["options"].as_array().unwrap();
    let options: Vec<OptionId> =
        options.iter().map(|option| text(&option["id"]).parse().unwrap()).collect();
    let target = TradeTarget {
        market_id: text(&market["id"]).parse::<MarketId>().unwrap(),
        client_id: None,
    };
    let numbers: Vec<_> = (0..count).collect();
    for numbers in numbers.chunks(AT_ONCE) {
        let holders = numbers.iter().map(async |number| {
            let holder = register(&application, *number).await;
            let amount = Amount::new(100 + i64::try_from(number % 97).unwrap()).unwrap();
            let option_id = options[number % options.len()];
            let order = BuyOrder { option_id, amount, min_shares: None, max_price: None };
            let bet = application
                .trading
                .place_bet(&holder, "bet".to_owned(), target, order)
                .await
                .unwrap();
            assert!(bet.result.is_ok(), "{bet:?}");
        });
        join_all(holders).await;
    }
    application.operations.drain().await;
}

async fn register(application: &Application, number: usize) -> Caller {
    let registration = Registration {
        email: Email::new(&format!("holder{number}@example.org")).unwrap(),
        name: UserName::new(format!("Holder {number}")).unwrap(),
        password: new_password("correct horse"),
        avatar: None,
        role: Role::User,
    };
    let (user, registered) = application.identity.register_user(registration).await.unwrap();
    let credential = Credential::Process;
    Caller { user, account_id: registered.account_id, credential }
}

/// Creates the application like the server, except for password hashing, which these users never
/// need.
async fn application_in(home: &Home) -> Arc<Application> {
    let file = home.sqlite_file().display().to_string();
    let url = home.database_url().unwrap_or(&file);
    let mut config = DatabaseConfig::new(url.parse().unwrap());
    config.wait = Duration::from_secs(30);
    let settings = ApplicationSettings {
        signup_grant: Some(Amount::new(10_000).unwrap()),
        session_trust: Duration::ZERO,
        writer: WriterSettings { max_wait: Duration::from_mins(1), ..WriterSettings::default() },
        ..ApplicationSettings::default()
    };
    let builder = Foretell::builder().database(config).fakes(1).clock(SystemClock).ids(UuidV7Ids);
    let foretell = builder.settings(settings).build().await.unwrap();
    Arc::clone(foretell.application())
}
