//! Origins of web pages that may call the server.

use std::str::FromStr;

use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use thiserror::Error;

/// Header in which browsers describe the origin of a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "must be http:// or https:// with a host and perhaps a port, such as \
     \"https://app.example.org\""
)]
pub struct OriginError;

/// Origin of a web page: scheme, host and port, in the form that browsers send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// Returns the origin as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let uri: Uri = text.parse().map_err(|_| OriginError)?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let (scheme, authority) = scheme.zip(uri.authority()).ok_or(OriginError)?;
        let origin = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
        // Nothing else may follow, and no user name may precede the host.
        if text.to_ascii_lowercase() == origin && !origin.contains('@') {
            Ok(Self(origin))
        } else {
            Err(OriginError)
        }
    }
}

/// Returns `true` if a request was sent by a page of another site, which is neither the server's
/// own nor one of `allowed`. Requests of other clients lack these headers, and are not affected.
pub(crate) fn is_from_elsewhere(headers: &HeaderMap, allowed: &[WebOrigin]) -> bool {
    if let Some(origin) = headers.get(ORIGIN) {
        let is_allowed = allowed.iter().any(|allowed| origin == allowed.as_str());
        return !is_allowed && !is_own(origin, headers.get(HOST));
    }
    let site = headers.get(SEC_FETCH_SITE);
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Returns `true` if an origin has the requested host. The scheme is not compared: only a proxy
/// that terminates TLS knows it.
fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let host_of = |origin: &HeaderValue| {
        let (_, host) = origin.to_str().ok()?.split_once("://")?;
        Some(host.to_ascii_lowercase())
    };
    let asked = host.and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
    asked.is_some() && host_of(origin) == asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_parsed_in_browser_form() {
        for text in ["https://app.example.org", "http://localhost:3000", "https://[::1]:8443"] {
            assert_eq!(text.parse::<WebOrigin>().unwrap().as_str(), text);
        }
        assert_eq!(
            "https://App.Example.org".parse::<WebOrigin>().unwrap().as_str(),
            "https://app.example.org"
        );
        for text in [
            "",
            "*",
            "null",
            "app.example.org",
            "ftp://example.org",
            "https://",
            "https://example.org/",
            "https://example.org/app",
            "https://example.org?a",
            "https://user@example.org",
            "//example.org",
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(OriginError), "{text}");
        }
    }

    fn check(headers: &[(&str, &str)], expected: bool) {
        let allowed = ["https://app.example.org".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.parse().unwrap(), value.parse().unwrap());
        }
        assert_eq!(is_from_elsewhere(&map, &allowed), expected, "{headers:?}");
    }

    #[test]
    fn requests_of_other_sites_are_recognised() {
        let host = ("host", "bets.example.org");
        check(&[], false);
        check(&[host], false);
        check(&[host, ("origin", "https://bets.example.org")], false);
        check(&[host, ("origin", "http://BETS.example.org")], false);
        check(
            &[host, ("origin", "https://app.example.org"), ("sec-fetch-site", "same-site")],
            false,
        );
        check(&[host, ("sec-fetch-site", "same-origin")], false);
        check(&[host, ("sec-fetch-site", "none")], false);
        check(&[host, ("origin", "https://evil.example.com")], true);
        check(&[host, ("origin", "https://bets.example.org.evil.com")], true);
        check(&[host, ("origin", "https://bets.example.org:444")], true);
        check(&[host, ("origin", "null")], true);
        check(&[("origin", "https://bets.example.org")], true);
        check(&[host, ("sec-fetch-site", "cross-site")], true);
        check(&[host, ("sec-fetch-site", "same-site")], true);
    }
}
