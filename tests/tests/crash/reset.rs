//! Connections that clients reset in the middle of a request, or before the response.

use foretell_tests::{Chance, Database, Server, on_each_database, size};
use futures::future::join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::PATIENT;
use super::auditor::Auditor;
use super::command::Command;
use super::crowd::{Crowd, Load, SendResult, Sent};
use super::seed::Seed;

on_each_database!(command_of_reset_connection_is_atomic);

/// Number of connections that are opened and reset at once.
const CONNECTIONS: usize = 20;

async fn command_of_reset_connection_is_atomic(database: Database) {
    let seed = Seed::given();
    let mut chance = seed.chance(0);
    let mut server = Server::start_with(database, &PATIENT).await;
    let mut crowd = Crowd::gather(&server).await;
    let mut auditor = Auditor::begin(&server, &crowd).await;
    // Other clients continue as usual.
    let load = crowd.start(&seed, 1);
    let mut sent = Vec::new();
    for round in 0..size("FORETELL_TEST_RESETS", 400, 50_000) / CONNECTIONS {
        if round % 2 == 0 {
            sent.extend(reset_at_work(&crowd, &load, &mut chance).await);
        } else {
            sent.extend(reset_in_line(&server, &crowd, &mut chance).await);
        }
    }
    let whole = sent.iter().filter(|sent| matches!(sent.result, SendResult::Unanswered(_))).count();
    assert!(
        (sent.len() / 10..sent.len()).contains(&whole),
        "{whole} of {} were sent whole",
        sent.len()
    );
    sent.extend(load.stop().await);

    // A stopping server first finishes accepted commands, also of clients that are gone.
    server.stop_cleanly().await;
    server.start_again().await;
    crowd.move_to(server.origin());
    auditor.check(&server, &crowd, sent).await;
    let findings = auditor.finish(&server, &crowd).await;
    eprintln!("{database:?}: {findings:?}");
}

/// Resets connections after a few other clients have got their responses.
async fn reset_at_work(crowd: &Crowd, load: &Load, chance: &mut Chance) -> Vec<Sent> {
    let connections = (0..CONNECTIONS).map(|_| (Opened::choose(crowd, chance), chance.below(4)));
    let reset = connections.map(async |(opened, others)| {
        let connection = opened.send(crowd).await;
        load.wait_for_others(others).await;
        reset(connection);
        opened.sent()
    });
    join_all(reset).await
}

/// Resets connections whose commands wait for others to write.
async fn reset_in_line(server: &Server, crowd: &Crowd, chance: &mut Chance) -> Vec<Sent> {
    let hold = server.home().hold_writers();
    let all: Vec<_> = (0..CONNECTIONS).map(|_| Opened::choose(crowd, chance)).collect();
    let connections = join_all(all.iter().map(|opened| opened.send(crowd))).await;
    // The server has time to accept the requests, and then to notice the resets.
    server.client().get("/livez").await.expect(200);
    connections.into_iter().for_each(reset);
    server.client().get("/livez").await.expect(200);
    drop(hold);
    all.into_iter().map(Opened::sent).collect()
}

/// A command that is sent up to a random byte, often completely.
struct Opened {
    command: Command,
    request: Vec<u8>,
    cut: usize,
}

impl Opened {
    fn choose(crowd: &Crowd, chance: &mut Chance) -> Self {
        let command = crowd.choose(chance.below(crowd.users.len()), chance);
        let request = command.to_bytes(&crowd.users[command.user]);
        let cut = chance.below(request.len() * 3 / 2).min(request.len());
        Self { command, request, cut }
    }

    async fn send(&self, crowd: &Crowd) -> TcpStream {
        let mut connection = TcpStream::connect(crowd.users[0].address()).await.unwrap();
        connection.set_nodelay(true).unwrap();
        connection.write_all(&self.request[..self.cut]).await.unwrap();
        connection
    }

    fn sent(self) -> Sent {
        let is_whole = self.cut == self.request.len();
        let result = if is_whole {
            SendResult::Unanswered("reset".to_owned())
        } else {
            SendResult::Incomplete
        };
        Sent { command: self.command, result }
    }
}

/// Closes a connection with a reset.
fn reset(connection: TcpStream) {
    connection.set_zero_linger().unwrap();
    drop(connection);
}
