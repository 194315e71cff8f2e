//! HTTP sender: one POST request per message.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use foretell_domain::webhook::WebhookUrl;
use foretell_ports::webhook::{WebhookMessage, WebhookSecret, WebhookSendError, WebhookSender};
use tokio::task::spawn_blocking;
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::DefaultConnector;
use url::Url;

use crate::address;
use crate::resolver::{NoPublicAddress, ReceiverResolver};
use crate::retry_after;
use crate::signature;

/// Settings of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderSettings {
    /// `true` if messages may go to addresses that are not public, and unencrypted.
    pub allow_private: bool,
    /// Timeout of a request, from the connection to the response.
    pub timeout: Duration,
}

/// Sends messages by HTTP, each on a thread that may block.
pub struct HttpWebhookSender {
    agent: Agent,
    allow_private: bool,
}

impl HttpWebhookSender {
    /// Creates a sender with its own connections.
    #[must_use]
    pub fn new(settings: SenderSettings) -> Self {
        Self::resolving_by(DefaultResolver::default(), settings)
    }

    fn resolving_by(names: impl Resolver, settings: SenderSettings) -> Self {
        let SenderSettings { allow_private, timeout } = settings;
        let names = ReceiverResolver { names, is_public_only: !allow_private };
        let config = Agent::config_builder()
            .user_agent(concat!("Foretell/", env!("CARGO_PKG_VERSION")))
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(timeout))
            .build();
        Self { agent: Agent::with_parts(config, DefaultConnector::new(), names), allow_private }
    }

    /// Returns the URL to connect to. A host that is an IP address is never resolved, so it is
    /// checked here.
    fn target(&self, url: &WebhookUrl) -> Result<Url, WebhookSendError> {
        let forbidden = WebhookSendError::Forbidden;
        let target = Url::parse(url.as_str()).map_err(|_| forbidden("it is not a URL"))?;
        if self.allow_private {
            return Ok(target);
        }
        if target.scheme() != "https" {
            return Err(forbidden("it is not encrypted"));
        }
        let host = target.host_str().unwrap_or_default();
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(number) if !address::is_public(number) => {
                Err(forbidden("it is not a public address"))
            }
            _ => Ok(target),
        }
    }
}

#[async_trait]
impl WebhookSender for HttpWebhookSender {
    fn check(&self, url: &WebhookUrl) -> Result<(), WebhookSendError> {
        self.target(url).map(drop)
    }

