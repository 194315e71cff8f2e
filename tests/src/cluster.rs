//! A Postgres server of one test, which the test may crash.

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

/// Maximum number of ports that are tried.
const PORTS: u32 = 20;

/// A cluster of databases with its server, stopped and removed when dropped. It has the default
/// durability settings of Postgres.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    /// User and group that it runs as, if different from ours: Postgres does not run as root.
    account: Option<(u32, u32)>,
    port: u32,
    running: Option<Child>,
}

impl Cluster {
    /// Creates a cluster and starts its server.
    pub async fn start() -> Self {
        let cluster = Self::new();
        let options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        cluster.run("initdb", &options);
        cluster.launch_somewhere().await
    }

    /// Starts a standby of this cluster, and makes commits of this one wait for the standby.
    pub async fn start_standby(&self) -> Self {
        let standby = Self::new();
        let port = self.port.to_string();
        let options = [
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "postgres",
            "--write-recovery-conf",
            "--checkpoint=fast",
        ];
        standby.run("pg_basebackup", &[&options[..], &["--no-sync"]].concat());
        let standby = standby.launch_somewhere().await;
        let mut primary = PgConnection::establish(&self.url()).unwrap();
        primary.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").unwrap();
        primary.batch_execute("SELECT pg_reload_conf()").unwrap();
        eventually("the standby to follow", async || {
            let follows =
                sql::<Bool>("EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')");
            diesel::select(follows).get_result::<bool>(&mut primary).unwrap().then_some(())
        })
        .await;
        standby
    }

    /// Promotes a standby.
    pub fn promote(&self) {
        self.run("pg_ctl", &["promote", "-w", "-s"]);
    }

    /// Returns the URL of a superuser on whichever of the two is the primary.
    pub fn url_with(&self, other: &Self) -> String {
        let (port, other) = (self.port, other.port);
        format!(
            "postgres://postgres@127.0.0.1:{port},127.0.0.1:{other}/postgres?target_session_attrs=read-write"
        )
    }

    /// Returns the URL of a superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops the server immediately, like a crash: nothing is finished and nothing more is written.
    pub fn stop_at_once(&mut self) {
        let mut running = self.running.take().expect("Postgres runs");
        let stopped = self.stop();
        assert!(stopped.status.success(), "pg_ctl failed: {}", said(&stopped));
        running.wait().unwrap();
    }

    /// Starts the server again on its data, and waits until it has recovered.
    pub async fn start_again(&mut self) {
        assert!(self.launch().await, "Postgres did not start again: {}", self.log());
    }

    /// Stops every process of the server with SIGSTOP: connections stay open, and nothing responds.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Resumes the processes.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Sends a signal to the server and all its processes.
    fn signal(&self, signal: &str) {
        let Some(running) = &self.running else { return };
        let first = running.id().to_string();
        // A process that is just ending is not an error.
        let send = |to: &[&str]| drop(Command::new("kill").arg(signal).args(to).output());
        // It creates the others, so that there are no new ones once it is stopped.
        send(&[&first]);
        let others = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"));
        send(&others.unwrap_or_default().split_whitespace().collect::<Vec<_>>());
    }

    /// Creates an empty folder for a cluster.
    fn new() -> Self {
        let folder = TempDir::with_prefix_in("foretell-cluster.", "/tmp").unwrap();
        let is_root = folder.path().metadata().unwrap().uid() == 0;
        let account =
            is_root.then(|| account("postgres").or_else(|| account("nobody")).expect("an account"));
        if let Some((user, group)) = account {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self { folder, account, port: 0, running: None }
    }

    /// Runs a Postgres program, which must succeed.
    fn run(&self, program: &str, options: &[&str]) {
        let ran = self.program(program).args(options).output().unwrap();
        assert!(ran.status.success(), "{program} failed: {}", said(&ran));
    }

    /// Starts the server on a free port.
    async fn launch_somewhere(mut self) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        for _ in 0..PORTS {
            let attempt = STARTED.fetch_add(1, Ordering::Relaxed);
            // Below the range of outgoing connections, so that it is free again after a stop.
            self.port = 20_000 + (std::process::id() + attempt * 997) % 12_000;
            if self.launch().await {
                return self;
            }
        }
        panic!("Postgres did not start: {}", self.log());
    }

    /// Starts the server; `false` if it ends before it accepts connections.
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

    /// Returns a Postgres program for the data of this cluster, as its user.
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
            // A server that a failed test left frozen receives no other signal.
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

/// Returns the user and group ids of a system account.
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
