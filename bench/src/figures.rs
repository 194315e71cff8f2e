//! The measurements, their order, and the figure that each one is compared with.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use foretell_tests::Database;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::hostile::{self, Attack, Plan};
use crate::http::Connection;
use crate::measure::{self, Figure, Pressure};
use crate::peer::{self, Bare, Ceiling, Payee};
use crate::report;
use crate::scenario::Scenario;
use crate::search;
use crate::seed::Size;
use crate::settlement;
use crate::world::World;

/// Number of concurrent requests in the measurements that only read.
const READERS: usize = 64;

/// Scenarios that move money.
const WRITES: [Scenario; 5] = [
    Scenario::RandomTransfers,
    Scenario::HotTransfers,
    Scenario::OneMarket,
    Scenario::ManyMarkets,
    Scenario::Mixed,
];

/// Scenarios that only read.
const READS: [Scenario; 7] = [
    Scenario::CachedMarket,
    Scenario::GetMarket,
    Scenario::FirstPage,
    Scenario::DeepPage,
    Scenario::Halfway,
    Scenario::Bets,
    Scenario::Statement,
];

/// Databases to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Databases {
    Both,
    Sqlite,
    Postgres,
}

impl Databases {
    /// Returns Postgres first, because the figures of pgbench are shown beside those of both
    /// databases.
    fn each(self) -> Vec<Database> {
        match self {
            Self::Both => vec![Database::Postgres, Database::Sqlite],
            Self::Sqlite => vec![Database::Sqlite],
            Self::Postgres => vec![Database::Postgres],
        }
    }
}

/// Results of pgbench.
#[derive(Debug, Clone, Copy)]
struct Ceilings {
    random: Ceiling,
    hot: Ceiling,
}

/// Prints all figures on each database.
pub(crate) fn table(databases: Databases, pressure: Pressure) -> Result<()> {
    let runtime = Runtime::new()?;
    let folder = TempDir::with_prefix("foretell-bench.")?;
    let mut ceilings = None;
    for database in databases.each() {
        let world = Rc::new(runtime.block_on(World::make(database, Size::SMALL, &[]))?);
        report::heading(&format!("{database:?}, {} bets stored", world.size.bets));
        report::remark(&format!(
            "idle: {:.0} MB; startup time: {} ms",
            world.processes.server.resident_bytes()? as f64 / 1e6,
            world.started_in.as_millis()
        ));
        if database == Database::Postgres {
            ceilings = Some(measure_ceilings(&world, folder.path())?);
        }
        for scenario in WRITES {
            let figure = measure::scenario(&world, scenario, pressure)?;
            report::line(scenario.title(), &figure, &beside_write(scenario, &figure, ceilings));
        }
        let lone = Pressure { connections: 1, ..pressure };
        for (scenario, title) in
            [(Scenario::RandomTransfers, "a lone transfer"), (Scenario::OneMarket, "a lone bet")]
        {
            let figure = measure::scenario(&world, scenario, lone)?;
            let beside = ceilings.map_or(String::new(), |ceilings| {
                format!("pgbench {:.2} ms", ceilings.random.lone_ms)
            });
            report::line(title, &figure, &beside);
        }
        measure_reads(&runtime, &world, folder.path(), pressure.counted)?;
        end(&runtime, world)?;
    }
    Ok(())
}

fn measure_ceilings(world: &World, folder: &Path) -> Result<Ceilings> {
    let random = peer::pgbench(world, folder, Payee::Random)?;
    let hot = peer::pgbench(world, folder, Payee::Hot)?;
    for (what, ceiling) in [("random accounts", random), ("one hot account", hot)] {
        report::remark(&format!(
            "pgbench, {what}: {:.0} a second with {} clients, {:.2} ms alone",
            ceiling.rate, ceiling.clients, ceiling.lone_ms
        ));
    }
    Ok(Ceilings { random, hot })
}

fn beside_write(scenario: Scenario, figure: &Figure, ceilings: Option<Ceilings>) -> String {
    let Some(Ceilings { random, hot }) = ceilings else { return String::new() };
    let ceiling = match scenario {
        Scenario::RandomTransfers => random,
        Scenario::HotTransfers | Scenario::OneMarket => hot,
        _ => return String::new(),
    };
    format!("{:.1} times pgbench's {:.0}", figure.rate / ceiling.rate, ceiling.rate)
}

