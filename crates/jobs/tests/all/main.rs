//! Tests of the worker, with the in-memory store.

#[cfg(test)]
mod worker;
