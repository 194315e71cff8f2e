//! The way of a server's connections through a test: it takes them in the server's stead, and has each served.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A port that runs until it is dropped, and with it all connections.
#[derive(Debug)]
pub(crate) struct Relay {
    url: String,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Takes the connections to the server of a URL such as `postgres://user@host:port/name`; `serve` gets each of them
    /// with the server's host and port.
    pub(crate) async fn start<F>(url: &str, serve: impl Fn(TcpStream, String) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (user, rest) = url.split_once('@').expect("the URL names a user");
        let (server, name) = rest.split_once('/').expect("the URL names a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{user}@{}/{name}", listener.local_addr().unwrap());
        let server = server.to_owned();
        let accepting = tokio::spawn(async move {
            // Dropped with this task, they end with it.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(serve(client, server.clone()));
            }
        });
        Self { url, accepting }
    }

    /// The URL of the database by this way.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
