//! The binary under test as a program: its variables, subcommands and exit codes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::database::Home;

/// Timeout of every wait of a test; no result depends on the time needed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Returns a required environment variable.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with scripts/test, which starts what they need")
    })
}

/// Returns a number from the environment, or the default.
pub fn number(variable: &str, usual: usize) -> usize {
    let given = std::env::var(variable).ok();
    given.map_or(usual, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}"))
    })
}

/// Returns the size of a part of a test: the value of its variable, or else `soak` if
/// `FORETELL_TEST_SOAK` is set, and `usual`.
pub fn size(variable: &str, usual: usize, soak: usize) -> usize {
    number(variable, if std::env::var_os("FORETELL_TEST_SOAK").is_some() { soak } else { usual })
}

/// Waits until `condition` returns a value.
pub async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(Instant::now() < deadline, "still waiting after {PATIENCE:?}: {what}");
        sleep_briefly().await;
    }
}

/// Sleeps between two checks of a condition.
pub async fn sleep_briefly() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// The binary with arguments and settings, to be run in a home.
#[derive(Debug, Clone)]
pub struct Program {
    folder: PathBuf,
    arguments: Vec<String>,
    variables: BTreeMap<String, String>,
    input: String,
    disk: Disk,
}

/// Disk of a program's data folder.
#[derive(Debug, Clone, Copy)]
enum Disk {
    /// The disk of the home.
    Usual,
    /// A separate disk of so many MiB, visible to this program only.
    Own { mib: u32 },
    /// The separate disk of this process.
    Of { process: u32 },
}

/// Mounts a separate disk of so many MiB at the folder `data`, visible to this process only, and
/// runs a program there.
const ON_OWN_DISK: &str = r#"mount -t tmpfs -o "size=$0m,mode=700" tmpfs data && exec "$@""#;

impl Program {
    /// Creates the program with only the database configured, if it is on Postgres.
    pub fn new(home: &Home) -> Self {
        let url = home.database_url().map(|url| ("DATABASE_URL".to_owned(), url.to_owned()));
        Self {
            folder: home.path().to_owned(),
            arguments: Vec::new(),
            variables: url.into_iter().collect(),
            input: String::new(),
            disk: Disk::Usual,
        }
    }

    /// Uses a separate disk of so many MiB for the data folder, while it runs: see
    /// [`Server::path_of`](crate::Server::path_of).
    #[must_use]
    pub fn on_disk(mut self, mib: u32) -> Self {
        self.disk = Disk::Own { mib };
        self
    }

    /// Uses the disk of a running process, if it has a separate one.
    pub(crate) fn beside(mut self, process: u32) -> Self {
        if let Disk::Own { .. } = self.disk {
            self.disk = Disk::Of { process };
        }
        self
    }

    /// Sets the arguments, separated by spaces.
    #[must_use]
    pub fn arguments(mut self, arguments: &str) -> Self {
        self.arguments = arguments.split_whitespace().map(str::to_owned).collect();
        self
    }

    /// Sets a variable such as `FORETELL__SERVER__BIND`.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the text on standard input.
    #[must_use]
    pub fn input(mut self, input: &str) -> Self {
        input.clone_into(&mut self.input);
        self
    }

    /// Runs it to its end.
    pub async fn run(&self) -> Finished {
        let folder = tempfile::tempdir().unwrap();
        let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
        let mut running =
            self.spawn(File::create(&stdout).unwrap(), File::create(&stderr).unwrap());
        let status = running.wait(&format!("{self:?} to end")).await;
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        Finished { status, stdout: read(&stdout), stderr: read(&stderr) }
    }

    /// Starts it, without this process's environment.
    pub(crate) fn spawn(&self, stdout: File, stderr: File) -> Running {
        let binary = variable("FORETELL_TEST_BINARY");
        let mut command = match self.disk {
            Disk::Usual => Command::new(binary),
            Disk::Own { mib } => {
                std::fs::create_dir_all(self.folder.join("data")).unwrap();
                let mut command = Command::new("unshare");
                command.args([
                    "--map-root-user",
                    "--mount",
                    "sh",
                    "-c",
                    ON_OWN_DISK,
                    &mib.to_string(),
                    &binary,
                ]);
                command
            }
            Disk::Of { process } => {
                let (process, folder) =
                    (format!("--target={process}"), self.folder.to_str().unwrap());
                let mut command = Command::new("nsenter");
                command.args([&process, "--user", "--mount", "--preserve-credentials"]);
                command.args(["sh", "-c", r#"cd "$0" && exec "$@""#, folder, &binary]);
                command
            }
        };
        let mut child = command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .expect("FORETELL_TEST_BINARY names a program");
        // It may end without reading its input, and is judged by its result only.
        drop(child.stdin.take().unwrap().write_all(self.input.as_bytes()));
        Running { child }
    }
}

/// A running program, killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Returns the exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the path at which other processes find a file of the program, also on a separate
    /// disk.
    pub(crate) fn path_of(&self, file: &Path) -> PathBuf {
        Path::new("/proc")
            .join(self.id().to_string())
            .join("root")
            .join(file.strip_prefix("/").unwrap())
    }

    /// Waits until it ends.
    pub(crate) async fn wait(&mut self, what: &str) -> ExitStatus {
        eventually(what, async || self.ended()).await
    }

    /// Sends SIGTERM, like an operator.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP, like a terminal that is closed.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success(), "process {id} does not run");
    }

    /// Kills it, like `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Result of a run of the program.
#[derive(Debug)]
pub struct Finished {
    /// Exit code, or the signal that ended it.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error, with the log.
    pub stderr: String,
}

impl Finished {
    /// Returns the result if it succeeded, and fails otherwise.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status.code(), Some(0), "{self:#?}");
        self
    }

    /// Returns the result if it failed without a signal, with an error that contains each of these
    /// parts.
    #[track_caller]
    pub fn failed(self, parts: &[&str]) -> Self {
        assert!(self.status.code().is_some_and(|code| code != 0), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        for part in parts {
            assert!(self.stderr.contains(part), "{part} is not in {self:#?}");
        }
        self
    }
}
