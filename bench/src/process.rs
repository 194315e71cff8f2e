//! Processor time and memory of processes, read from `/proc` on Linux.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Length of a clock tick of `/proc`: Linux has 100 per second.
const TICK: Duration = Duration::from_millis(10);

/// Process id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Returns the current process.
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    /// Returns the processor time of the process and of its children that have ended.
    pub(crate) fn cpu_time(self) -> Result<Duration> {
        // Fields 11 to 14: user and system time of the process and of its ended children.
        let ticks = (11..15).map(|field| self.stat::<u32>(field)).sum::<Result<u32>>()?;
        Ok(TICK * ticks)
    }

    /// Returns the processor time of the process and all its descendants.
    pub(crate) fn cpu_time_of_all(self) -> Result<Duration> {
        let mut total = self.cpu_time()?;
        for child in self.children() {
            // A child may end while its file is read.
            total += child.cpu_time_of_all().unwrap_or_default();
        }
        Ok(total)
    }

    /// Returns the resident memory, in bytes.
    pub(crate) fn resident_bytes(self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
        Ok(kib * 1_024)
    }

    /// Returns a field of `/proc/PID/stat`, counted from 0 after the name.
    fn stat<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        self,
        field: usize,
    ) -> Result<T> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name is in parentheses and may contain any character, parentheses included.
        let (_, rest) = stat.rsplit_once(')').context("/proc/PID/stat has no name")?;
        Ok(rest
            .split_whitespace()
            .nth(field)
            .context("/proc/PID/stat has too few fields")?
            .parse()?)
    }

    fn children(self) -> Vec<Self> {
        let path = format!("/proc/{0}/task/{0}/children", self.0);
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().filter_map(|child| child.parse().ok().map(Self)).collect()
    }
}
