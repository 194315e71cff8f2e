//! Tests of the real server over TCP, for behaviour that a router in a test does not show.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use foretell_application::Application;
use foretell_testkit::{FakeClock, MemoryStore};
use foretell_web::{ConnectionLimits, ServeOptions, ServerHandle, WebSettings, WebState, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::application;

/// A server, stopped when dropped.
struct TestServer {
    address: SocketAddr,
    handle: ServerHandle,
    running: JoinHandle<std::io::Result<()>>,
    application: Arc<Application>,
}

impl TestServer {
    async fn start(connections: ConnectionLimits, keep_alive: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let application = application(&MemoryStore::new(), &FakeClock::default()).await;
        let settings = WebSettings {
            secure_cookies: false,
            max_body_bytes: 1_000,
            body_timeout: Duration::from_millis(200),
            ..WebSettings::default()
        };
        let state =
            WebState { application: Arc::clone(&application), settings, cursor_key: [7; 32] };
        let options = ServeOptions {
            workers: 1,
            keep_alive,
            shutdown_timeout: Duration::from_secs(1),
            unread_timeout: Duration::from_secs(30),
            connections,
        };
        let server = serve(listener, state, options).unwrap();
        let handle = server.handle();
        Self { address, handle, running: tokio::spawn(server), application }
    }

    async fn stop(self) {
        self.handle.stop(true).await;
        self.running.await.unwrap().unwrap();
        self.application.operations.drain().await;
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes over a new connection and returns everything received until it is closed.
    async fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        // The connection may be closed before anything is sent.
        let _ = stream.write_all(request.as_bytes()).await;
        read_all(&mut stream).await
    }
}

/// Reads everything until the connection is closed.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    // A connection that is reset has sent nothing more.
    let _ = read.await.expect("the server closes the connection");
    String::from_utf8(answer).unwrap()
}

/// Sends these bytes to a new server and returns everything that it sends until it closes the
/// connection.
async fn exchange(request: &str) -> String {
    let limits = ConnectionLimits { total: 1_000, per_address: 1_000 };
    let server = TestServer::start(limits, Duration::from_secs(5)).await;
    let answer = server.exchange(request).await;
    server.stop().await;
    answer
}

fn check(answer: &str, status: &str, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
    assert!(answer.contains("\"success\":false"), "{answer}");
}

#[actix_web::test]
async fn missing_body_times_out() {
    let request = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\n\r\n{\"email\":";
    check(&exchange(request).await, "408", "REQUEST_TIMEOUT");
}

#[actix_web::test]
async fn body_announced_too_large_is_not_read() {
    let request = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 1001\r\n\r\n{";
    check(&exchange(request).await, "413", "PAYLOAD_TOO_LARGE");
}

#[actix_web::test]
async fn body_growing_too_large_is_not_read() {
    let chunk = "a".repeat(600);
    let request = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n258\r\n{chunk}\r\n258\r\n{chunk}\r\n"
    );
    check(&exchange(&request).await, "413", "PAYLOAD_TOO_LARGE");
}

#[actix_web::test]
async fn unauthenticated_request_is_rejected_before_body() {
    let request = "POST /api/v1/transfers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\nConnection: close\r\n\r\n";
    check(&exchange(request).await, "401", "UNAUTHORIZED");
}

#[actix_web::test]
async fn head_returns_get_without_body() {
    let request = "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = exchange(request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-length: 39"), "{answer}");
    assert_eq!(body, "");
}

const LIVE: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
const MARKETS: &str = "GET /api/v1/markets HTTP/1.1\r\nHost: x\r\n\r\n";

/// Opens a connection that stays open after its first response.
async fn kept_open(server: &TestServer) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(MARKETS.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    stream
}

#[actix_web::test]
async fn connections_over_limit_serve_health_checks_only() {
    let limits = ConnectionLimits { total: 3, per_address: 1 };
    let server = TestServer::start(limits, Duration::from_mins(10)).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        kept.push(kept_open(&server).await);
    }
    // Each is closed after one response, although the client did not ask for that.
    check(&server.exchange(MARKETS).await, "503", "UNAVAILABLE");
    let answer = server.exchange(LIVE).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    // Connections that send nothing are replaced by newer ones.
    let mut idle = Vec::new();
    while idle.len() < 400 {
        idle.push(server.connect().await);
    }
    for _ in 0..20 {
        let answer = server.exchange(LIVE).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    drop(idle);
    drop(kept.pop());
    let begun = std::time::Instant::now();
    let answer = loop {
        let closing = MARKETS.replace("Host: x", "Host: x\r\nConnection: close");
        let answer = server.exchange(&closing).await;
        if answer.starts_with("HTTP/1.1 200") || begun.elapsed() > Duration::from_secs(10) {
            break answer;
        }
    };
    assert!(answer.starts_with("HTTP/1.1 200"), "closed connections make room: {answer}");
    drop(kept);
    server.stop().await;
}
