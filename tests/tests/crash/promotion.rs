//! A Postgres that is lost under load, and its synchronous standby, which is promoted.

use foretell_tests::{Cluster, Home, Server, size};

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{CLIENTS, Crowd};
use super::seed::Seed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_commands_are_on_promoted_standby() {
    let seed = Seed::given();
    for promotion in 1..=size("FORETELL_TEST_PROMOTIONS", 2, 50) {
        let mut chance = seed.chance(promotion);
        let mut primary = Cluster::start().await;
        let standby = primary.start_standby().await;
        let server = Server::start_in(Home::on_server(&primary.url_with(&standby)), &PATIENT).await;
        let crowd = Crowd::gather(&server).await;
        let mut auditor = Auditor::begin(&server, &crowd).await;
        let load = crowd.start(&seed, promotion);
        load.reach(CLIENTS + chance.below(6 * CLIENTS)).await;
        primary.stop_at_once();
        load.wait_for_turned_away(CLIENTS).await;

        standby.promote();
        load.wait_for_others(2 * CLIENTS).await;
        auditor.check(&server, &crowd, load.stop().await).await;
        let findings = auditor.finish(&server, &crowd).await;
        eprintln!("{findings:?}");
    }
}
