//! A disk that is full under load, and then no longer.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use foretell_tests::{Server, size};

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{CLIENTS, Crowd};
use super::seed::Seed;

/// The size of the disk.
const DISK_MIB: u32 = 96;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_is_written_until_there_is_room() {
    let seed = Seed::given();
    let mut chance = seed.chance(0);
    let server = Server::start_on_disk(DISK_MIB, &PATIENT).await;
    let crowd = Crowd::gather(&server).await;
    let mut auditor = Auditor::begin(&server, &crowd).await;
    let filler = server.path_of(&server.home().data_dir().join("filler"));
    for round in 1..=size("FORETELL_TEST_FULL_DISKS", 5, 50) {
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
    // It is made of every page, and its tables, indexes and books are looked at.
    server.command("backup create").run().await.succeeded();
}

/// Writes a file that takes all the room there is.
fn fill(path: &Path) {
    let mut filler = File::create(path).unwrap();
    // A page at last, or what is left of one could take another.
    for block in [vec![0; 1 << 20], vec![0; 4_096]] {
        let full = loop {
            if let Err(error) = filler.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }
}

/// What was there is shown, and the server says that it lives.
async fn check_reads_go_on(server: &Server, crowd: &Crowd) {
    server.client().get("/livez").await.expect(200);
    server.client().get("/markets").await.expect(200);
    for user in &crowd.users {
        user.balance().await;
    }
}
