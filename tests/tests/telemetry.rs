//! Tests of the traces and errors that a server sends.

use foretell_tests::{Collector, Database, Server, on_each_database, send, text};
use reqwest::Method;

on_each_database!(requests_batches_and_errors_reach_the_collector);

async fn requests_batches_and_errors_reach_the_collector(database: Database) {
    let collector = Collector::start().await;
    let mut server = Server::start_with(database, &collector.settings()).await;
    let ada = server.register("ada").await;
    ada.pay(&server.register("ben").await, "1.00").await.expect(201);
    server.home().execute("ALTER TABLE posts RENAME TO lost");
    let failed = ada.get("/posts").await.expect(500);
    let request_id = text(&failed.body["requestId"]);
    server.stop_cleanly().await;

    let traces = collector.received("/v1/traces").await.concat();
    for name in
        ["POST /api/v1/transfers", "GET /api/v1/posts", "writer.batch", "money_batch", "job.run"]
    {
        assert!(traces.contains(name), "{name} is in no trace: {traces}");
    }
    let errors = collector.received("/api/7/envelope/").await;
    let error = errors.iter().find(|error| error.contains(&request_id));
    let error = error.unwrap_or_else(|| panic!("{request_id} is in none of {errors:?}"));
    for part in [r#""message":"a request failed""#, r#""route":"/api/v1/posts""#] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[tokio::test]
async fn only_trusted_proxy_decides_sampling() {
    let sent = async |trusted_proxies| {
        let collector = Collector::start().await;
        let mut settings = collector.settings();
        settings.push(("FORETELL__TRACES__SAMPLE_PERCENT", "0"));
        settings.push(("FORETELL__SERVER__TRUSTED_PROXIES", trusted_proxies));
        let mut server = Server::start_with(Database::Sqlite, &settings).await;
        let traced = server.client().request(Method::GET, "/markets");
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        send(traced.header("traceparent", trace)).await.expect(200);
        server.client().get("/posts").await.expect(200);
        server.stop_cleanly().await;
        collector.received("/v1/traces").await
    };
    let traces = sent("127.0.0.1").await.concat();
    assert!(
        traces.contains("GET /api/v1/markets") && !traces.contains("GET /api/v1/posts"),
        "{traces}"
    );
    assert_eq!(sent("192.0.2.1").await, Vec::<String>::new());
}

#[tokio::test]
async fn unavailable_collector_does_not_affect_server() {
    let settings = [
        ("FORETELL__TRACES__ENDPOINT", "http://127.0.0.1:9/v1/traces"),
        ("FORETELL__SENTRY__DSN", "http://0123456789@127.0.0.1:9/7"),
    ];
    let mut server = Server::start_with(Database::Sqlite, &settings).await;
    server.register("ada").await;
    server.stop_cleanly().await;
    // The log contains the failed export, or the one that it no longer waits for.
    let tells = ["BatchSpanProcessor.ExportError", "BatchSpanProcessor.Shutdown.Timeout"];
    assert!(tells.iter().any(|told| server.log().contains(told)), "{}", server.log());
}
