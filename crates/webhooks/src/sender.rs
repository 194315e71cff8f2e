//! HTTP sender: one POST request per message.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use foretell_domain::webhook::WebhookUrl;
use foretell_ports::webhook::{WebhookMessage, WebhookSecret, WebhookSendError, WebhookSender};
use reqwest::dns::Resolve;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use thiserror::Error;

use crate::address;
use crate::resolver::{NoPublicAddress, ReceiverResolver, SystemResolver};
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

/// Sends messages by HTTP.
pub struct HttpWebhookSender {
    client: Client,
    allow_private: bool,
}

/// The HTTP client could not be created.
#[derive(Debug, Error)]
#[error("the HTTP client of webhooks could not be created")]
pub struct SenderError(#[source] reqwest::Error);

impl HttpWebhookSender {
    /// Creates a sender with its own connections.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn new(settings: SenderSettings) -> Result<Self, SenderError> {
        Self::resolving_by(Arc::new(SystemResolver), settings)
    }

    fn resolving_by(names: Arc<dyn Resolve>, settings: SenderSettings) -> Result<Self, SenderError> {
        let SenderSettings { allow_private, timeout } = settings;
        let names = ReceiverResolver { names, is_public_only: !allow_private };
        let client = Client::builder()
            .user_agent(concat!("Foretell/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(names))
            .no_proxy()
            .redirect(Policy::none())
            .timeout(timeout)
            .build()
            .map_err(SenderError)?;
        Ok(Self { client, allow_private })
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
            Ok(number) if !address::is_public(number) => Err(forbidden("it is not a public address")),
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
            .client
            .post(self.target(url)?)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", signature::timestamp_s(message))
            .header("webhook-signature", signature::signatures(secrets, message))
            .body(message.body.clone());
        let answer = request.send().await.map_err(|error| failure(&error))?;
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
fn failure(error: &reqwest::Error) -> WebhookSendError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(error) = cause {
        if error.is::<NoPublicAddress>() {
            return WebhookSendError::Forbidden("its name stands for no public address");
        }
        last = error.to_string();
        cause = error.source();
    }
    if error.is_timeout() {
        return WebhookSendError::Unreachable("it took too long".to_owned());
    }
    WebhookSendError::Unreachable(last)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::net::{IpAddr, SocketAddr};
    use std::sync::Mutex;

    use foretell_domain::time::Timestamp;
    use reqwest::dns::{Addrs, Name, Resolving};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

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
                let answer = format!("HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
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
        let sender = HttpWebhookSender::new(settings(true)).unwrap();
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
        let sender = HttpWebhookSender::new(settings(true)).unwrap();
        let url = format!("http://{address}/");
        assert!(matches!(send(&sender, &url).await, Err(WebhookSendError::Refused { status: 500, .. })));
        assert!(matches!(send(&sender, &url).await, Err(WebhookSendError::Gone)));
        assert!(matches!(send(&sender, &url).await, Err(WebhookSendError::Refused { status: 307, .. })));
        assert_eq!(requests.await.unwrap().len(), 3);
        assert!(matches!(send(&sender, &url).await, Err(WebhookSendError::Unreachable(_))));
    }

    #[tokio::test]
    async fn refusal_carries_retry_after() {
        let (address, _) = receiver(&["503 Busy\r\nRetry-After: 120", "500 Oops\r\nRetry-After: 120"]).await;
        let sender = HttpWebhookSender::new(settings(true)).unwrap();
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
        let sender = HttpWebhookSender::new(settings(false)).unwrap();
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
    struct Rebinding(Mutex<VecDeque<Vec<IpAddr>>>);

    impl Resolve for Rebinding {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.lock().unwrap().pop_front().unwrap();
            let found: Vec<_> = found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    #[tokio::test]
    async fn name_rebound_to_private_address_is_rejected() {
        let local = IpAddr::from([127, 0, 0, 1]);
        let answers = VecDeque::from([vec![local], vec![local, IpAddr::from([10, 0, 0, 1])]]);
        let names = Arc::new(Rebinding(Mutex::new(answers)));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("https://rebinding.example:{port}/");
        let sender = HttpWebhookSender::resolving_by(names, settings(false)).unwrap();
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
