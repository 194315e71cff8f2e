//! Configuration of a database: its URL and its connections.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use foretell_domain::search::SearchLanguage;

use crate::error::ConnectError;

/// Default settings of libpq, so that neither a server that never responds nor a network that drops
/// packets blocks a connection forever. Units: seconds, and milliseconds for the last.
const POSTGRES_DEFAULTS: [(&str, &str); 6] = [
    ("application_name", "foretell"),
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "20000"),
];

/// Location of the data: a `SQLite` file or a Postgres server.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// Path of a file, created if it does not exist.
    Sqlite(PathBuf),
    /// URL for libpq, starting with `postgres://` or `postgresql://`. It may contain a password.
    Postgres(String),
}

impl DatabaseUrl {
    /// Returns `true` for a Postgres server, which supports several writers.
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl FromStr for DatabaseUrl {
    type Err = ConnectError;

    /// Parses `postgres://...`, `sqlite:///absolute/path`, `sqlite://relative/path`, `sqlite:path`
    /// or a path.
    fn from_str(text: &str) -> Result<Self, ConnectError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(with_defaults(text)));
        }
        let path = text
            .strip_prefix("sqlite:")
            .map_or(text, |rest| rest.strip_prefix("//").unwrap_or(rest));
        if path.contains("://") {
            return Err(ConnectError::Url("its scheme is neither sqlite nor postgres"));
        }
        if path.is_empty() || path.contains('\0') {
            return Err(ConnectError::Url("it names no file"));
        }
        if path == ":memory:" || path.starts_with("file:") {
            return Err(ConnectError::Url("SQLite databases are files, named by their path"));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

fn with_defaults(url: &str) -> String {
    let mut url = url.to_owned();
    let query = url.split_once('?').map_or_else(String::new, |(_, query)| query.to_owned());
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    // The operator's own parameters take precedence.
    for (name, value) in POSTGRES_DEFAULTS.into_iter().filter(|(name, _)| !has(name)) {
        let separator = match url.chars().last() {
            Some('?' | '&') => "",
            _ if url.contains('?') => "&",
            _ => "?",
        };
        url.extend([separator, name, "=", value]);
    }
    url
}

/// Hides the password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hides the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let authority = rest.split(['?', '#']).next().unwrap_or_default();
                // From the right, since a password may contain `@`.
                let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
                write!(f, "postgres://{server}")
            }
        }
    }
}

/// Configuration of a database and its connection pools.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Location.
    pub url: DatabaseUrl,
    /// Maximum number of writing connections; `SQLite` always has one writer.
    pub write_connections: usize,
    /// Maximum number of reading connections.
    pub read_connections: usize,
    /// Number of connections of searches, which use no others.
    pub search_connections: usize,
    /// Language whose words are stemmed in searches.
    pub search_language: SearchLanguage,
    /// Maximum wait for a free connection, after which storage counts as unavailable.
    pub wait: Duration,
}

impl DatabaseConfig {
    /// Returns the default configuration: 8 readers and 4 writers on Postgres, 4 readers and 1
    /// writer on `SQLite`, one connection for searches, and waits of at most 2 seconds.
    pub const fn new(url: DatabaseUrl) -> Self {
        let (write_connections, read_connections) = if url.is_postgres() { (4, 8) } else { (1, 4) };
        let search_connections = 1;
        let search_language = SearchLanguage::ENGLISH;
        Self {
            url,
            write_connections,
            read_connections,
            search_connections,
            search_language,
            wait: Duration::from_secs(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let url: DatabaseUrl = text.parse().unwrap();
        assert_eq!(url.to_string(), expected, "{text}");
        assert_eq!(format!("{url:?}"), expected, "{text}");
    }

    #[test]
    fn urls_are_parsed_and_hide_passwords() {
        check("sqlite:///var/lib/f.db", "sqlite:/var/lib/f.db");
        check("sqlite://data/f.db", "sqlite:data/f.db");
        check("sqlite:data/f.db", "sqlite:data/f.db");
        check("./data/f.db", "sqlite:./data/f.db");
        check("postgres://u:secret@h:5432/db", "postgres://h:5432/db");
        check("postgresql://u:sec@ret@h/db?password=secret", "postgres://h/db");
        check("postgres:///db?host=/run/pg&user=u", "postgres:///db");
    }

    #[test]
    fn unusable_urls_are_rejected() {
        for text in [
            "",
            "sqlite:",
            "sqlite://",
            "mysql://h/db",
            ":memory:",
            "sqlite::memory:",
            "file:a?b=c",
        ] {
            assert!(matches!(text.parse::<DatabaseUrl>(), Err(ConnectError::Url(_))), "{text}");
        }
    }

    #[test]
    fn server_urls_get_default_timeouts() {
        let url = |text: &str| match text.parse() {
            Ok(DatabaseUrl::Postgres(url)) => url,
            other => panic!("{other:?}"),
        };
        assert!(url("postgres://h/db").starts_with("postgres://h/db?application_name=foretell&"));
        let own = url("postgres://h/db?connect_timeout=30&sslmode=disable");
        assert!(own.contains("connect_timeout=30") && !own.contains("connect_timeout=5"), "{own}");
        assert!(own.contains("&tcp_user_timeout=20000"), "{own}");
    }
}
