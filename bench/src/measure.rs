//! One figure: the result of a scenario under load, with the resources that the processes used.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::load::{self, Load, Requests};
use crate::process::Process;
use crate::scenario::Scenario;
use crate::world::World;

/// Duration of the load before the measurement.
const WARM_UP: Duration = Duration::from_secs(2);

/// Result of a scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Responses per second.
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the server per response, in microseconds.
    pub(crate) server_us: f64,
    /// Processor time of the database's processes per response, in microseconds; zero if the
    /// database runs within the server.
    pub(crate) database_us: f64,
    /// Processor time of the load generator per response, in microseconds.
    pub(crate) client_us: f64,
    /// Memory of the server at the end, in bytes.
    pub(crate) memory_bytes: u64,
}

/// Number of concurrent requests, and the duration of the measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pressure {
    pub(crate) connections: usize,
    pub(crate) counted: Duration,
}

/// Runs a scenario against the world's server.
///
/// # Errors
/// Fails if a connection fails or a response is not successful.
pub(crate) fn scenario(
    world: &Rc<World>,
    scenario: Scenario,
    pressure: Pressure,
) -> Result<Figure> {
    measure(world.address, world.processes, pressure, |number| scenario.requests(world, number))
}

/// Processes involved in a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processes {
    pub(crate) server: Process,
    /// Main process of the database server, if there is one.
    pub(crate) database: Option<Process>,
}

impl Processes {
    /// Returns the processor time so far of server, database and load generator.
    fn cpu_times(self) -> Result<[Duration; 3]> {
        let database = self.database.map_or(Ok(Duration::ZERO), Process::cpu_time_of_all)?;
        Ok([self.server.cpu_time()?, database, Process::current().cpu_time()?])
    }
}

/// Runs any load against any server.
///
/// # Errors
/// Same as [`scenario`].
pub(crate) fn measure(
    address: std::net::SocketAddr,
    processes: Processes,
    Pressure { connections, counted }: Pressure,
    requests: impl FnMut(usize) -> Requests,
) -> Result<Figure> {
    let mut edges = Vec::new();
    let load = Load { address, connections, pause: Duration::ZERO, warm_up: WARM_UP, counted };
    let totals = load::run(load, requests, || edges.push(processes.cpu_times()))?;
    let failed = totals.statuses.iter().any(|(status, _)| *status >= 400);
    ensure!(!failed, "{:?}: {}", totals.statuses, totals.complaint.unwrap_or_default());
    let edges = edges.into_iter().collect::<Result<Vec<_>>>()?;
    let [before, after] = edges.as_slice() else { anyhow::bail!("counting did not begin and end") };
    let answers = totals.latencies_us.len() as f64;
    let each_us =
        |index: usize| after[index].saturating_sub(before[index]).as_secs_f64() * 1e6 / answers;
    let quantile_ms = |quantile| totals.latencies_us.value_at_quantile(quantile) as f64 / 1e3;
    Ok(Figure {
        rate: answers / counted.as_secs_f64(),
        p50_ms: quantile_ms(0.5),
        p99_ms: quantile_ms(0.99),
        server_us: each_us(0),
        database_us: each_us(1),
        client_us: each_us(2),
        memory_bytes: processes.server.resident_bytes()?,
    })
}
