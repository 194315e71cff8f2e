//! Rejections of malformed requests: bodies and headers as bytes.

use foretell_tests::{Client, Database, Server, eventually, new_key, on_each_database, send};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

on_each_database!(
    invalid_bodies_are_rejected,
    invalid_keys_are_rejected,
    bodies_have_size_and_time_limits
);

fn post(client: &Client) -> RequestBuilder {
    client.request(Method::POST, "/transfers").header("Idempotency-Key", new_key())
}

async fn invalid_bodies_are_rejected(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let good =
        json!({"fromAccountId": ada.account_id, "toAccountId": ben.account_id, "amount": "1.00"})
            .to_string();

    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "json",
        "",
    ];
    for media_type in types {
        let request = post(&ada).header("Content-Type", media_type).body(good.clone());
        send(request).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    send(post(&ada).body(good.clone())).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let packed =
        post(&ada).header("Content-Type", "application/json").header("Content-Encoding", "gzip");
    send(packed.body(good.clone())).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");

    let twice = good.replacen('{', "{\"amount\": \"2.00\", ", 1);
    let broken = [
        "",
        "{",
        "nonsense",
        "{} {}",
        "{'amount': 1}",
        "\u{feff}{}",
        &good[..good.len() - 1],
        &twice,
    ];
    for body in broken {
        let request = post(&ada).header("Content-Type", "application/json").body(body.to_owned());
        send(request).await.refused(400, "MALFORMED_JSON");
    }
    let request =
        post(&ada).header("Content-Type", "application/json").body(&b"{\"memo\": \"\xff\"}"[..]);
    send(request).await.refused(400, "MALFORMED_JSON");
    let deep = format!("{{\"amount\": {}", "[".repeat(100_000));
    let request = post(&ada).header("Content-Type", "application/json").body(deep);
    send(request).await.refused(400, "MALFORMED_JSON");
    for body in ["[]", "5", "null", "\"x\""] {
        let request = post(&ada).header("Content-Type", "application/json").body(body);
        let answer = send(request).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.field_errors(), [(String::new(), "type".to_owned())], "{body}");
    }
    assert_eq!(foretell_tests::money(ada.balance().await), "1000.00", "nothing was done");

    // In another spelling and with a parameter it is the same JSON.
    let request = post(&ada).header("Content-Type", "Application/JSON; charset=UTF-8").body(good);
    send(request).await.expect(201);
}

async fn invalid_keys_are_rejected(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let body =
        json!({"fromAccountId": ada.account_id, "toAccountId": ben.account_id, "amount": "1.00"});
    let long = "k".repeat(256);
    for (keys, code) in [
        (&[""][..], "length"),
        (&[&long], "length"),
        (&["a b"], "format"),
        (&["a", "b"], "repeated"),
        (&["a", "a"], "repeated"),
    ] {
        let request = ada.request(Method::POST, "/transfers").json(&body);
        let request =
            keys.iter().fold(request, |request, key| request.header("Idempotency-Key", *key));
        let answer = send(request).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(
            answer.field_errors(),
            [("Idempotency-Key".to_owned(), code.to_owned())],
            "{keys:?}"
        );
    }
    assert_eq!(foretell_tests::money(ada.balance().await), "1000.00", "nothing was done");
    ada.post_once("/transfers", &"k".repeat(255), body).await.expect(201);
}

async fn bodies_have_size_and_time_limits(database: Database) {
    let limits = [
        ("FORETELL__SERVER__MAX_BODY_BYTES", "2048"),
        ("FORETELL__SERVER__REQUEST_BODY_TIMEOUT_S", "1"),
    ];
    let server = Server::start_with(database, &limits).await;
    let ada = server.register("ada").await;
    let head = format!(
        "POST /api/v1/transfers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nIdempotency-Key: k\r\n\
         Content-Type: application/json\r\n",
        ada.token.as_deref().unwrap()
    );
    let announced = exchange(&server, &format!("{head}Content-Length: 2049\r\n\r\n")).await;
    check(&announced, 413, "PAYLOAD_TOO_LARGE");
    let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}{chunk}0\r\n\r\n");
    check(&exchange(&server, &chunked).await, 413, "PAYLOAD_TOO_LARGE");
    let slow = exchange(&server, &format!("{head}Content-Length: 100\r\n\r\n{{\"amount\":")).await;
    check(&slow, 408, "REQUEST_TIMEOUT");
    let slow =
        exchange(&server, &format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{\"")).await;
    check(&slow, 408, "REQUEST_TIMEOUT");

    let fits = " ".repeat(2_046) + "{}";
    let request = post(&ada).header("Content-Type", "application/json").body(fits);
    send(request).await.refused(400, "VALIDATION_ERROR");
}

fn check((status, body): &(u16, Value), expected: u16, code: &str) {
    assert_eq!((*status, &body["code"]), (expected, &json!(code)), "{body:#}");
    assert_eq!(body["success"], false, "{body:#}");
}

/// Sends bytes and reads one response with a JSON body.
async fn exchange(server: &Server, request: &str) -> (u16, Value) {
    let address = server.origin().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    eventually("an answer", async || {
        let mut bytes = [0; 4_096];
        let count = stream.read(&mut bytes).await.unwrap();
        read.extend_from_slice(&bytes[..count]);
        let answer = parse(std::str::from_utf8(&read).unwrap());
        assert!(count > 0 || answer.is_some(), "the connection ended without an answer: {read:?}");
        answer
    })
    .await
}

/// Returns status and body, once both are complete.
fn parse(answer: &str) -> Option<(u16, Value)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}
