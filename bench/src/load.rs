//! Load generator: many connections that each send one request after another.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::http::Connection;

/// Maximum recorded latency, in microseconds; longer ones count as this one.
const LONGEST_US: u64 = 60_000_000;

/// Function that writes the next request of a connection into an empty buffer.
pub(crate) type Requests = Box<dyn FnMut(&mut Vec<u8>)>;

/// Amount and duration of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// Number of connections, which is the number of concurrent requests.
    pub(crate) connections: usize,
    /// Pause of each connection between a response and its next request.
    pub(crate) pause: Duration,
    /// Duration of the load before the measurement.
    pub(crate) warm_up: Duration,
    /// Duration of the measurement.
    pub(crate) counted: Duration,
}

/// Responses during the measurement.
pub(crate) struct Totals {
    /// Latencies of the responses, in microseconds.
    pub(crate) latencies_us: Histogram<u64>,
    /// Number of responses by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Body of the first failed response, for the error message.
    pub(crate) complaint: Option<String>,
}

impl Totals {
    fn new() -> Result<Self> {
        let latencies_us = Histogram::new_with_bounds(1, LONGEST_US, 3)?;
        Ok(Self { latencies_us, statuses: BTreeMap::new(), complaint: None })
    }

    fn count(&mut self, status: u16, latency: Duration, body: &[u8]) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.latencies_us.saturating_record(latency_us);
        *self.statuses.entry(status).or_default() += 1;
        if status >= 400 && self.complaint.is_none() {
            self.complaint = Some(String::from_utf8_lossy(body).into_owned());
        }
    }
}

/// Runs the load; `at_edges` is called at the beginning and at the end of the measurement.
///
/// # Errors
/// Fails if a connection fails.
pub(crate) fn run(
    load: Load,
    mut requests: impl FnMut(usize) -> Requests,
    mut at_edges: impl FnMut(),
) -> Result<Totals> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = Instant::now() + load.warm_up;
    let ended = begun + load.counted;
    let totals = Rc::new(RefCell::new(Totals::new()?));
    let clients = LocalSet::new();
    let tasks: Vec<_> = (0..load.connections)
        .map(|number| {
            clients.spawn_local(client(load, requests(number), begun..ended, Rc::clone(&totals)))
        })
        .collect();
    clients.block_on(&runtime, async {
        tokio::time::sleep_until(begun.into()).await;
        at_edges();
        tokio::time::sleep_until(ended.into()).await;
        at_edges();
        for task in tasks {
            task.await??;
        }
        anyhow::Ok(())
    })?;
    drop(clients);
    Rc::into_inner(totals)
        .map(RefCell::into_inner)
        .ok_or_else(|| anyhow::anyhow!("a client is still at work"))
}

async fn client(
    load: Load,
    mut next_request: Requests,
    counted: std::ops::Range<Instant>,
    totals: Rc<RefCell<Totals>>,
) -> Result<()> {
    let mut connection = Connection::open(load.address).await?;
    let mut request = Vec::with_capacity(1_024);
    let mut sent = Instant::now();
    while sent < counted.end {
        request.clear();
        next_request(&mut request);
        let answer = connection.exchange(&request).await?;
        let answered = Instant::now();
        if counted.contains(&answered) {
            totals.borrow_mut().count(answer.status, answered - sent, answer.body);
        }
        if load.pause.is_zero() {
            sent = answered;
        } else {
            tokio::time::sleep(load.pause).await;
            sent = Instant::now();
        }
    }
    Ok(())
}
