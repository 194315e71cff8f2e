//! Fills a database with a history of any length, as the server would have written it; the audit
//! accepts it.
//!
//! The server would take hours to write ten million bets; SQL writes them in minutes. Each number
//! of the history is computed from the row's own number, so no row needs to read another one.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use foretell_domain::id::AccountId;
use foretell_domain::market::lmsr::{Lmsr, Mechanism as _};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_ports::secret::Tokens as _;
use foretell_security::SessionTokens;
use foretell_tests::{Database, Home};
use secrecy::ExposeSecret as _;

/// Amount that each person and the house receive, in minor units.
const GRANT: u64 = 1_000_000_000;
const HOUSE_GRANT: u64 = 1_000_000_000_000;

/// Subsidy of each market, in minor units.
const SUBSIDY: u64 = 100_000;

/// Begin of the history, in microseconds; there is one event in each microsecond.
const BEGIN_US: u64 = 1_767_225_600_000_000;

/// Number of sessions that one statement inserts.
const SESSIONS_A_STATEMENT: usize = 500;

/// Size of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Number of users who bet, beside the house, which opens all markets.
    pub(crate) people: u64,
    pub(crate) markets: u64,
    /// Number of bets, spread evenly over people and markets, each of one unit for the first
    /// option.
    pub(crate) bets: u64,
}

impl Size {
    /// A young database: 10,000 bets.
    pub(crate) const SMALL: Self = Self { people: 10_000, markets: 1_000, bets: 10_000 };
    /// An old database: 10 million bets in a million markets.
    pub(crate) const LARGE: Self = Self { people: 10_000, markets: 1_000_000, bets: 10_000_000 };
}

/// Kinds of rows; each has its own numbering.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    User = 1,
    Account = 2,
    /// Market and pot, which have the same id.
    Market = 3,
    FirstOption = 4,
    SecondOption = 5,
    Session = 6,
    Grant = 7,
    Subsidy = 8,
    /// Bet and transfer, which have the same id.
    Bet = 9,
}

/// Returns the id of row `number`, as the API writes it.
pub(crate) fn id(kind: Kind, number: u64) -> String {
    format!("{}{number:012x}", prefix(kind))
}

/// Returns the SQL on Postgres for the id of the row whose number is the value of an expression.
pub(crate) fn postgres_id(kind: Kind, number: &str) -> String {
    Dialect(Database::Postgres).id(kind, number)
}

/// Returns the common prefix of the ids of one kind.
fn prefix(kind: Kind) -> String {
    format!("0190000{}-0000-7000-8000-", kind as u8)
}

/// Fills an empty database whose tables exist and whose server is stopped. People `1` to
/// `signed_in` get a session; their tokens are returned in that order.
pub(crate) fn fill(
    home: &Home,
    database: Database,
    size: Size,
    signed_in: u64,
) -> Result<Vec<String>> {
    let dialect = Dialect(database);
    let bets = bets(dialect, size)?;
    let tables = [users, accounts, markets, transfers].map(|table| table(dialect, size));
    for rows in tables.into_iter().chain([bets, outcomes(dialect, size)]) {
        home.execute(&dialect.at_once(&rows));
    }
    let tokens = sessions(home, dialect, signed_in)?;
    home.execute(match database {
        Database::Sqlite => "PRAGMA wal_checkpoint(TRUNCATE)",
        Database::Postgres => "VACUUM ANALYZE",
    });
    if database == Database::Postgres {
        home.execute("CHECKPOINT");
    }
    // Gigabytes that are not written to the disk yet would delay the commits that are measured.
    let synced = Command::new("sync").status().context("sync cannot be run")?;
    ensure!(synced.success(), "sync failed");
    Ok(tokens)
}

/// SQL dialect of a database.
#[derive(Debug, Clone, Copy)]
struct Dialect(Database);

impl Dialect {
    /// Returns the statements as one transaction without durability.
    fn at_once(self, statements: &str) -> String {
        match self.0 {
            Database::Sqlite => format!(
                "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN; {statements}; COMMIT;"
            ),
            Database::Postgres => {
                format!("BEGIN; SET LOCAL synchronous_commit = off; {statements}; COMMIT;")
            }
        }
    }

    /// Returns the SQL for the id of the row whose number is the value of an expression.
    fn id(self, kind: Kind, number: &str) -> String {
        let prefix = prefix(kind);
        match self.0 {
            Database::Sqlite => format!("unhex(printf('{prefix}%012x', {number}), '-')"),
            Database::Postgres => format!("('{prefix}' || lpad(to_hex({number}), 12, '0'))::uuid"),
        }
    }

    /// Returns the SQL for a table of the numbers from `first` up to but not including `end`, in
    /// column `n`.
    fn numbers(self, first: u64, end: u64) -> String {
        match self.0 {
            Database::Sqlite => format!(
                "(WITH RECURSIVE s (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {end})
                SELECT n FROM s WHERE n < {end})"
            ),
            Database::Postgres => format!("generate_series({first}::bigint, {end}::bigint - 1) AS s (n)"),
        }
    }

    fn bytes(self, hex: &str) -> String {
        match self.0 {
            Database::Sqlite => format!("x'{hex}'"),
            Database::Postgres => format!("'\\x{hex}'::bytea"),
        }
    }

    fn treasury(self) -> String {
        let id = AccountId::TREASURY.to_string();
        match self.0 {
            Database::Sqlite => format!("x'{}'", id.replace('-', "")),
            Database::Postgres => format!("'{id}'::uuid"),
        }
    }
}

