//! Tests of the workspace itself: which crate may know which, and what its files must hold.
//!
//! Each rule is a function from data to the faults it finds, so that one test shows it a breach and
//! another shows it the real workspace.

mod dependencies;
mod graph;
mod migrations;
mod sources;

use std::path::PathBuf;

/// The workspace's folder.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
