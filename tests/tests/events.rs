//! Tests of event streams of the real server: without gaps or repetitions over broken connections
//! and several nodes, and without delaying its shutdown.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::net::SocketAddr;
use std::time::Duration;

use foretell_tests::{Chance, Client, Database, Home, Server, on_each_database, text};
use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

on_each_database!(
    interrupted_stream_resumes,
    streams_end_with_the_server,
    streams_over_the_limit_are_rejected,
    client_that_does_not_read_is_disconnected
);

/// Number of times that the stream is interrupted.
const CUTS: usize = 100;

/// A received event: its id, and its data.
type Event = (String, Value);

/// A stream of events with its received data.
struct Stream {
    response: Response,
    unread: Vec<u8>,
}

impl Stream {
    async fn open(client: &Client, market: &Value, last: Option<&str>) -> Self {
        let request =
            client.request(Method::GET, &format!("/markets/{}/events", text(&market["id"])));
        let request = match last {
            Some(last) => request.header("Last-Event-ID", last),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, unread: Vec::new() }
    }

    /// Returns the events in the next chunk of the stream; `None` at its end.
    async fn chunk(&mut self) -> Option<Vec<Event>> {
        self.unread.extend_from_slice(&self.response.chunk().await.unwrap()?);
        let whole =
            self.unread.windows(2).rposition(|bytes| bytes == b"\n\n").map_or(0, |end| end + 2);
        let blocks: Vec<_> = self.unread.drain(..whole).collect();
        Some(
            String::from_utf8(blocks).unwrap().split_terminator("\n\n").filter_map(event).collect(),
        )
    }
}

/// Returns the event of a block, unless it is a comment or similar.
fn event(block: &str) -> Option<Event> {
    let id = block.strip_prefix("id: ")?.split('\n').next()?;
    let data = block.split("\ndata: ").nth(1)?;
    Some((id.to_owned(), serde_json::from_str(data).unwrap()))
}

/// Bets until it is stopped, and closes the market.
async fn trade(traders: &[Client], market: &Value, rounds: usize) {
    for round in 0..rounds {
        let bets = traders.iter().map(|trader| trader.bet(market, round % 2, "0.10"));
        for answer in join_all(bets).await {
            answer.expect(201);
        }
    }
    traders[0]
        .post(&format!("/markets/{}/close", text(&market["id"])), json!({}))
        .await
        .expect(200);
}

/// Starts another server on the same database.
async fn second_node(first: &Server) -> Server {
    let url = first.home().database_url().unwrap();
    Server::start_in(Home::new(Database::Sqlite), &[("DATABASE_URL", url)]).await
}

async fn interrupted_stream_resumes(database: Database) {
    let server = Server::start(database).await;
    // Postgres supports two nodes, one of which trades while both stream.
    let second = match database {
        Database::Sqlite => None,
        Database::Postgres => Some(second_node(&server).await),
    };
    let origins = [server.origin(), second.as_ref().unwrap_or(&server).origin()];
    let mut traders = Vec::new();
    for name in ["ada", "ben", "cleo", "dan"] {
        traders.push(server.register(name).await);
    }
    let market = traders[0].open_market(&["Yes", "No"], "100.00").await;
    let following = async {
        let mut chance = Chance::new(17);
        let (mut seen, mut last) = (Vec::new(), "0-open".to_owned());
        for cut in 0.. {
            let client = server.client().moved_to(origins[cut % 2]);
            let mut stream = Stream::open(&client, &market, Some(&last)).await;
            let mut wanted = if cut < CUTS { chance.below(20) } else { usize::MAX };
            while wanted > 0 {
                let Some(events) = stream.chunk().await else { return (seen, cut) };
                // The connection breaks between any two events, not only at the boundaries of
                // chunks.
                for (id, data) in events.into_iter().take(wanted) {
                    wanted -= 1;
                    last.clone_from(&id);
                    let is_end = id.ends_with("-closed");
                    seen.push((id, data));
                    if is_end {
                        return (seen, cut);
                    }
                }
            }
        }
        panic!("there is always another cut")
    };
    let ((), (seen, cuts)) = tokio::join!(trade(&traders, &market, 300), following);
    assert!(cuts >= CUTS, "the stream was broken off {cuts} times");
    let mut bets = server.client().all(&format!("/markets/{}/bets", text(&market["id"]))).await;
    bets.reverse();
    let (end, told) = seen.split_last().unwrap();
    assert_eq!(
        told.iter().map(|(_, data)| data).collect::<Vec<_>>(),
        bets.iter().collect::<Vec<_>>()
    );
    assert_eq!((end.0.as_str(), &end.1["status"]), ("1200-closed", &json!("closed")));
}