fn users(d: Dialect, size: Size) -> String {
    format!(
        "INSERT INTO users (id, email, name, avatar, role, status, password_hash, created_at_us)
        SELECT {id}, 'person' || n || '@example.org', 'Person ' || n, NULL, 'USER', 'active', '', {BEGIN_US} + n
        FROM {numbers}",
        id = d.id(Kind::User, "n"),
        numbers = d.numbers(0, size.people + 1),
    )
}

/// Returns the SQL for the number of `bets` that belong to number `n` of `among`.
fn share(bets: u64, among: u64, n: &str) -> String {
    format!("(({bets} - {n} + {among} - 1) / {among})")
}

fn accounts(d: Dialect, Size { people, markets, bets }: Size) -> String {
    let columns =
        "INSERT INTO accounts (id, kind, owner_id, status, balance_minor, version, created_at_us)";
    let in_circulation = HOUSE_GRANT + people * GRANT;
    let house_left = HOUSE_GRANT - markets * SUBSIDY;
    let of_person = share(bets, people, "(n - 1)");
    let of_market = share(bets, markets, "n");
    format!(
        "UPDATE accounts SET balance_minor = -{in_circulation}, version = {people} + 1 WHERE id = {treasury};
        {columns} SELECT {account}, 'user', {user}, 'open',
            CASE WHEN n = 0 THEN {house_left} ELSE {GRANT} - {of_person} END,
            CASE WHEN n = 0 THEN {markets} + 1 ELSE 1 + {of_person} END, {BEGIN_US} + n
        FROM {accounts};
        {columns} SELECT {pot}, 'market', NULL, 'open', {SUBSIDY} + {of_market}, 1 + {of_market}, {BEGIN_US} + n
        FROM {pots}",
        treasury = d.treasury(),
        account = d.id(Kind::Account, "n"),
        user = d.id(Kind::User, "n"),
        accounts = d.numbers(0, people + 1),
        pot = d.id(Kind::Market, "n"),
        pots = d.numbers(0, markets),
    )
}

fn markets(d: Dialect, Size { markets, bets, .. }: Size) -> String {
    let (market, numbers) = (d.id(Kind::Market, "n"), d.numbers(0, markets));
    let count = share(bets, markets, "n");
    let mut sql = format!(
        "INSERT INTO markets (id, creator_id, creator_account_id, name, description, category, ends_at_us,
            subsidy_minor, fee_bps, created_at_us)
        SELECT {market}, {house}, {house_account}, 'Market number ' || n, 'A market that was opened to be traded in.',
            CASE n % 4 WHEN 0 THEN 'politics' WHEN 1 THEN 'sports' WHEN 2 THEN 'crypto' ELSE 'entertainment' END,
            4102444800000000 + n, {SUBSIDY}, 0, {BEGIN_US} + n FROM {numbers};
        INSERT INTO market_states (market_id, phase, fees_minor, volume_minor, stakes_minor, bet_count, version,
            updated_at_us)
        SELECT {market}, 'open', 0, {count}, {count}, {count}, 1 + {count}, {BEGIN_US} + n FROM {numbers}",
        house = d.id(Kind::User, "0"),
        house_account = d.id(Kind::Account, "0"),
    );
    for (index, kind, name, outstanding) in
        [(0, Kind::FirstOption, "Yes", count.as_str()), (1, Kind::SecondOption, "No", "0")]
    {
        let id = d.id(kind, "n");
        // Writing into a String does not fail.
        let _ = write!(
            sql,
            "; INSERT INTO market_options (market_id, option_index, id, name, initial_probability,
                outstanding_units)
            SELECT {market}, {index}, {id}, '{name}', 0.5, {outstanding} FROM {numbers}"
        );
    }
    sql
}

fn transfers(d: Dialect, Size { people, markets, bets }: Size) -> String {
    let columns = "INSERT INTO transfers (id, kind, amount_minor, debit_account_id, debit_version,
        debit_balance_minor, credit_account_id, credit_version, credit_balance_minor, market_id, created_at_us)";
    format!(
        "{columns} SELECT {grant}, 'grant', CASE WHEN n = 0 THEN {HOUSE_GRANT} ELSE {GRANT} END,
            {treasury}, n + 1, -({HOUSE_GRANT} + n * {GRANT}),
            {account}, 1, CASE WHEN n = 0 THEN {HOUSE_GRANT} ELSE {GRANT} END, NULL, {BEGIN_US} + n
        FROM {people_numbers};
        {columns} SELECT {subsidy}, 'subsidy', {SUBSIDY}, {house}, n + 2, {HOUSE_GRANT} - (n + 1) * {SUBSIDY},
            {market}, 1, {SUBSIDY}, {market}, {BEGIN_US} + n
        FROM {market_numbers};
        {columns} SELECT {bet}, 'bet', 1, {person}, n / {people} + 2, {GRANT} - n / {people} - 1,
            {traded}, n / {markets} + 2, {SUBSIDY} + n / {markets} + 1, {traded}, {BEGIN_US} + n
        FROM {bet_numbers}",
        grant = d.id(Kind::Grant, "n"),
        treasury = d.treasury(),
        account = d.id(Kind::Account, "n"),
        people_numbers = d.numbers(0, people + 1),
        subsidy = d.id(Kind::Subsidy, "n"),
        house = d.id(Kind::Account, "0"),
        market = d.id(Kind::Market, "n"),
        market_numbers = d.numbers(0, markets),
        bet = d.id(Kind::Bet, "n"),
        person = d.id(Kind::Account, &format!("n % {people} + 1")),
        traded = d.id(Kind::Market, &format!("n % {markets}")),
        bet_numbers = d.numbers(0, bets),
    )
}

