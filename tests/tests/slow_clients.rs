//! Tests of clients that keep idle connections, or send too slowly: others are not affected, and
//! those that take too long are disconnected.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what serves tests fails like a test"
)]

use std::time::{Duration, Instant};

use foretell_tests::{Client, Database, Server, size, text};
use futures::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Number of idle connections after one response.
const IDLE: usize = 2_000;
/// Number of clients that send the headers of a request, and its body, a byte at a time.
const SLOW: usize = 50;
/// Number of other clients, and of the requests of each.
const OTHERS: usize = 8;
const REQUESTS: usize = 250;

/// Opens a connection and sends something.
async fn connect(server: &Server, sent: &str) -> TcpStream {
    let mut connection = TcpStream::connect(server.client().address()).await.unwrap();
    connection.write_all(sent.as_bytes()).await.unwrap();
    connection
}

/// Opens a connection whose first request has got a response.
async fn idle(server: &Server) -> TcpStream {
    let mut connection = connect(server, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut answer = [0; 15];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    connection
}

/// Sends a byte now and then until the server closes, and returns its response.
async fn trickle(mut connection: TcpStream) -> String {
    let (mut from, mut to) = connection.split();
    let send = async {
        while to.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = send => {}
        read = from.read_to_end(&mut answer) => drop(read),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Returns the 99th percentile of the duration of other requests.
async fn measure(client: &Client, path: &str) -> Duration {
    let ask = async || {
        let mut times = Vec::new();
        for _ in 0..REQUESTS {
            let begun = Instant::now();
            client.get(path).await.expect(200);
            times.push(begun.elapsed());
        }
        times
    };
    let mut times = join_all((0..OTHERS).map(|_| ask())).await.concat();
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_do_not_affect_others() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let settings = [("FORETELL__SERVER__REQUEST_BODY_TIMEOUT_S", "4")];
    let server = Server::start_with(Database::Sqlite, &settings).await;
    let ada = server.register("ada").await;
    let market = ada.open_market(&["Yes", "No"], "10").await;
    let path = format!("/markets/{}", text(&market["id"]));
    measure(&ada, &path).await;
    let before = measure(&ada, &path).await;

    let mut kept = Vec::new();
    for _ in 0..IDLE {
        kept.push(idle(&server).await);
    }
    let head = "POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\n";
    let body = format!("{head}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        for sent in [&format!("{head}X-Slow: "), &body] {
            slow.push(tokio::spawn(trickle(connect(&server, sent).await)));
        }
    }
    let with_them = measure(&ada, &path).await;
    eprintln!(
        "99 % within {before:?}, and {with_them:?} with {IDLE} idle and {} slow connections",
        2 * SLOW
    );
    for said in join_all(slow).await {
        let said = said.unwrap();
        assert!(said.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{said}");
    }
    drop(kept);
    // Twice as much on an idle machine; with other tests this shows that they are not affected.
    let most = u32::try_from(size("FORETELL_TEST_SLOW_FACTOR", 10, 2)).unwrap();
    assert!(
        with_them < before * most + Duration::from_millis(5),
        "{before:?} became {with_them:?}"
    );
}