    async fn send(
        &self,
        url: &WebhookUrl,
        secrets: &[WebhookSecret],
        message: &WebhookMessage,
    ) -> Result<(), WebhookSendError> {
        let request = self
            .agent
            .post(self.target(url)?.as_str())
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", signature::timestamp_s(message))
            .header("webhook-signature", signature::signatures(secrets, message));
        let body = message.body.clone();
        let sent = spawn_blocking(move || request.send(&body)).await;
        let sent = sent.map_err(|error| WebhookSendError::Unreachable(error.to_string()))?;
        let answer = sent.map_err(|error| failure(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(WebhookSendError::Gone),
            status => {
                let retry_after = retry_after::of(status, answer.headers(), SystemTime::now());
                Err(WebhookSendError::Refused { status: status.as_u16(), retry_after })
            }
        }
    }
}

/// Converts an error to a text without the URL, which may contain a secret of the receiver.
fn failure(error: &ureq::Error) -> WebhookSendError {
    match error {
        ureq::Error::Other(cause) if cause.is::<NoPublicAddress>() => {
            WebhookSendError::Forbidden("its name stands for no public address")
        }
        ureq::Error::Timeout(_) => WebhookSendError::Unreachable("it took too long".to_owned()),
        ureq::Error::BadUri(_) => WebhookSendError::Unreachable("its URL is not valid".to_owned()),
        error => WebhookSendError::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::net::{IpAddr, SocketAddr};
    use std::sync::Mutex;

    use foretell_domain::time::Timestamp;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use ureq::config::Config;
    use ureq::http::Uri;
    use ureq::unversioned::resolver::ResolvedSocketAddrs;
    use ureq::unversioned::transport::NextTimeout;

    use super::*;

    const MESSAGE_ID: &str = "a-market-7-open";

    fn message() -> WebhookMessage {
        let sent_at = Timestamp::from_micros(1_700_000_000_000_000);
        WebhookMessage { id: MESSAGE_ID.to_owned(), sent_at, body: b"{}".to_vec() }
    }

    fn settings(allow_private: bool) -> SenderSettings {
        SenderSettings { allow_private, timeout: Duration::from_secs(5) }
    }

    /// Starts a server that responds to one request per connection with each of these, and returns
    /// the requests.
    async fn receiver(
        answers: &'static [&'static str],
    ) -> (SocketAddr, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"{}") {
                    let mut some = [0; 1024];
                    let read = stream.read(&mut some).await.unwrap();
                    request.extend_from_slice(&some[..read]);
                }
                requests.push(String::from_utf8(request).unwrap());
                let answer =
                    format!("HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        });
        (address, requests)
    }

    async fn send(sender: &HttpWebhookSender, url: &str) -> Result<(), WebhookSendError> {
        let url = WebhookUrl::new(url).unwrap();
        sender.send(&url, &[WebhookSecret([1; 32])], &message()).await
    }

    #[tokio::test]
    async fn message_is_posted_with_headers() {
        let (address, requests) = receiver(&["204 No Content"]).await;
        let sender = HttpWebhookSender::new(settings(true));
        send(&sender, &format!("http://{address}/hook?for=us")).await.unwrap();
        let request = &requests.await.unwrap()[0];
        assert!(request.starts_with("POST /hook?for=us HTTP/1.1\r\n"), "{request}");
        for header in [
            "content-type: application/json",
            "webhook-id: a-market-7-open",
            "webhook-timestamp: 1700000000",
            "webhook-signature: v1,",
        ] {
            assert!(request.contains(header), "{header} is missing from {request}");
        }
    }

    #[tokio::test]
    async fn error_responses_and_redirects_are_failures() {
        let answers = &["500 Oops", "410 Gone", "307 Elsewhere\r\nLocation: http://127.0.0.1:9/"];
        let (address, requests) = receiver(answers).await;
        let sender = HttpWebhookSender::new(settings(true));
        let url = format!("http://{address}/");
        assert!(matches!(
            send(&sender, &url).await,
            Err(WebhookSendError::Refused { status: 500, .. })
        ));
        assert!(matches!(send(&sender, &url).await, Err(WebhookSendError::Gone)));
        assert!(matches!(
            send(&sender, &url).await,
            Err(WebhookSendError::Refused { status: 307, .. })
        ));
        assert_eq!(requests.await.unwrap().len(), 3);
        assert!(matches!(send(&sender, &url).await, Err(WebhookSendError::Unreachable(_))));
    }

    #[tokio::test]
    async fn refusal_carries_retry_after() {
        let (address, _) =
            receiver(&["503 Busy\r\nRetry-After: 120", "500 Oops\r\nRetry-After: 120"]).await;
        let sender = HttpWebhookSender::new(settings(true));
        for (status, expected) in [(503, Some(Duration::from_mins(2))), (500, None)] {
            let sent = send(&sender, &format!("http://{address}/")).await;
            let Err(WebhookSendError::Refused { status: found, retry_after }) = sent else {
                panic!("{sent:?}")
            };
            assert_eq!((found, retry_after), (status, expected));
        }
    }

    #[tokio::test]
    async fn private_address_receives_nothing() {
        let sender = HttpWebhookSender::new(settings(false));
        for url in [
            "http://example.org/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            let url = WebhookUrl::new(url).unwrap();
            assert!(matches!(sender.check(&url), Err(WebhookSendError::Forbidden(_))), "{url}");
            let sent = sender.send(&url, &[], &message()).await;
            assert!(matches!(sent, Err(WebhookSendError::Forbidden(_))), "{url}: {sent:?}");
        }
        let localhost = send(&sender, "https://localhost/").await;
        assert!(matches!(localhost, Err(WebhookSendError::Forbidden(_))), "{localhost:?}");
        assert!(sender.check(&WebhookUrl::new("https://8.8.8.8/").unwrap()).is_ok());
    }

    /// Resolver that returns other addresses each time.
    #[derive(Debug)]
    struct Rebinding(Mutex<VecDeque<Vec<IpAddr>>>);

    impl Resolver for Rebinding {
        fn resolve(
            &self,
            uri: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            for ip in self.0.lock().unwrap().pop_front().unwrap() {
                found.push(SocketAddr::new(ip, uri.port_u16().unwrap()));
            }
            Ok(found)
        }
    }

    #[tokio::test]
    async fn name_rebound_to_private_address_is_rejected() {
        let local = IpAddr::from([127, 0, 0, 1]);
        let answers = VecDeque::from([vec![local], vec![local, IpAddr::from([10, 0, 0, 1])]]);
        let names = Rebinding(Mutex::new(answers));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("https://rebinding.example:{port}/");
        let sender = HttpWebhookSender::resolving_by(names, settings(false));
        // The URL itself is acceptable, however often it is checked.
        assert!(sender.check(&WebhookUrl::new(&url).unwrap()).is_ok());
        for _ in 0..2 {
            let sent = send(&sender, &url).await;
            assert!(matches!(sent, Err(WebhookSendError::Forbidden(_))), "{sent:?}");
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "something was connected to");
    }
}
