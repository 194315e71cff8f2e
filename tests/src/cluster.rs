//! A Postgres of a test's own, which the test may stop as a crash would.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use tempfile::TempDir;

use crate::program::{eventually, variable};

/// How many ports are tried before it is taken for a fault that none is free.
const PORTS: u32 = 20;

/// A cluster of databases with its server, which is stopped and removed when this is dropped. It is as durable
/// as Postgres is by default.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    /// User and group that it runs as, where these are not ours: Postgres does not run as root.
    account: Option<(u32, u32)>,
    port: u32,
    running: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and starts its server.
    pub async fn start() -> Self {
        let cluster = Self::new();
        let options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        cluster.run("initdb", &options);
        cluster.launch_somewhere().await
    }

    /// Starts a standby of this cluster, and has commits of this one wait from now on until the standby has them too.
    pub async fn start_standby(&self) -> Self {
        let standby = Self::new();
        let port = self.port.to_string();
        let options =
            ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "--write-recovery-conf", "--checkpoint=fast"];
        standby.run("pg_basebackup", &[&options[..], &["--no-sync"]].concat());
        let standby = standby.launch_somewhere().await;
        let mut primary = PgConnection::establish(&self.url()).unwrap();
        primary.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").unwrap();
        primary.batch_execute("SELECT pg_reload_conf()").unwrap();
        eventually("the standby to follow", async || {
            let follows = sql::<Bool>("EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')");
            diesel::select(follows).get_result::<bool>(&mut primary).unwrap().then_some(())
        })
        .await;
        standby
    }

    /// Makes a standby the one that is written to.
    pub fn promote(&self) {
        self.run("pg_ctl", &["promote", "-w", "-s"]);
    }

    /// The URL of a superuser on whichever of the two is written to.
    pub fn url_with(&self, other: &Self) -> String {
        let (port, other) = (self.port, other.port);
        format!(
            "postgres://postgres@127.0.0.1:{port},127.0.0.1:{other}/postgres?target_session_attrs=read-write"
        )
    }

    /// The URL of a superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops the server at once, as if it had crashed: nothing is finished and nothing written that is not.
    pub fn stop_at_once(&mut self) {
        let mut running = self.running.take().expect("Postgres runs");
        let stopped = self.stop();
        assert!(stopped.status.success(), "pg_ctl failed: {}", said(&stopped));
        running.wait().unwrap();
    }

    /// Starts the server again on what it left, and waits until it has recovered.
    pub async fn start_again(&mut self) {
        assert!(self.launch().await, "Postgres did not start again: {}", self.log());
    }

    /// Stops every process of the server where it is, without its end: connections stay open, and nothing answers.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Sends a signal to the server and to those of its processes that are there.
    fn signal(&self, signal: &str) {
        let Some(running) = &self.running else { return };
        let first = running.id().to_string();
        // One that ends just now is no fault.
        let send = |to: &[&str]| drop(Command::new("kill").arg(signal).args(to).output());
        // It makes the others, so that there are no more of them once it stands still.
        send(&[&first]);
        let others = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"));
        send(&others.unwrap_or_default().split_whitespace().collect::<Vec<_>>());
    }

    /// An empty folder for one.
    fn new() -> Self {
        let folder = TempDir::with_prefix_in("foretell-cluster.", "/tmp").unwrap();
        let is_root = folder.path().metadata().unwrap().uid() == 0;
        let account = is_root.then(|| account("postgres").or_else(|| account("nobody")).expect("an account"));
        if let Some((user, group)) = account {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self { folder, account, port: 0, running: None }
    }

    /// Runs one of the programs of Postgres, which must succeed.
    fn run(&self, program: &str, options: &[&str]) {
        let ran = self.program(program).args(options).output().unwrap();
        assert!(ran.status.success(), "{program} failed: {}", said(&ran));
    }

    /// Starts the server on a spare port.
    async fn launch_somewhere(mut self) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        for _ in 0..PORTS {
            let attempt = STARTED.fetch_add(1, Ordering::Relaxed);
            // Below the ports that systems give to outgoing connections, so that it is free again after a stop.
            self.port = 20_000 + (std::process::id() + attempt * 997) % 12_000;
            if self.launch().await {
                return self;
            }
        }
        panic!("Postgres did not start: {}", self.log());
    }

    /// Starts the server; false if it ends before anyone can connect.
    async fn launch(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let running = self
            .program("postgres")
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let url = self.url();
        let running = self.running.insert(running);
        let has_started = eventually("Postgres to take connections", async || {
            if running.try_wait().unwrap().is_some() {
                return Some(false);
            }
            PgConnection::establish(&url).is_ok().then_some(true)
        })
        .await;
        if !has_started {
            self.running = None;
        }
        has_started
    }

    fn stop(&self) -> Output {
        self.program("pg_ctl").args(["stop", "-m", "immediate", "-w", "-s"]).output().unwrap()
    }

    /// One of the programs of Postgres on the data of this cluster, as the account that may use it.
    fn program(&self, name: &str) -> Command {
        let path = PathBuf::from(variable("FORETELL_TEST_POSTGRES_BIN")).join(name);
        let mut command = Command::new(path);
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command.current_dir(self.folder.path()).arg("-D").arg(self.folder.path().join("data"));
        command
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // One that a failed test has left frozen hears nothing.
            self.signal("-CONT");
            if !self.stop().status.success() {
                drop(running.kill());
            }
            drop(running.wait());
        }
        if std::thread::panicking() {
            eprintln!("--- log of Postgres on port {} ---\n{}---", self.port, self.log());
        }
    }
}

/// The numbers of an account of the system and of its group.
fn account(name: &str) -> Option<(u32, u32)> {
    let number = |kind| {
        let found = Command::new("id").args([kind, name]).output().unwrap();
        String::from_utf8_lossy(&found.stdout).trim().parse().ok()
    };
    Some((number("-u")?, number("-g")?))
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat()
}
