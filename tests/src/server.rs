//! A server under test: the real binary on a free port, with its own home and log.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::client::{Client, PASSWORD};
use crate::database::{Database, Home};
use crate::program::{Program, Running, eventually};

/// Text before the address in the log line of the listening server.
const LISTENING: &str = "listening on ";

/// A server that runs, or ran: it can be stopped, killed and restarted on the same data.
#[derive(Debug)]
pub struct Server {
    home: Home,
    program: Program,
    running: Option<Running>,
    origin: String,
}

impl Server {
    /// Starts a server on an empty database and waits until it is ready.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, &[]).await
    }

    /// Starts with settings, by variables such as `FORETELL__LOG__FORMAT`.
    pub async fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        Self::start_in(Home::new(database), settings).await
    }

    /// Starts in an empty home.
    pub async fn start_in(home: Home, settings: &[(&str, &str)]) -> Self {
        let program = usual_program(&home, settings);
        Self::launch(home, program).await
    }

    /// Starts a server that runs no jobs.
    pub async fn start_without_worker(home: Home, settings: &[(&str, &str)]) -> Self {
        let program = usual_program(&home, settings).arguments("serve --no-worker");
        Self::launch(home, program).await
    }

    /// Starts with the data on a separate disk of so many MiB, which is empty again when the server
    /// ends.
    pub async fn start_on_disk(mib: u32, settings: &[(&str, &str)]) -> Self {
        let home = Home::new(Database::Sqlite);
        let program = usual_program(&home, settings).on_disk(mib);
        Self::launch(home, program).await
    }

    /// Starts `program`, with no further settings, and waits until it is ready.
    pub async fn launch(home: Home, program: Program) -> Self {
        let mut server = Self { home, program, running: None, origin: String::new() };
        server.start_again().await;
        server
    }

    /// Starts the server again on its data and waits until it is ready.
    pub async fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let logged_before = self.log().len();
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let stdout = File::create(self.home.path().join("stdout.log")).unwrap();
        self.running = Some(self.program.spawn(stdout, log));
        self.origin = eventually("the server to say where it listens", async || {
            self.check_runs();
            listening_origin(&self.log()[logged_before..])
        })
        .await;
        let client = self.client();
        eventually("the server to be ready", async || {
            self.check_runs();
            client.try_get("/readyz").await.filter(|answer| answer.status == 200)
        })
        .await;
    }

    /// Returns an anonymous client.
    pub fn client(&self) -> Client {
        Client::new(&self.origin)
    }

    /// Returns scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the process id of the server.
    pub fn process_id(&self) -> u32 {
        self.running.as_ref().expect("the server runs").id()
    }

    /// Registers a user with the email address `name@example.org`.
    pub async fn register(&self, name: &str) -> Client {
        self.client().register(name).await
    }

    /// Creates an admin from the command line and signs in.
    pub async fn admin(&self) -> Client {
        let arguments = "admin create --email root@example.org --name Root --password-stdin";
        self.command(arguments).input(&format!("{PASSWORD}\n")).run().await.succeeded();
        self.client().log_in("root@example.org", PASSWORD).await
    }

    /// Returns a subcommand on the same data.
    pub fn command(&self, arguments: &str) -> Program {
        let program = self.program.clone().arguments(arguments);
        match &self.running {
            Some(running) => program.beside(running.id()),
            None => program,
        }
    }

    /// Returns the path at which a test finds a file of the server, also on a separate disk.
    pub fn path_of(&self, file: &Path) -> PathBuf {
        self.running.as_ref().expect("the server runs").path_of(file)
    }

    /// Starts a worker process on the same data, and waits until it runs jobs.
    pub async fn start_worker(&self) -> Worker {
        let [out, log] = ["worker.out", "worker.log"].map(|name| self.home.path().join(name));
        let worker = Worker(
            self.command("worker").spawn(File::create(out).unwrap(), File::create(&log).unwrap()),
        );
        eventually("the worker to begin", async || {
            std::fs::read_to_string(&log).unwrap().contains("running jobs").then_some(())
        })
        .await;
        worker
    }

    /// Returns the home of the server.
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// Returns the resident memory of the process, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process_id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1_024
    }

    /// Returns the log of all runs so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Sends SIGHUP to the server.
    pub fn hang_up(&self) {
        self.running.as_ref().expect("the server runs").hang_up();
    }

    /// Sends SIGTERM and waits until the server has stopped.
    pub async fn stop(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("the server runs");
        running.terminate();
        running.wait("the server to stop").await
    }

    /// Stops the server, which must succeed.
    pub async fn stop_cleanly(&mut self) {
        let status = self.stop().await;
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }

    /// Kills the server, like `kill -9`.
    pub fn kill(&mut self) {
        self.running.take().expect("the server runs").kill();
    }

    fn check_runs(&mut self) {
        if let Some(status) = self.running.as_mut().and_then(Running::ended) {
            panic!("the server ended: {status}");
        }
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("server.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running = None;
        if std::thread::panicking() {
            eprintln!("--- log of the server at {} ---\n{}---", self.origin, self.log());
        }
    }
}

/// A worker process, killed when dropped.
#[derive(Debug)]
pub struct Worker(Running);

impl Worker {
    /// Kills it, like `kill -9`.
    pub fn kill(mut self) {
        self.0.kill();
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        self.0.hang_up();
    }

    /// Sends SIGTERM and waits until it has stopped, which must succeed.
    pub async fn stop(mut self) {
        self.0.terminate();
        let status = self.0.wait("the worker to stop").await;
        assert_eq!(status.code(), Some(0));
    }
}

/// Returns a server on a free port, with a log that tests can read, and with timeouts for a busy
/// machine.
fn usual_program(home: &Home, settings: &[(&str, &str)]) -> Program {
    let usual = Program::new(home)
        .variable("FORETELL__SERVER__BIND", "127.0.0.1:0")
        .variable("FORETELL__SERVER__ANSWER_TIMEOUT_MS", "60000")
        .variable("FORETELL__LOG__FORMAT", "json");
    settings.iter().fold(usual, |program, (name, value)| program.variable(name, *value))
}

/// Returns the origin in the log line of the listening server, once that line is complete.
fn listening_origin(log: &str) -> Option<String> {
    let lines = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let after =
        lines.filter_map(|line| line.split_once(LISTENING)).map(|(_, after)| after).next()?;
    let end = after.find(|c: char| c.is_whitespace() || c == '"')?;
    Some(after[..end].to_owned())
}
