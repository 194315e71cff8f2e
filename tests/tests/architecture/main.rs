//! Tests of the workspace itself: allowed dependencies between crates, and rules for source files.
//!
//! Each rule is a function from data to its violations, so that one test passes it a violation and
//! another the real workspace.

mod dependencies;
mod graph;
mod migrations;
mod names;
mod sources;

use std::path::PathBuf;

/// Returns the folder of the workspace.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
