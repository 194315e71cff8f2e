//! A link to Postgres that is lost during a commit, so that the server does not know its result.

use foretell_tests::{Cut, Database, Home, Proxy, Server, size};
use futures::future::join_all;

use super::PATIENT;
use super::auditor::Auditor;
use super::crowd::{Crowd, SendResult, Sent, send_result};
use super::seed::Seed;

/// Number of concurrent commands of each kind.
const COMMANDS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_with_lost_response_happens_once() {
    let seed = Seed::given();
    let home = Home::new(Database::Postgres);
    let proxy = Proxy::start(home.database_url().unwrap()).await;
    let settings = [PATIENT[0], PATIENT[1], ("DATABASE_URL", proxy.url())];
    // Otherwise some of the interrupted commits would be those of jobs.
    let server = Server::start_without_worker(home, &settings).await;
    let crowd = Crowd::gather(&server).await;
    let mut auditor = Auditor::begin(&server, &crowd).await;

    let cuts = size("FORETELL_TEST_COMMIT_CUTS", 60, 2_000);
    let mut sent = Vec::new();
    for round in 0..cuts {
        let kinds = [Cut::BeforeAnswer, Cut::BeforeLateCommit, Cut::BeforeCommit];
        proxy.cut_next_commit(kinds[round % kinds.len()]);
        sent.extend(send_at_once(&crowd, &seed, round).await);
        assert_eq!(proxy.cuts(), round + 1, "each round has its cut");
    }
    let unknown = server.log().matches("money batch: commit unknown").count();
    assert_eq!(unknown, cuts, "of no commit that was cut does the server know what became of it");
    auditor.check(&server, &crowd, sent).await;
    auditor.finish(&server, &crowd).await;
}

/// Sends some commands at once; each gets a normal response.
async fn send_at_once(crowd: &Crowd, seed: &Seed, round: usize) -> Vec<Sent> {
    let commands = (0..COMMANDS).map(async |n| {
        let mut chance = seed.chance(round * COMMANDS + n);
        let command = crowd.choose(n % crowd.users.len(), &mut chance);
        let sender = &crowd.users[command.user];
        let answer = sender.post_once(&command.path, &command.key, command.body.clone()).await;
        crowd.learn(&command, &answer);
        let result = send_result(answer);
        assert!(matches!(result, SendResult::Acknowledged(_)), "{command:?}: {result:?}");
        Sent { command, result }
    });
    join_all(commands).await
}
