//! A TCP link that can be slow, narrow, silent, or broken.

use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::relay::Relay;

/// Maximum number of bytes forwarded at once.
const CHUNK: usize = 4_096;
/// Maximum number of chunks in transit, as in network buffers.
const CHUNKS: usize = 64;

/// Current condition of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Everything is forwarded at once.
    Good,
    /// Everything arrives with this delay, in each direction.
    Slow(Duration),
    /// So many bytes per second, in each direction of a connection.
    Narrow(u32),
    /// Bytes are dropped without notice to either side.
    Silent,
}

/// Way in which connections end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Like a close by the other side.
    Closed,
    /// Like a reset by the other side.
    Reset,
}

/// A link that runs until it is dropped.
#[derive(Debug)]
pub struct Wire {
    relay: Relay,
    control: Arc<Control>,
}

/// State shared by all connections.
#[derive(Debug)]
struct Control {
    condition: watch::Sender<Condition>,
    /// Last request to end all open connections, if any.
    end: watch::Sender<Option<End>>,
}

impl Wire {
    /// Starts a good link to the server of a URL such as `postgres://user@host:port/name`.
    pub async fn start(url: &str) -> Self {
        let (condition, end) = (watch::Sender::new(Condition::Good), watch::Sender::new(None));
        let control = Arc::new(Control { condition, end });
        let shared = Arc::clone(&control);
        let serve = move |client, server: String| {
            let control = Arc::clone(&shared);
            async move {
                if let Ok(server) = TcpStream::connect(server).await {
                    serve(client, server, &control).await;
                }
            }
        };
        Self { relay: Relay::start(url, serve).await, control }
    }

    /// Returns the URL of the server through this link.
    pub fn url(&self) -> &str {
        self.relay.url()
    }

    /// Changes the condition, also for data in transit.
    pub fn make(&self, condition: Condition) {
        self.control.condition.send_replace(condition);
    }

    /// Ends all open connections.
    pub fn end_all(&self, end: End) {
        self.control.end.send_replace(Some(end));
    }
}

/// Serves one connection until either side closes it, or it is ended.
async fn serve(client: TcpStream, server: TcpStream, control: &Control) {
    let mut ends = control.end.subscribe();
    ends.mark_unchanged();
    for side in [&client, &server] {
        side.set_nodelay(true).unwrap();
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::select! {
        () = pass(&mut from_client, &mut to_server, control) => return,
        () = pass(&mut from_server, &mut to_client, control) => return,
        _ = ends.changed() => {}
    }
    if *ends.borrow() == Some(End::Reset) {
        for half in [to_client, to_server] {
            SockRef::from(half.as_ref()).set_linger(Some(Duration::ZERO)).unwrap();
            half.forget();
        }
    }
}

/// Forwards data from one side to the other until either is gone.
async fn pass(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, control: &Control) {
    let mut condition = control.condition.subscribe();
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS);
    let read = async {
        let mut chunk = vec![0; CHUNK];
        while let Ok(length @ 1..) = from.read(&mut chunk).await {
            if sender.send((Instant::now(), chunk[..length].to_vec())).await.is_err() {
                break;
            }
        }
        drop(sender);
    };
    let write = async {
        while let Some((came, chunk)) = under_way.recv().await {
            // It cannot fail: the sender exists as long as `control`.
            drop(condition.wait_for(|condition| *condition != Condition::Silent).await);
            let now = *condition.borrow();
            match now {
                Condition::Slow(delay) => sleep_until(came + delay).await,
                Condition::Narrow(rate) => {
                    sleep(Duration::from_secs(1) * u32::try_from(chunk.len()).unwrap() / rate)
                        .await;
                }
                Condition::Good | Condition::Silent => {}
            }
            if to.write_all(&chunk).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(read, write);
}
