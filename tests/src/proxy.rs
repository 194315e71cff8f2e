//! A link between a server and its Postgres that can be cut around a commit.
//!
//! It passes on what both sides say, and understands just so much of it that it knows a message of the server's
//! that commits. Of the two handshakes that may come before a connection's first message, for encryption, it
//! says no.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use crate::relay::Relay;

/// The codes by which a client asks for encryption, by TLS and by GSSAPI.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];
/// A message by which a client sends the text of a statement.
const QUERY: u8 = b'Q';
/// The message by which Postgres says that it has done what it was told.
const READY: u8 = b'Z';

/// Where the link is cut when a server commits. The server learns in each case that its connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Postgres never hears of it.
    BeforeCommit,
    /// Postgres has committed; its answer is lost.
    BeforeAnswer,
    /// Postgres hears of it only once the server has begun another transaction.
    BeforeLateCommit,
}

/// A link that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    relay: Relay,
    control: Arc<Control>,
}

/// What all connections share.
#[derive(Debug)]
struct Control {
    next_cut: Mutex<Option<Cut>>,
    cuts: watch::Sender<usize>,
    /// How many transactions that write have sent their first statement.
    begun: watch::Sender<usize>,
}

impl Proxy {
    /// A link to the server of a URL such as `postgres://user@host:port/name`.
    pub async fn start(url: &str) -> Self {
        let control = Arc::new(Control {
            next_cut: Mutex::new(None),
            cuts: watch::Sender::new(0),
            begun: watch::Sender::new(0),
        });
        let shared = Arc::clone(&control);
        let serve = move |client, server| {
            let control = Arc::clone(&shared);
            // One side has gone: so does the other.
            async move { drop(serve(client, server, &control).await) }
        };
        Self { relay: Relay::start(url, serve).await, control }
    }

    /// The URL of the database through this link.
    pub fn url(&self) -> &str {
        self.relay.url()
    }

    /// Cuts the connection on which the next commit comes.
    pub fn cut_next_commit(&self, cut: Cut) {
        *self.control.next_cut.lock().unwrap() = Some(cut);
    }

    /// How many connections have been cut.
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
        // It cannot fail: the sender lives as long as `control`.
        drop(others.wait_for(|others| *others > begun).await);
        commit(&cut.message, from_server, to_server).await?;
    }
    Ok(())
}

/// A commit that is not passed on as usual.
struct CommitCut {
    kind: Cut,
    message: Vec<u8>,
}

/// Passes on messages until a commit comes that is to be cut.
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

/// Has Postgres commit, and waits until it has.
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

/// The first message of a connection, which has no kind; requests for encryption before it are refused.
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

/// A message with its kind and its length.
async fn read_message(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    read_rest(from, length, &mut message).await?;
    Ok(message)
}

/// The rest of a message whose length counts itself.
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
