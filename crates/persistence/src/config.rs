//! Which database is opened, and with how many connections.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use foretell_domain::search::SearchLanguage;

use crate::error::ConnectError;

/// Settings of libpq that a URL without them gets, so that neither a server that never answers nor a network
/// that swallows packets holds a connection for ever. Units: seconds, and milliseconds for the last.
const POSTGRES_DEFAULTS: [(&str, &str); 6] = [
    ("application_name", "foretell"),
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "20000"),
];

/// Where the data is: a `SQLite` file or a Postgres server.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The path of a file, made when it is not there.
    Sqlite(PathBuf),
    /// A URL as libpq takes it, beginning with `postgres://` or `postgresql://`. It may hold a password.
    Postgres(String),
}

impl DatabaseUrl {
    /// Whether it is a Postgres server, which several writers may use at once.
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl FromStr for DatabaseUrl {
    type Err = ConnectError;

    /// Reads `postgres://...`, `sqlite:///absolute/path`, `sqlite://relative/path`, `sqlite:path` or a path.
    fn from_str(text: &str) -> Result<Self, ConnectError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(with_defaults(text)));
        }
        let path = text.strip_prefix("sqlite:").map_or(text, |rest| rest.strip_prefix("//").unwrap_or(rest));
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

/// Never shows a password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Never shows a password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let authority = rest.split(['?', '#']).next().unwrap_or_default();
                let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
                write!(f, "postgres://{server}")
            }
        }
    }
}

/// Which database to open and how many connections to keep.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// The database.
    pub url: DatabaseUrl,
    /// The most connections that write; `SQLite` has one writer whatever is said here.
    pub write_connections: usize,
    /// The most connections that read.
    pub read_connections: usize,
    /// The connections of searches, which use no others.
    pub search_connections: usize,
    /// The language whose words searches find in all their forms.
    pub search_language: SearchLanguage,
    /// How long a caller waits for a free connection before storage counts as unavailable.
    pub wait: Duration,
}

impl DatabaseConfig {
    /// The usual settings: 8 readers and 4 writers on Postgres, 4 readers and 1 writer on `SQLite`, one connection for
    /// searches, and waits of at most 2 seconds.
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
    fn urls_and_paths_name_databases_and_hide_passwords() {
        check("sqlite:///var/lib/f.db", "sqlite:/var/lib/f.db");
        check("sqlite://data/f.db", "sqlite:data/f.db");
        check("sqlite:data/f.db", "sqlite:data/f.db");
        check("./data/f.db", "sqlite:./data/f.db");
        check("postgres://u:secret@h:5432/db", "postgres://h:5432/db");
        check("postgresql://u:sec@ret@h/db?password=secret", "postgres://h/db");
        check("postgres:///db?host=/run/pg&user=u", "postgres:///db");
    }

    #[test]
    fn urls_that_name_no_usable_database_are_refused() {
        for text in ["", "sqlite:", "sqlite://", "mysql://h/db", ":memory:", "sqlite::memory:", "file:a?b=c"]
        {
            assert!(matches!(text.parse::<DatabaseUrl>(), Err(ConnectError::Url(_))), "{text}");
        }
    }

    #[test]
    fn servers_get_timeouts_unless_the_url_has_its_own() {
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
