//! A link to Postgres that is slow, narrow, silent, or broken repeatedly, under load.

use std::time::Duration;

use foretell_tests::{Condition, Database, End, Home, Server, Wire, size};

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{CLIENTS, Crowd};
use super::seed::Seed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_commands_survive_bad_link() {
    let seed = Seed::given();
    let home = Home::new(Database::Postgres);
    let wire = Wire::start(home.database_url().unwrap()).await;
    let settings = [PATIENT[0], PATIENT[1], ("DATABASE_URL", wire.url())];
    let server = Server::start_in(home, &settings).await;
    let crowd = Crowd::gather(&server).await;
    let mut auditor = Auditor::begin(&server, &crowd).await;
    for round in 1..=size("FORETELL_TEST_BAD_LINKS", 2, 50) {
        let load = crowd.start(&seed, round);
        for condition in [
            Condition::Slow(Duration::from_millis(20)),
            Condition::Narrow(200_000),
            // Until then no error is visible; data in transit is lost with the connections.
            Condition::Silent,
        ] {
            wire.make(condition);
            if condition == Condition::Silent {
                tokio::time::sleep(Duration::from_millis(500)).await;
            } else {
                load.wait_for_others(CLIENTS).await;
            }
            for end in [End::Closed, End::Reset] {
                wire.end_all(end);
                wire.make(Condition::Good);
                load.wait_for_others(CLIENTS).await;
            }
        }
        auditor.check(&server, &crowd, load.stop_answered().await).await;
    }
    let findings = auditor.finish(&server, &crowd).await;
    eprintln!("{findings:?}");
}