/// Returns the SQL for the prices of a market after the bets before number `n`, and `more`.
fn prices_after_bets(d: Dialect, Size { markets, bets, .. }: Size, more: u64) -> Result<String> {
    let even = Probability::new(0.5)?;
    let rule = Lmsr::new(Amount::new(i64::try_from(SUBSIDY)?)?, &[even, even])?;
    let mut sql = format!("CASE n / {markets}");
    for bets_before in 0..bets.div_ceil(markets) {
        let held = Shares::new(i64::try_from(bets_before + more)?)?;
        let prices = rule.prices(&[held, Shares::ZERO]);
        // Stored as little-endian doubles.
        let bytes = prices.iter().flat_map(|price| price.get().to_le_bytes());
        let hex = bytes.fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        // Writing into a String does not fail.
        let _ = write!(sql, " WHEN {bets_before} THEN {}", d.bytes(&hex));
    }
    Ok(sql + " END")
}

fn bets(d: Dialect, size: Size) -> Result<String> {
    let Size { people, markets, bets } = size;
    let person = format!("n % {people} + 1");
    let market = format!("n % {markets}");
    Ok(format!(
        "INSERT INTO bets (id, market_id, sequence, market_version, user_id, account_id, transfer_id, option_id,
            option_index, side, cash_minor, fee_minor, shares_units, prices_before, prices_after, created_at_us)
        SELECT {bet}, {market_id}, n / {markets} + 1, n / {markets} + 2, {user}, {account}, {bet}, {option},
            0, 'buy', 1, 0, 1, {prices_before}, {prices_after}, {BEGIN_US} + n FROM {numbers};
        INSERT INTO positions (market_id, account_id, option_index, shares_units, spent_minor, received_minor)
        SELECT {held_market}, {held_account}, 0, count, count, 0 FROM (
            SELECT {market} AS market, {person} AS person, COUNT(*) AS count FROM {numbers} GROUP BY 1, 2) AS held",
        bet = d.id(Kind::Bet, "n"),
        market_id = d.id(Kind::Market, &market),
        user = d.id(Kind::User, &person),
        account = d.id(Kind::Account, &person),
        option = d.id(Kind::FirstOption, &market),
        prices_before = prices_after_bets(d, size, 0)?,
        prices_after = prices_after_bets(d, size, 1)?,
        numbers = d.numbers(0, bets),
        held_market = d.id(Kind::Market, "market"),
        held_account = d.id(Kind::Account, "person"),
    ))
}

fn outcomes(d: Dialect, Size { people, bets, .. }: Size) -> String {
    let hex = match d.0 {
        Database::Sqlite => "printf('%012x', n)",
        Database::Postgres => "lpad(to_hex(n), 12, '0')",
    };
    format!(
        "INSERT INTO idempotency_keys (user_id, key, request_hash, outcome, created_at_us)
        SELECT {user}, 'seed-' || n, {hash}, '{{\"Trade\":\"{bet}' || {hex} || '\"}}',
            {now_us} FROM {numbers}",
        // The server deletes rows that are older than a week.
        now_us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros(),
        bet = prefix(Kind::Bet),
        user = d.id(Kind::User, &format!("n % {people} + 1")),
        hash = d.bytes(&"00".repeat(32)),
        numbers = d.numbers(0, bets),
    )
}

fn sessions(home: &Home, d: Dialect, count: u64) -> Result<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rows = Vec::new();
    for number in 1..=count {
        let (token, hash) = SessionTokens.issue();
        let hash = hash.0.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let number_text = number.to_string();
        let (id, user) = (d.id(Kind::Session, &number_text), d.id(Kind::User, &number_text));
        rows.push(format!("({id}, {user}, {}, {BEGIN_US}, 4102444800000000)", d.bytes(&hash)));
        tokens.push(token.expose_secret().to_owned());
    }
    for rows in rows.chunks(SESSIONS_A_STATEMENT) {
        let columns =
            "INSERT INTO sessions (id, user_id, token_hash, created_at_us, expires_at_us)";
        home.execute(&format!("{columns} VALUES {}", rows.join(", ")));
    }
    tokens.first().context("nobody is signed in")?;
    Ok(tokens)
}
