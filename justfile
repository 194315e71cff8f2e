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

# Runs the tests that need no servers, in a minute or two; arguments are parts of their names
test *arguments:
    scripts/test-quick "$@"

# Runs the whole test suite; arguments go to `cargo test`
test-all *arguments:
    scripts/test "$@"

# Runs the tests of faults for hours: see CONTRIBUTING.md for how much of each
soak *arguments:
    FORETELL_TEST_SOAK=1 scripts/test -- crash slow_clients background::workers redis "$@"

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
    cargo clippy --locked --package foretell-telemetry --package foretell-app --all-targets -- -D warnings

# Builds the documentation of our crates
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps

# Measures the server: the table of docs/performance.md; `just bench growth` with ten million bets stored
bench *arguments:
    scripts/bench "$@"

# Measures searches: what of a set of queries is found, and how long answers take with 100,000 markets
bench-search *arguments:
    scripts/bench search "$@"
