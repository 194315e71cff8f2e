//! A Postgres that is stopped immediately under load, and started again.

use foretell_tests::{Cluster, Home, Server, size};

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{CLIENTS, Crowd};
use super::seed::Seed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_commands_survive_postgres_crash() {
    let seed = Seed::given();
    let mut chance = seed.chance(0);
    let mut cluster = Cluster::start().await;
    let server = Server::start_in(Home::on_server(&cluster.url()), &PATIENT).await;
    let crowd = Crowd::gather(&server).await;
    let mut auditor = Auditor::begin(&server, &crowd).await;
    for outage in 1..=size("FORETELL_TEST_OUTAGES", 5, 300) {
        let load = crowd.start(&seed, outage);
        load.reach(1 + chance.below(6 * CLIENTS)).await;
        cluster.stop_at_once();
        check_is_down(&server).await;
        load.wait_for_turned_away(2 * CLIENTS).await;

        cluster.start_again().await;
        load.wait_for_others(CLIENTS).await;
        auditor.check(&server, &crowd, load.stop_answered().await).await;
    }
    let findings = auditor.finish(&server, &crowd).await;
    eprintln!("{findings:?}");
}

/// Checks that the server is alive, reports that it is not ready, and rejects reads.
async fn check_is_down(server: &Server) {
    let anyone = server.client();
    anyone.get("/livez").await.expect(200);
    anyone.get("/readyz").await.expect(503);
    anyone.get("/markets").await.refused(503, "UNAVAILABLE");
}
