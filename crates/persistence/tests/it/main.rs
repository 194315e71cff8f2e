//! Tests of the adapters with real databases: files of `SQLite`, and the Postgres at
//! `FORETELL_TEST_POSTGRES_URL`. `scripts/with-servers cargo test -p foretell-persistence` starts
//! one.

// With "cfg(test)", clippy treats helpers as tests, too.
#[cfg(test)]
mod contract;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod encoding;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod search_index;
