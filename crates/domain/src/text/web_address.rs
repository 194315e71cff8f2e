//! Web addresses: the URL syntax shared by avatars and webhooks.

use url::Url;

/// Returns the normal form of an absolute `http` or `https` URL, in ASCII.
///
/// User names, passwords, spaces, quotes, angle brackets, backslashes and control characters are
/// rejected, so that the address cannot break out of an attribute, header or log line.
pub(crate) fn parse(text: &str) -> Option<Url> {
    let is_safe = |c: char| !c.is_whitespace() && !c.is_control() && !r#""'`<>\^{}|"#.contains(c);
    // The parser accepts `https:host` and any number of slashes.
    let (scheme, rest) = text.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if !is_web || rest.starts_with(['/', '?', '#', '\\']) || !text.chars().all(is_safe) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let url = Url::parse(text).ok()?;
    let is_allowed = is_host(&url) && !authority.contains('@');
    is_allowed.then_some(url)
}

fn is_host(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            name.split('.').all(|label| !label.is_empty())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_have_a_host_and_no_credentials() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(parse(text).as_ref().map(Url::as_str), expected, "{text:?}");
        };
        check("https://example.org", Some("https://example.org/"));
        check("HTTPS://Example.ORG:443/a?b#c", Some("https://example.org/a?b#c"));
        check("http://[2001:db8::1]:8080/", Some("http://[2001:db8::1]:8080/"));
        check("https://bücher.example/ä", Some("https://xn--bcher-kva.example/%C3%A4"));
        check("https://example.org/\u{202E}a", Some("https://example.org/%E2%80%AEa"));
        check("https://example.org/a%20b", Some("https://example.org/a%20b"));
        for text in [
            "",
            "https:",
            "https://",
            "https:///a",
            "https:example.org",
            "//example.org",
            "/a",
            "example.org",
            "ftp://example.org",
            "javascript:alert(1)",
            "data:image/png;base64,AA==",
            "javascript://x.org/%0aa",
            "https://x\"onerror=alert(1)",
            "https://x'onerror=1",
            "https://x.org/\"onload=1",
            "https://x.org/<b>",
            "https://x.org/`a`",
            "https://ada:secret@x.org/",
            "https://ada@x.org/",
            "https://@x.org/",
            "https://x.org\\@y.org/",
            "https://x .org/",
            "https://x.org/a b",
            "https://x.org/a\nb",
            " https://x.org/",
            "https://x..org/",
            "https://x.org/a\u{A0}b",
            "https://x.org:99999/",
            "https://[::1",
            "https://x,y.org/",
            "https://%00.org/",
        ] {
            check(text, None);
        }
    }
}
