# Everyday commands, for https://just.systems. Each is a line that can also be typed without it.

set positional-arguments

# Lists the recipes
default:
    @just --list --unsorted

# Serves the API, or runs the subcommand given
run *arguments:
    cargo run --locked -- "$@"

# Fills an empty database with users, markets in every state, and bets
demo:
    cargo run --locked -- demo

# Runs the whole test suite; arguments go to `cargo test`
test *arguments:
    scripts/test "$@"

# Kills the server 500 times under load on each database, and audits what it left; and workers 100 times
soak:
    FORETELL_TEST_CRASH_CYCLES=500 scripts/test -- crash::kill
    FORETELL_TEST_WORKER_KILLS=100 scripts/test -- background::workers
    FORETELL_TEST_SHARED_BETS=10000 FORETELL_TEST_REDIS_FAULT_MS=10000 scripts/test -- redis::

# Sends the server 200 made-up requests of each operation, as a user and as an admin, on each database
fuzz-api:
    FORETELL_TEST_FUZZ_EXAMPLES=200 scripts/test -- fuzz::

# Runs a command with servers for the tests: just with-servers cargo test -p foretell-persistence
with-servers +command:
    scripts/with-servers "$@"

# Everything that must pass before a commit: formatting, lints, documentation, tests
check:
    .ci/run

# Formats all code
fmt:
    cargo fmt --all

# Lints all code
clippy:
    cargo clippy --locked --workspace --all-targets --all-features -- -D warnings

# Builds the documentation of our crates
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps

# Measures the server: the table of docs/performance.md; `just bench growth` with ten million bets stored
bench *arguments:
    scripts/bench "$@"

# Measures searches: what of a set of queries is found, and how long answers take with 100,000 markets
bench-search *arguments:
    scripts/bench search "$@"
