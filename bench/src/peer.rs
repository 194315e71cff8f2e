//! Alternatives for comparison, measured in the same run: one SQL transaction for each transfer,
//! and a bare handler that returns the same bytes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use actix_web::http::header::ContentType;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::{Context as _, Result, ensure};

use crate::load::Requests;
use crate::measure::{self, Figure, Pressure, Processes};
use crate::process::Process;
use crate::seed::{self, Kind};
use crate::world::World;

/// Numbers of clients that pgbench is run with; the best result counts.
const CLIENTS: [u32; 5] = [1, 4, 8, 16, 32];

/// Duration of each run, in seconds.
const SECONDS: u32 = 4;

/// A transfer as one transaction in plain SQL, with the same rows as ours: both accounts in the
/// order of their ids, the transfer with both balances, and the idempotency key. `{to}` is replaced
/// by the payee.
const TRANSFER: &str = "\\set a random(1, {people} - 1)
\\set b {to}
\\set low least(:a, :b)
\\set high greatest(:a, :b)
BEGIN;
UPDATE accounts SET balance_minor = balance_minor - 1, version = version + 1
    WHERE id = {low_id}
    RETURNING id AS low_id, balance_minor AS low_balance, version AS low_version, owner_id AS low_owner \\gset
UPDATE accounts SET balance_minor = balance_minor + 1, version = version + 1
    WHERE id = {high_id}
    RETURNING id AS high_id, balance_minor AS high_balance, version AS high_version \\gset
INSERT INTO transfers (id, kind, amount_minor, debit_account_id, debit_version, debit_balance_minor,
    credit_account_id, credit_version, credit_balance_minor, created_at_us)
    VALUES ((lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
        'payment', 1, :low_id, :low_version, :low_balance, :high_id, :high_version, :high_balance,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
INSERT INTO idempotency_keys (user_id, key, request_hash, outcome, created_at_us)
    VALUES (:low_owner, gen_random_uuid()::text, sha256('request'::bytea), '{\"Transfer\":\"' || gen_random_uuid() || '\"}',
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
COMMIT;
";

/// Transactions per second with the best number of clients, and the latency with a single client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ceiling {
    pub(crate) rate: f64,
    pub(crate) clients: u32,
    pub(crate) lone_ms: f64,
}

/// Account that pgbench pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payee {
    Random,
    /// A single account: the last one, so that its lock is taken last and held shortest.
    Hot,
}

/// Runs pgbench on the world's own tables.
///
/// # Errors
/// Fails if pgbench does not run or reports an error.
pub(crate) fn pgbench(world: &World, folder: &Path, payee: Payee) -> Result<Ceiling> {
    let people = world.size.people;
    let to = match payee {
        Payee::Random => format!("random(:a + 1, {people})"),
        Payee::Hot => people.to_string(),
    };
    let script = folder.join("transfer.sql");
    let text = TRANSFER
        .replace("{people}", &people.to_string())
        .replace("{to}", &to)
        .replace("{low_id}", &seed::postgres_id(Kind::Account, ":low::bigint"))
        .replace("{high_id}", &seed::postgres_id(Kind::Account, ":high::bigint"));
    fs::write(&script, text)?;
    let rates = CLIENTS.map(|clients| run_pgbench(world, &script, clients));
    let rates = rates.into_iter().collect::<Result<Vec<_>>>()?;
    let lone_ms = 1e3 / rates.first().context("pgbench was not run")?;
    let best = rates.into_iter().zip(CLIENTS).max_by(|one, other| one.0.total_cmp(&other.0));
    let (rate, clients) = best.context("pgbench was not run")?;
    Ok(Ceiling { rate, clients, lone_ms })
}

fn run_pgbench(world: &World, script: &Path, clients: u32) -> Result<f64> {
    let bin = std::env::var("FORETELL_TEST_POSTGRES_BIN")
        .context("FORETELL_TEST_POSTGRES_BIN is not set")?;
    let output = Command::new(Path::new(&bin).join("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={clients}"))
        .arg(format!("--time={SECONDS}"))
        .arg("--file")
        .arg(script)
        .arg(world.database_url().context("pgbench needs Postgres")?)
        .output()
        .context("pgbench cannot be run")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pgbench failed: {complaint}");
    let line = stdout
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .context("pgbench names no rate")?;
    Ok(line.split_whitespace().next().context("pgbench names no rate")?.parse()?)
}

/// Process with a bare handler; stopped when dropped.
pub(crate) struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Bare {
    /// Starts a process that answers every request with these bytes.
    ///
    /// # Errors
    /// Fails if it does not start.
    pub(crate) fn start(folder: &Path, body: &[u8]) -> Result<Self> {
        let file = folder.join("body.json");
        fs::write(&file, body)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .context("the bare server cannot be started")?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()? })
    }

    /// Measures the process under a load of reads.
    ///
    /// # Errors
    /// Fails if a connection fails.
    pub(crate) fn measure(&self, pressure: Pressure) -> Result<Figure> {
        let processes = Processes { server: Process(self.child.id()), database: None };
        let requests = |_| -> Requests {
            Box::new(|request: &mut Vec<u8>| {
                request.extend_from_slice(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            })
        };
        measure::measure(self.address, processes, pressure, requests)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // The process may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Serves these bytes, as JSON, on a port of its own, which it prints.
#[expect(clippy::print_stdout, reason = "whoever started it reads where it listens")]
pub(crate) fn serve_bare(file: &Path) -> Result<()> {
    let body = Bytes::from(fs::read(file)?);
    actix_web::rt::System::new().block_on(async {
        let app = move || {
            let body = body.clone();
            let answer = move || {
                let body = body.clone();
                async move { HttpResponse::Ok().insert_header(ContentType::json()).body(body) }
            };
            App::new().route("/", web::get().to(answer))
        };
        let workers = std::thread::available_parallelism()?.get();
        let server = HttpServer::new(app).workers(workers).bind("127.0.0.1:0")?;
        println!("{}", server.addrs().first().context("it listens nowhere")?);
        server.run().await.context("the bare server failed")
    })
}
