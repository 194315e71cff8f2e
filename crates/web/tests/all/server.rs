//! The real server over TCP: what a router in a test does not show.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use foretell_testkit::{FakeClock, MemoryStore};
use foretell_web::{ServeOptions, WebSettings, WebState, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::application;

/// Sends these bytes to a new server and returns all that it answers until it closes the connection.
async fn exchange(request: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let application = application(&MemoryStore::new(), &FakeClock::default()).await;
    let settings = WebSettings {
        secure_cookies: false,
        max_body_bytes: 1_000,
        body_timeout: Duration::from_millis(200),
        ..WebSettings::default()
    };
    let state = WebState { application: Arc::clone(&application), settings };
    let options = ServeOptions {
        workers: 1,
        keep_alive: Duration::from_secs(5),
        shutdown_timeout: Duration::from_secs(1),
        unread_timeout: Duration::from_secs(30),
    };
    let server = serve(listener, state, options).unwrap();
    let handle = server.handle();
    let running = tokio::spawn(server);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    read.await.expect("the server closes the connection").unwrap();
    handle.stop(true).await;
    running.await.unwrap().unwrap();
    application.drain().await;
    String::from_utf8(answer).unwrap()
}

fn check(answer: &str, status: &str, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
    assert!(answer.contains("\"success\":false"), "{answer}");
}

#[actix_web::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let request = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\n\r\n{\"email\":";
    check(&exchange(request).await, "408", "REQUEST_TIMEOUT");
}

#[actix_web::test]
async fn a_body_that_is_announced_too_large_is_not_read() {
    let request = "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 1001\r\n\r\n{";
    check(&exchange(request).await, "413", "PAYLOAD_TOO_LARGE");
}

#[actix_web::test]
async fn a_body_that_grows_too_large_is_not_read_to_its_end() {
    let chunk = "a".repeat(600);
    let request = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n258\r\n{chunk}\r\n258\r\n{chunk}\r\n"
    );
    check(&exchange(&request).await, "413", "PAYLOAD_TOO_LARGE");
}

#[actix_web::test]
async fn strangers_need_not_send_their_body() {
    let request = "POST /api/v1/transfers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\nConnection: close\r\n\r\n";
    check(&exchange(request).await, "401", "UNAUTHORIZED");
}

#[actix_web::test]
async fn head_is_get_without_a_body() {
    let request = "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = exchange(request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-length: 39"), "{answer}");
    assert_eq!(body, "");
}
