//! Cache of rendered markets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foretell_application::ApplicationSettings;
use foretell_domain::time::Timestamp;
use foretell_ports::market::MarketDetails;
use futures::future::join_all;

use crate::support::Fixture;

/// Number of times that a market was read and rendered, by the only test that counts.
static WRITTEN: AtomicUsize = AtomicUsize::new(0);

#[expect(clippy::unnecessary_wraps, reason = "the signature of what writes markets out")]
fn count(details: &MarketDetails, _: Timestamp, _: &ApplicationSettings) -> Option<Vec<u8>> {
    WRITTEN.fetch_add(1, Ordering::SeqCst);
    // Others arrive meanwhile, and find no entry yet.
    std::thread::sleep(Duration::from_millis(100));
    Some(details.market.record().version.to_string().into_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousand_readers_of_cold_market_share_query() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await.market;
    let id = market.id();
    let readers = (0..1_000).map(|_| {
        let app = Arc::clone(&fixture.app);
        tokio::spawn(async move { app.markets.show_market(id, count).await.unwrap() })
    });
    for page in join_all(readers).await {
        assert_eq!(&*page.unwrap(), b"1");
    }
    assert_eq!(WRITTEN.load(Ordering::SeqCst), 1);
}