async fn streams_end_with_the_server(database: Database) {
    let mut server =
        Server::start_with(database, &[("FORETELL__SERVER__SHUTDOWN_TIMEOUT_S", "3600")]).await;
    let ada = server.register("ada").await;
    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    let streams = (0..20).map(|_| Stream::open(&ada, &market, None));
    let mut streams = join_all(streams).await;
    for stream in &mut streams {
        while stream.chunk().await.expect("the stream begins").is_empty() {}
    }
    server.stop_cleanly().await;
    for mut stream in streams {
        assert!(stream.chunk().await.is_none(), "it ends as it should, not broken off");
    }
}

async fn streams_over_the_limit_are_rejected(database: Database) {
    let settings = [
        ("FORETELL__LIMITS__STREAMS_PER_USER", "1"),
        ("FORETELL__LIMITS__STREAMS_PER_ADDRESS", "2"),
        ("FORETELL__LIMITS__STREAMS", "4"),
    ];
    let server = Server::start_with(database, &settings).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let cleo = server.register("cleo").await;
    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    let path = format!("/markets/{}/events", text(&market["id"]));
    let rejected = async |client: &Client| {
        let response = client.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
    };
    let anonymous = server.client();
    let first = Stream::open(&anonymous, &market, None).await;
    let _second = Stream::open(&anonymous, &market, None).await;
    rejected(&anonymous).await;
    let _of_ada = Stream::open(&ada, &market, None).await;
    rejected(&ada).await;
    let _of_ben = Stream::open(&ben, &market, None).await;
    rejected(&cleo).await;
    // A client that disconnects frees its slot at once, although the market has no events.
    drop(first);
    let begun = tokio::time::Instant::now();
    while cleo.request(Method::GET, &path).send().await.unwrap().status() != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the stream that was dropped still counts"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Opens a connection whose small segments cause small buffers on both sides.
fn narrow_connection(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    TcpStream::from_std(socket.into()).unwrap()
}

async fn client_that_does_not_read_is_disconnected(database: Database) {
    let server = Server::start_with(database, &[("FORETELL__SERVER__UNREAD_TIMEOUT_S", "1")]).await;
    let mut traders = Vec::new();
    for name in ["ada", "ben", "cleo", "dan", "eve", "fay", "gus", "hal"] {
        traders.push(server.register(name).await);
    }
    let market = traders[0].open_market(&["Yes", "No"], "100.00").await;
    // More than the buffers of both sides can hold.
    trade(&traders, &market, 100).await;
    // So that the stream would end by itself.
    let winner = json!({"optionId": market["options"][0]["id"]});
    let judge = server.admin().await;
    judge.post(&format!("/markets/{}/resolution", text(&market["id"])), winner).await.expect(200);
    let mut connection = narrow_connection(traders[0].address().parse().unwrap());
    let path = format!("/api/v1/markets/{}/events", text(&market["id"]));
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 0-open\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut read = Vec::new();
    let ended = connection.read_to_end(&mut read).await;
    let events = String::from_utf8_lossy(&read).matches("\nevent: trade\n").count();
    assert!(events < 800, "{events} events came to one who did not read: {ended:?}");
}
