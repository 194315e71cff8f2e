//! What processes use: processor time and memory, as Linux tells in `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The length of a clock tick of `/proc`, which is 100 a second on Linux.
const TICK: Duration = Duration::from_millis(10);

/// A process by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// This one.
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    /// The processor time that it has used, with that of its children that have ended.
    pub(crate) fn cpu_time(self) -> Result<Duration> {
        // User and system time, its own and that of its children.
        let ticks = (11..15).map(|field| self.stat::<u32>(field)).sum::<Result<u32>>()?;
        Ok(TICK * ticks)
    }

    /// The processor time of it and all below it.
    pub(crate) fn cpu_time_of_all(self) -> Result<Duration> {
        let mut total = self.cpu_time()?;
        for child in self.children() {
            // It may end while it is looked at.
            total += child.cpu_time_of_all().unwrap_or_default();
        }
        Ok(total)
    }

    /// The memory that it has in use, in bytes.
    pub(crate) fn resident_bytes(self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
        Ok(kib * 1_024)
    }

    /// A field of `/proc/PID/stat`, counted from 0 after the name.
    fn stat<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        self,
        field: usize,
    ) -> Result<T> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name, in parentheses, may contain anything.
        let (_, rest) = stat.rsplit_once(')').context("/proc/PID/stat has no name")?;
        Ok(rest.split_whitespace().nth(field).context("/proc/PID/stat has too few fields")?.parse()?)
    }

    fn children(self) -> Vec<Self> {
        let path = format!("/proc/{0}/task/{0}/children", self.0);
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().filter_map(|child| child.parse().ok().map(Self)).collect()
    }
}
