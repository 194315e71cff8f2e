//! A server that is killed under load, like `kill -9`, and restarted on its data.

use foretell_tests::{Database, Server, on_each_database, size};

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{CLIENTS, Crowd};
use super::seed::Seed;

on_each_database!(acknowledged_commands_survive_kills);

async fn acknowledged_commands_survive_kills(database: Database) {
    let seed = Seed::given();
    let mut chance = seed.chance(0);
    let mut server = Server::start_with(database, &PATIENT).await;
    let mut crowd = Crowd::gather(&server).await;
    let mut auditor = Auditor::begin(&server, &crowd).await;
    for cycle in 1..=size("FORETELL_TEST_CRASH_CYCLES", 15, 1_000) {
        let load = crowd.start(&seed, cycle);
        load.reach(1 + chance.below(6 * CLIENTS)).await;
        server.kill();
        let sent = load.stop().await;

        let left_behind = server.home().connections();
        server.start_again().await;
        server.home().wait_until_closed(&left_behind).await;
        crowd.move_to(server.origin());
        auditor.check(&server, &crowd, sent).await;
    }
    let findings = auditor.finish(&server, &crowd).await;
    eprintln!("{database:?}: {findings:?}");
    server.stop_cleanly().await;
}
