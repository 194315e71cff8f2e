//! A relay for a server's connections: it accepts them in place of the server.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A listening port that is open until it is dropped, with all its connections.
#[derive(Debug)]
pub(crate) struct Relay {
    url: String,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Accepts connections for the server of a URL such as `postgres://user@host:port/name`;
    /// `serve` handles each of them with the server's host and port.
    pub(crate) async fn start<F>(
        url: &str,
        serve: impl Fn(TcpStream, String) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (user, rest) = url.split_once('@').expect("the URL names a user");
        let (server, name) = rest.split_once('/').expect("the URL names a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{user}@{}/{name}", listener.local_addr().unwrap());
        let server = server.to_owned();
        let accepting = tokio::spawn(async move {
            // Dropped with this task, which ends the connections.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(serve(client, server.clone()));
            }
        });
        Self { url, accepting }
    }

    /// Returns the URL of the database through this relay.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
