//! The adapters against real databases: files of `SQLite`, and the Postgres that `FORETELL_TEST_POSTGRES_URL`
//! names. `scripts/with-servers cargo test -p foretell-persistence` starts one.

mod contract;
mod databases;
