//! A disk that is full under load, and then has space again.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use foretell_tests::{Server, size};

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{CLIENTS, Crowd};
use super::seed::Seed;

/// Size of the disk.
const DISK_MIB: u32 = 96;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_rejects_writes_until_space_is_free() {
    let seed = Seed::given();
    let mut chance = seed.chance(0);
    let server = Server::start_on_disk(DISK_MIB, &PATIENT).await;
    let crowd = Crowd::gather(&server).await;
    let mut auditor = Auditor::begin(&server, &crowd).await;
    let filler = server.path_of(&server.home().data_dir().join("filler"));
    for round in 1..=size("FORETELL_TEST_FULL_DISKS", 2, 50) {
        let load = crowd.start(&seed, round);
        load.reach(1 + chance.below(6 * CLIENTS)).await;
        fill(&filler);
        load.wait_for_turned_away(2 * CLIENTS).await;
        check_reads_go_on(&server, &crowd).await;

        std::fs::remove_file(&filler).unwrap();
        load.wait_for_others(2 * CLIENTS).await;
        auditor.check(&server, &crowd, load.stop_answered().await).await;
    }
    let findings = auditor.finish(&server, &crowd).await;
    eprintln!("{findings:?}");
    assert!(server.log().contains("database or disk is full"), "the log says why");
    // It reads every page, and checks tables, indexes and the ledger.
    server.command("backup create").run().await.succeeded();
}

/// Writes a file that takes all free space.
fn fill(path: &Path) {
    let mut filler = File::create(path).unwrap();
    // Finally a page, or the remaining space could hold another one.
    for block in [vec![0; 1 << 20], vec![0; 4_096]] {
        let full = loop {
            if let Err(error) = filler.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }
}

/// Checks that stored data is readable, and the server reports that it is alive.
async fn check_reads_go_on(server: &Server, crowd: &Crowd) {
    server.client().get("/livez").await.expect(200);
    server.client().get("/markets").await.expect(200);
    for user in &crowd.users {
        user.balance().await;
    }
}
