//! Destinations of traces and errors, and their HTTP client.
//!
//! A program built without the feature has no valid values of these types, so that a setting
//! without effect is rejected when it is read.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

/// Reason why a value is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RemoteError {
    /// The program was built without this feature.
    #[error("needs a program that was built with `--features {0}`")]
    NotBuilt(&'static str),
    /// Not an address.
    #[error("must be an address such as \"http://127.0.0.1:4318/v1/traces\"")]
    Endpoint,
    /// Not a list of headers.
    #[error("must be headers such as \"authorization=Bearer ...,x-team=markets\"")]
    Headers,
    /// Not a DSN.
    #[error("must be a DSN such as \"https://key@errors.example.org/1\"")]
    Dsn,
}

/// Destination and sampling of traces.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// Address of the collector.
    pub endpoint: Endpoint,
    /// Headers of each request.
    pub headers: Headers,
    /// Percentage of requests that are traced, 0 to 100. If a proxy sends a sampling decision, that
    /// one applies instead.
    pub sample_percent: u8,
}

/// Destination of errors.
#[derive(Debug, Clone)]
pub struct ReportSettings {
    /// Project that receives them.
    pub dsn: Dsn,
    /// Environment, which distinguishes them from those of other installations, such as
    /// `production`.
    pub environment: String,
}

/// Complete address at which a collector receives traces as OTLP in protobuf over HTTP (its path is
/// usually `/v1/traces`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = RemoteError;

    #[cfg(feature = "opentelemetry")]
    fn from_str(text: &str) -> Result<Self, RemoteError> {
        let uri: ureq::http::Uri = text.parse().map_err(|_| RemoteError::Endpoint)?;
        let is_http =
            uri.scheme().is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https"));
        // The address may be logged, a password may not.
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

/// Headers, in the form of `OTEL_EXPORTER_OTLP_HEADERS` but without encoding: `name=value`,
/// separated by commas. They may be secrets.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(String, SecretString)>);

impl Headers {
    /// Iterates over the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
    }
}

impl FromStr for Headers {
    type Err = RemoteError;

    fn from_str(text: &str) -> Result<Self, RemoteError> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_token);
        let is_value = |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let headers = pairs.map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_name(name) && is_value(value) => {
                Ok((name.to_owned(), value.into()))
            }
            _ => Err(RemoteError::Headers),
        });
        headers.collect::<Result<_, _>>().map(Self)
    }
}

/// Address and key of a project at Sentry, or at a compatible server.
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

/// Creates the HTTP client of both, which sends from threads of its own: no request waits for it.
#[cfg(any(feature = "opentelemetry", feature = "sentry"))]
pub(crate) fn agent() -> ureq::Agent {
    let timeout = std::time::Duration::from_secs(5);
    // A redirect might lead to another receiver.
    let config = ureq::Agent::config_builder().timeout_global(Some(timeout)).max_redirects(0);
    config.http_status_as_error(false).build().new_agent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_parsed_as_names_and_values() {
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
    fn endpoint_is_complete_address_without_password() {
        for text in ["http://127.0.0.1:4318/v1/traces", "https://otel.example.org/v1/traces"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().as_str(), text);
        }
        for text in ["127.0.0.1:4318", "/v1/traces", "ftp://a/b", "http://a:b@c/d", "http://", ""] {
            assert_eq!(text.parse::<Endpoint>(), Err(RemoteError::Endpoint), "{text:?}");
        }
    }

    #[cfg(feature = "sentry")]
    #[test]
    fn dsn_has_key_and_project_and_is_hidden() {
        let dsn: Dsn = "https://0123456789@errors.example.org/1".parse().unwrap();
        assert!(!format!("{dsn:?}").contains("0123456789"), "{dsn:?}");
        for text in ["https://errors.example.org/1", "https://key@errors.example.org", "errors", ""]
        {
            assert_eq!(text.parse::<Dsn>().map(drop), Err(RemoteError::Dsn), "{text:?}");
        }
    }

    #[cfg(not(any(feature = "opentelemetry", feature = "sentry")))]
    #[test]
    fn settings_of_missing_feature_are_rejected() {
        let endpoint = "http://127.0.0.1:4318/v1/traces".parse::<Endpoint>();
        assert_eq!(endpoint, Err(RemoteError::NotBuilt("opentelemetry")));
        let dsn = "https://0123456789@errors.example.org/1".parse::<Dsn>().map(drop);
        assert_eq!(dsn, Err(RemoteError::NotBuilt("sentry")));
    }
}
