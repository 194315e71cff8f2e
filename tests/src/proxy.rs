//! A link between a server and its Postgres that can be cut around a commit.
//!
//! It forwards the messages of both sides, and understands only enough to recognise a commit of the
//! server. It rejects both encryption handshakes that may precede the first message of a
//! connection.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use crate::relay::Relay;

/// Codes by which a client requests encryption, by TLS and by GSSAPI.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];
/// Kind of the message by which a client sends the text of a statement.
const QUERY: u8 = b'Q';
/// Kind of the message by which Postgres reports that it is ready again.
const READY: u8 = b'Z';

/// Point at which the link is cut during a commit. The server always notices that its connection is
/// gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Postgres never receives it.
    BeforeCommit,
    /// Postgres has committed; its response is lost.
    BeforeAnswer,
    /// Postgres receives it only after the server has begun another transaction.
    BeforeLateCommit,
}

/// A link that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    relay: Relay,
    control: Arc<Control>,
}

/// State shared by all connections.
#[derive(Debug)]
struct Control {
    next_cut: Mutex<Option<Cut>>,
    cuts: watch::Sender<usize>,
    /// Number of writing transactions that have sent their first statement.
    begun: watch::Sender<usize>,
}

impl Proxy {
    /// Starts a link to the server of a URL such as `postgres://user@host:port/name`.
    pub async fn start(url: &str) -> Self {
        let control = Arc::new(Control {
            next_cut: Mutex::new(None),
            cuts: watch::Sender::new(0),
            begun: watch::Sender::new(0),
        });
        let shared = Arc::clone(&control);
        let serve = move |client, server| {
            let control = Arc::clone(&shared);
            // If one side is gone, the other is closed.
            async move { drop(serve(client, server, &control).await) }
        };
        Self { relay: Relay::start(url, serve).await, control }
    }

    /// Returns the URL of the database through this link.
    pub fn url(&self) -> &str {
        self.relay.url()
    }

    /// Cuts the connection of the next commit.
    pub fn cut_next_commit(&self, cut: Cut) {
        *self.control.next_cut.lock().unwrap() = Some(cut);
    }

    /// Returns the number of connections that were cut.
    pub fn cuts(&self) -> usize {
        *self.control.cuts.borrow()
    }
}

/// Serves one connection until either side closes it, or it is cut.
async fn serve(mut client: TcpStream, server: String, control: &Control) -> io::Result<()> {
    let startup = read_startup(&mut client).await?;
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    server.write_all(&startup).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();

    let cut = {
        let answers = tokio::io::copy(&mut from_server, &mut to_client);
        let requests = pass_until_cut(&mut from_client, &mut to_server, control);
        tokio::select! {
            cut = requests => cut?,
            _ = answers => return Ok(()),
        }
    };
    control.cuts.send_modify(|cuts| *cuts += 1);
    let begun = *control.begun.borrow();
    if cut.kind == Cut::BeforeAnswer {
        commit(&cut.message, from_server, to_server).await?;
        return Ok(());
    }
    drop((from_client, to_client));
    if cut.kind == Cut::BeforeLateCommit {
        let mut others = control.begun.subscribe();
        // It cannot fail: the sender exists as long as `control`.
        drop(others.wait_for(|others| *others > begun).await);
        commit(&cut.message, from_server, to_server).await?;
    }
    Ok(())
}

/// A commit that is not forwarded as usual.
struct CommitCut {
    kind: Cut,
    message: Vec<u8>,
}

/// Forwards messages until a commit that must be cut.
async fn pass_until_cut(
    from_client: &mut OwnedReadHalf,
    to_server: &mut OwnedWriteHalf,
    control: &Control,
) -> io::Result<CommitCut> {
    let mut is_beginning = false;
    loop {
        let message = read_message(from_client).await?;
        if is_statement(&message, b"COMMIT")
            && let Some(kind) = control.next_cut.lock().unwrap().take()
        {
            return Ok(CommitCut { kind, message });
        }
        to_server.write_all(&message).await?;
        if is_beginning {
            control.begun.send_modify(|begun| *begun += 1);
        }
        is_beginning = is_statement(&message, b"BEGIN ISOLATION LEVEL READ COMMITTED");
    }
}

/// Makes Postgres commit, and waits until it has.
async fn commit(
    message: &[u8],
    mut from_server: OwnedReadHalf,
    mut to_server: OwnedWriteHalf,
) -> io::Result<()> {
    to_server.write_all(message).await?;
    while read_message(&mut from_server).await?[0] != READY {}
    Ok(())
}

fn is_statement(message: &[u8], begins: &[u8]) -> bool {
    // After the kind and the length.
    message[0] == QUERY && message[5..].starts_with(begins)
}

/// Returns the first message of a connection, which has no kind; requests for encryption before it
/// are rejected.
async fn read_startup(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let length = client.read_u32().await?;
        let mut message = length.to_be_bytes().to_vec();
        read_rest(client, length, &mut message).await?;
        let code = message[4..8].iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
        if !ENCRYPTION_REQUESTS.contains(&code) {
            return Ok(message);
        }
        client.write_all(b"N").await?;
    }
}

/// Returns a message with its kind and its length.
async fn read_message(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    read_rest(from, length, &mut message).await?;
    Ok(message)
}

/// Returns the rest of a message whose length includes itself.
async fn read_rest(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    length: u32,
    message: &mut Vec<u8>,
) -> io::Result<()> {
    let begun = message.len();
    message.resize(begun + usize::try_from(length).unwrap() - 4, 0);
    from.read_exact(&mut message[begun..]).await?;
    Ok(())
}