/// Measures each read, beside a bare handler that returns the same bytes.
fn measure_reads(
    runtime: &Runtime,
    world: &Rc<World>,
    folder: &Path,
    counted: Duration,
) -> Result<()> {
    let readers = Pressure { connections: READERS, counted };
    for scenario in READS {
        let body = runtime.block_on(answer_of(world, scenario))?;
        let bare = Bare::start(folder, &body)?.measure(readers)?;
        let figure = measure::scenario(world, scenario, readers)?;
        let beside = format!(
            "{:.0} % of a bare handler: {:.0} a second, {:.1} µs, {} bytes",
            100.0 * figure.rate / bare.rate,
            bare.rate,
            bare.server_us,
            body.len()
        );
        report::line(scenario.title(), &figure, &beside);
    }
    Ok(())
}

async fn answer_of(world: &Rc<World>, scenario: Scenario) -> Result<Vec<u8>> {
    let mut request = Vec::new();
    scenario.requests(world, 0)(&mut request);
    let mut connection = Connection::open(world.address).await?;
    Ok(connection.exchange(&request).await?.body.to_vec())
}

/// Measures the same figures in a young and in an old database.
pub(crate) fn growth(databases: Databases, pressure: Pressure) -> Result<()> {
    let runtime = Runtime::new()?;
    let readers = Pressure { connections: READERS, ..pressure };
    for database in databases.each() {
        let mut young = [None; WRITES.len() + READS.len()];
        for size in [Size::SMALL, Size::LARGE] {
            let world = Rc::new(runtime.block_on(World::make(database, size, &[]))?);
            report::heading(&format!(
                "{database:?}, {} bets in {} markets",
                size.bets, size.markets
            ));
            report::remark(&format!("startup time: {} ms", world.started_in.as_millis()));
            for (index, scenario) in WRITES.into_iter().chain(READS).enumerate() {
                let pressure = if scenario.writes() { pressure } else { readers };
                let figure = match measure::scenario(&world, scenario, pressure) {
                    Ok(figure) => figure,
                    // A failed measurement must not prevent the others.
                    Err(error) => {
                        report::remark(&format!("{:<28} failed: {error:#}", scenario.title()));
                        continue;
                    }
                };
                let beside = young[index].map_or(String::new(), |rate| {
                    format!("{:.2} of the young one's rate", figure.rate / rate)
                });
                report::line(scenario.title(), &figure, &beside);
                if size == Size::SMALL {
                    young[index] = Some(figure.rate);
                }
            }
            end(&runtime, world)?;
        }
    }
    Ok(())
}

/// Measures the time of the largest settlement.
pub(crate) fn settlement(databases: Databases) -> Result<()> {
    let runtime = Runtime::new()?;
    databases
        .each()
        .into_iter()
        .try_for_each(|database| runtime.block_on(settlement::measure(database)))
}

/// Measures the quality and the time of searches.
pub(crate) fn search(databases: Databases, markets: u64) -> Result<()> {
    let runtime = Runtime::new()?;
    let measure = |database| runtime.block_on(search::measure(database, markets));
    databases.each().into_iter().try_for_each(measure)
}

/// Measures the time of other requests under attack.
pub(crate) fn hostile(databases: Databases, attack: Option<Attack>, plan: Plan) -> Result<()> {
    for database in databases.each() {
        for attack in
            Attack::ALL.into_iter().filter(|one| attack.is_none_or(|wanted| wanted == *one))
        {
            hostile::measure(database, attack, plan)?;
        }
    }
    Ok(())
}

/// Scenarios to run under a profiler, and their environment.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadOptions {
    scenarios: Vec<Scenario>,
    #[arg(long, value_enum, default_value = "both")]
    databases: Databases,
    /// Use the database of ten million bets
    #[arg(long)]
    large: bool,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 128)]
    connections: usize,
    /// A setting of the server, such as `FORETELL__WRITER__LANES=1`
    #[arg(long = "set")]
    settings: Vec<String>,
}

/// Runs scenarios one after another and prints the server's process id, for a profiler to attach
/// to.
pub(crate) fn load(options: &LoadOptions) -> Result<()> {
    let runtime = Runtime::new()?;
    let size = if options.large { Size::LARGE } else { Size::SMALL };
    let settings: Vec<_> =
        options.settings.iter().filter_map(|setting| setting.split_once('=')).collect();
    let counted = Duration::from_secs(options.seconds);
    let pressure = Pressure { connections: options.connections, counted };
    for database in options.databases.each() {
        let world = Rc::new(runtime.block_on(World::make(database, size, &settings))?);
        report::heading(&format!("{database:?}, process {}", world.processes.server.0));
        for scenario in &options.scenarios {
            report::line(scenario.title(), &measure::scenario(&world, *scenario, pressure)?, "");
        }
        end(&runtime, world)?;
    }
    Ok(())
}

fn end(runtime: &Runtime, world: Rc<World>) -> Result<()> {
    let world = Rc::into_inner(world).context("a client is still at work")?;
    runtime.block_on(world.audit());
    report::remark("the ledger is sound");
    Ok(())
}
