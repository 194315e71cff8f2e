//! Tests of the worker, over the store in memory.

#[cfg(test)]
mod worker;
