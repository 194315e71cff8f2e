//! The adapters against real databases: files of `SQLite`, and the Postgres that `FORETELL_TEST_POSTGRES_URL`
//! names. `scripts/with-servers cargo test -p foretell-persistence` starts one.

// "cfg(test)" tells clippy that helpers, too, are tests.
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
