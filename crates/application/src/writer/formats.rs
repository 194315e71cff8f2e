//! Persistent formats, which outlive a version of the program: request hashes and stored outcomes.
//!
//! Rows under idempotency keys are read by later versions. So they are written only from the types
//! below: domain types may change, these may not. The files in `golden` contain every case; a test
//! compares them byte for byte. A format that must change gets a new number and new types, and the
//! old ones are kept as long as keys are (7 days). Ids, amounts and times are stored as plain
//! values.

mod command;
mod market;
mod outcome;
mod refusal;
mod resolution;
#[cfg(test)]
mod tests;
mod transfer;

pub(super) use command::{RequestHash, hash};
pub(super) use outcome::{BatchRun, CommandResult, Stored, read, write};
