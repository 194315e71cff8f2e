//! What is told to others: where traces and errors are sent, and by which client.
//!
//! The values can be had only of a program that was built to send them, so that a setting which would do nothing
//! is refused where it is read.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

/// Why a value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RemoteError {
    /// The program was built without what it takes.
    #[error("needs a program that was built with `--features {0}`")]
    NotBuilt(&'static str),
    /// No address.
    #[error("must be an address such as \"http://127.0.0.1:4318/v1/traces\"")]
    Endpoint,
    /// No headers.
    #[error("must be headers such as \"authorization=Bearer ...,x-team=markets\"")]
    Headers,
    /// No DSN.
    #[error("must be a DSN such as \"https://key@errors.example.org/1\"")]
    Dsn,
}

/// Where traces are sent and which.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// Where a collector takes them.
    pub endpoint: Endpoint,
    /// What is sent along.
    pub headers: Headers,
    /// How many requests of a hundred are traced, 0 to 100; one whose proxy traces it is in any case, and one whose
    /// proxy does not is not.
    pub sample_percent: u8,
}

/// Where errors are sent.
#[derive(Debug, Clone)]
pub struct ReportSettings {
    /// The project that takes them.
    pub dsn: Dsn,
    /// What they are told apart by from those of other installations, such as `production`.
    pub environment: String,
}

/// The whole address at which a collector takes traces as OTLP in protobuf over HTTP (its path is `/v1/traces`
/// as a rule).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = RemoteError;

    #[cfg(feature = "opentelemetry")]
    fn from_str(text: &str) -> Result<Self, RemoteError> {
        let uri: ureq::http::Uri = text.parse().map_err(|_| RemoteError::Endpoint)?;
        let is_http = uri.scheme().is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https"));
        // Whoever may see the address may not see a password.
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if !is_http || has_user {
            return Err(RemoteError::Endpoint);
        }
        Ok(Self(text.to_owned()))
    }

    #[cfg(not(feature = "opentelemetry"))]
    fn from_str(_: &str) -> Result<Self, RemoteError> {
        Err(RemoteError::NotBuilt("opentelemetry"))
    }
}

/// Headers by their names, in the form of `OTEL_EXPORTER_OTLP_HEADERS` but with nothing encoded: `name=value`,
/// separated by commas. They may be secrets.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(String, SecretString)>);

impl Headers {
    /// Each name and its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
    }
}

impl FromStr for Headers {
    type Err = RemoteError;

    fn from_str(text: &str) -> Result<Self, RemoteError> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_token);
        let is_value = |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let headers = pairs.map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_name(name) && is_value(value) => Ok((name.to_owned(), value.into())),
            _ => Err(RemoteError::Headers),
        });
        headers.collect::<Result<_, _>>().map(Self)
    }
}

/// What names a project at Sentry, or at a server that speaks like it, and the key to it.
#[derive(Clone)]
pub struct Dsn(SecretString);

impl Dsn {
    #[cfg(feature = "sentry")]
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dsn").field(&self.0).finish()
    }
}

impl FromStr for Dsn {
    type Err = RemoteError;

    #[cfg(feature = "sentry")]
    fn from_str(text: &str) -> Result<Self, RemoteError> {
        text.parse::<sentry::types::Dsn>().map_err(|_| RemoteError::Dsn)?;
        Ok(Self(text.into()))
    }

    #[cfg(not(feature = "sentry"))]
    fn from_str(_: &str) -> Result<Self, RemoteError> {
        Err(RemoteError::NotBuilt("sentry"))
    }
}

/// The client that both are sent by, from threads of their own: nobody waits for it.
#[cfg(any(feature = "opentelemetry", feature = "sentry"))]
pub(crate) fn agent() -> ureq::Agent {
    let timeout = std::time::Duration::from_secs(5);
    // Where something has moved to, somebody else may be listening.
    let config = ureq::Agent::config_builder().timeout_global(Some(timeout)).max_redirects(0);
    config.http_status_as_error(false).build().new_agent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_names_and_values() {
        let headers: Headers = "authorization=Bearer a=b, x-team=markets,".parse().unwrap();
        let read: Vec<_> = headers.iter().collect();
        assert_eq!(read, [("authorization", "Bearer a=b"), ("x-team", "markets")]);
        assert!(!format!("{headers:?}").contains("Bearer"), "{headers:?}");
        assert_eq!("".parse::<Headers>().unwrap().iter().count(), 0);
        for text in ["authorization", "=value", "a b=c", "a=b\nc", "a=é"] {
            assert_eq!(text.parse::<Headers>().map(drop), Err(RemoteError::Headers), "{text:?}");
        }
    }

    #[cfg(feature = "opentelemetry")]
    #[test]
    fn an_endpoint_is_a_whole_address_without_a_password() {
        for text in ["http://127.0.0.1:4318/v1/traces", "https://otel.example.org/v1/traces"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().as_str(), text);
        }
        for text in ["127.0.0.1:4318", "/v1/traces", "ftp://a/b", "http://a:b@c/d", "http://", ""] {
            assert_eq!(text.parse::<Endpoint>(), Err(RemoteError::Endpoint), "{text:?}");
        }
    }

    #[cfg(feature = "sentry")]
    #[test]
    fn a_dsn_has_a_key_and_a_project_and_is_not_shown() {
        let dsn: Dsn = "https://0123456789@errors.example.org/1".parse().unwrap();
        assert!(!format!("{dsn:?}").contains("0123456789"), "{dsn:?}");
        for text in ["https://errors.example.org/1", "https://key@errors.example.org", "errors", ""] {
            assert_eq!(text.parse::<Dsn>().map(drop), Err(RemoteError::Dsn), "{text:?}");
        }
    }

    #[cfg(not(any(feature = "opentelemetry", feature = "sentry")))]
    #[test]
    fn what_would_do_nothing_is_refused() {
        let endpoint = "http://127.0.0.1:4318/v1/traces".parse::<Endpoint>();
        assert_eq!(endpoint, Err(RemoteError::NotBuilt("opentelemetry")));
        let dsn = "https://0123456789@errors.example.org/1".parse::<Dsn>().map(drop);
        assert_eq!(dsn, Err(RemoteError::NotBuilt("sentry")));
    }
}
