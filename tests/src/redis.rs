//! A Redis of one test, which the test may crash.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::program::{eventually, variable};

/// A server without persistence, stopped when dropped.
#[derive(Debug)]
pub struct Redis {
    program: PathBuf,
    port: u16,
    process: Option<Child>,
    /// The thread that keeps it slow, until it is told to end.
    slowing: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Redis {
    /// Starts the default program on a free port.
    pub async fn start() -> Self {
        Self::start_program(variable("FORETELL_TEST_REDIS_BIN").into()).await
    }

    /// Starts this program on a free port.
    pub async fn start_program(program: PathBuf) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { program, port, process: None, slowing: None };
        redis.start_again().await;
        redis
    }

    /// Starts it again, empty, on the same port.
    pub async fn start_again(&mut self) {
        let port = self.port.to_string();
        let process = Command::new(&self.program)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let port = self.port;
        eventually("Redis to take connections", async || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Kills it, like a crash.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Freezes it: it accepts connections and responds to nothing.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Resumes it.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Delays most commands by up to 80 milliseconds from now on.
    pub fn slow_down(&mut self) {
        let (is_over, port) = (Arc::new(AtomicBool::new(false)), self.port);
        let ends = Arc::clone(&is_over);
        let pause = move || {
            while !ends.load(Ordering::Relaxed) {
                drop(ask(port, &["CLIENT PAUSE 80 ALL"]));
            }
        };
        self.slowing = Some((is_over, thread::spawn(pause)));
    }

    /// Ends the delay.
    pub fn speed_up(&mut self) {
        if let Some((is_over, thread)) = self.slowing.take() {
            is_over.store(true, Ordering::Relaxed);
            thread.join().unwrap();
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("Redis runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Sends inline commands and returns all responses.
    pub fn tell(&self, commands: &[&str]) -> String {
        ask(self.port, commands).unwrap()
    }
}

fn ask(port: u16, commands: &[&str]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    for command in commands.iter().chain(&["QUIT"]) {
        stream.write_all(format!("{command}\r\n").as_bytes())?;
    }
    let mut answers = Vec::new();
    std::io::copy(&mut stream, &mut answers)?;
    Ok(String::from_utf8_lossy(&answers).into_owned())
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        self.speed_up();
    }
}
