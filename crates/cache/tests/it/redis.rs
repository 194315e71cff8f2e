//! The Redis that all tests share, with a prefix for each, and Redis servers that a test may stop.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use foretell_cache::{RedisLink, RedisSettings};

/// Returns the prefix of one test.
pub(crate) fn fresh_prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Returns a link to the shared Redis, with a prefix of its own.
pub(crate) async fn shared_link() -> Arc<RedisLink> {
    let url = env::var("FORETELL_TEST_REDIS_URL").expect("run by scripts/with-servers");
    link(&url, &fresh_prefix())
}

/// Signing key of the nodes of one database.
const KEY: [u8; 32] = [7; 32];

pub(crate) fn link(url: &str, prefix: &str) -> Arc<RedisLink> {
    link_with_key(url, prefix, &KEY)
}

pub(crate) fn link_with_key(url: &str, prefix: &str, key: &[u8; 32]) -> Arc<RedisLink> {
    RedisLink::new(&settings(url, prefix), key).unwrap()
}

pub(crate) fn settings(url: &str, prefix: &str) -> RedisSettings {
    RedisSettings { url: url.to_owned(), prefix: prefix.to_owned() }
}

/// Redis of one test, stopped when it is dropped.
pub(crate) struct OwnRedis {
    port: u16,
    process: Option<Child>,
}

impl OwnRedis {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with additional arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { port, process: None };
        redis.run(arguments);
        redis
    }

    /// Starts it again, empty, on the same port.
    pub(crate) fn restart(&mut self) {
        self.run(&[]);
    }

    fn run(&mut self, arguments: &[&str]) {
        let program = env::var("FORETELL_TEST_REDIS_BIN").expect("run by scripts/with-servers");
        let process = Command::new(program)
            .args([
                "--port",
                &self.port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(10), "Redis does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Kills it like a crash.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops its process: it accepts connections, but does not respond.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Sends an inline command and returns the response.
    pub(crate) fn send(&self, command: &str) -> String {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
