//! A server that is stopped under load, with open streams.

use foretell_tests::{Client, Database, Server, eventually, on_each_database, size, text};
use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::Value;

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{CLIENTS, Crowd, SendResult};
use super::seed::Seed;

on_each_database!(stopping_server_answers_every_request);

/// Number of open streams.
const STREAMS: usize = 50;

async fn stopping_server_answers_every_request(database: Database) {
    let seed = Seed::given();
    let unlimited = ("FORETELL__LIMITS__STREAMS_PER_USER", "0");
    let settings = [PATIENT[0], PATIENT[1], unlimited, ("FORETELL__SERVER__DRAIN_DELAY_S", "1")];
    let mut server = Server::start_with(database, &settings).await;
    let mut crowd = Crowd::gather(&server).await;
    let watched = crowd.users[0].open_market(&["Yes", "No"], "10").await;
    let mut auditor = Auditor::begin(&server, &crowd).await;
    for stop in 1..=size("FORETELL_TEST_STOPS", 2, 100) {
        let load = crowd.start(&seed, stop);
        load.reach(2 * CLIENTS).await;
        let streams = open_streams(&crowd.users[0], &watched).await;
        let anyone = server.client();
        let stopping = server.stop_cleanly();
        // Like a load balancer: requests in progress are awaited, and no new ones are sent.
        let leaving = async {
            let is_ending = async || (anyone.get("/readyz").await.status == 503).then_some(());
            eventually("the server to be no longer ready", is_ending).await;
            let kept = anyone.get("/livez").await.expect(200);
            assert_eq!(
                kept.header("connection"),
                Some("close"),
                "nobody comes back on this connection"
            );
            load.stop().await
        };
        let ((), sent) = tokio::join!(stopping, leaving);
        let is_acknowledged = |result: &SendResult| matches!(result, SendResult::Acknowledged(_));
        assert!(
            sent.iter().all(|sent| is_acknowledged(&sent.result)),
            "each was answered: {sent:?}"
        );
        for stream in streams {
            // It ends normally, without an interruption.
            stream.bytes().await.unwrap();
        }
        server.start_again().await;
        crowd.move_to(server.origin());
        auditor.check(&server, &crowd, sent).await;
    }
    let findings = auditor.finish(&server, &crowd).await;
    eprintln!("{database:?}: {findings:?}");
}

async fn open_streams(user: &Client, market: &Value) -> Vec<Response> {
    let path = format!("/markets/{}/events", text(&market["id"]));
    let streams = (0..STREAMS).map(|_| user.request(Method::GET, &path).send());
    let streams: Vec<_> = join_all(streams).await.into_iter().map(Result::unwrap).collect();
    assert!(streams.iter().all(|stream| stream.status() == 200));
    streams
}
