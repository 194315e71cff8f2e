//! Signals: those that stop a process, and the hangup, which does not.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, which have the same effect: finish and exit.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// Logs SIGHUP from now on instead of exiting. A closed terminal or a reload by a service manager
/// must not stop the server; nothing is reloaded, since settings are read once.
///
/// # Errors
/// Errors of registering a signal handler.
pub(crate) fn survive_hangup() -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP ignored: restart the process to apply changed settings");
        }
    });
    Ok(())
}

impl Signals {
    /// Registers the handlers.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
