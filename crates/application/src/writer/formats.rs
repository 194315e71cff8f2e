//! The formats of what outlives a version of the program: request hashes and stored outcomes.
//!
//! Rows under idempotency keys are read by later versions. So they are written from the types below and from
//! nothing else: a type of the domain may change, these may not. The files in `golden` hold every shape; a
//! test compares them byte for byte. A format that must change gets a new number and a new set of types, and
//! the old ones stay as long as keys are kept (7 days). Ids, amounts and times are stored as plain values.

mod command;
mod market;
mod outcome;
mod refusal;
#[cfg(test)]
mod tests;
mod transfer;

pub(super) use command::{RequestHash, hash};
pub(super) use outcome::{BatchRun, CommandResult, Stored, read, write};
