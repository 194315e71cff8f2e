//! The header `Retry-After` of a receiver's response.

use std::time::{Duration, SystemTime};

use ureq::http::StatusCode;
use ureq::http::header::{HeaderMap, RETRY_AFTER};

/// Returns the time to wait that the receiver requests, in seconds or as a date (RFC 9110, 10.2.3).
/// It applies to 429 and 503 only; a date in the past is no wait, and other values count as absent.
pub(crate) fn of(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that overflows is a long time as well.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    fn check(status: u16, header: &[u8], expected: Option<u64>) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let headers =
            HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_bytes(header).unwrap())]);
        let found = of(StatusCode::from_u16(status).unwrap(), &headers, now);
        assert_eq!(found, expected.map(Duration::from_secs), "{status} {header:?}");
    }

    #[test]
    fn seconds_and_dates_are_parsed() {
        check(429, b"120", Some(120));
        check(503, b"120", Some(120));
        check(503, b" 0 ", Some(0));
        check(503, b"99999999999999999999999", Some(u64::MAX));
        // Now is Sun, 06 Nov 1994 08:49:37 GMT.
        check(503, b"Sun, 06 Nov 1994 08:50:37 GMT", Some(60));
        check(503, b"Sunday, 06-Nov-94 08:50:37 GMT", Some(60));
        check(503, b"Sun Nov  6 08:50:37 1994", Some(60));
        check(503, b"Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
    }

    #[test]
    fn other_statuses_request_no_wait() {
        for status in [400, 404, 500, 502, 504] {
            check(status, b"120", None);
        }
        for header in
            [&b""[..], b"-1", b"1.5", b"soon", b"12 s", b"\xff", b"Sun, 99 Nov 1994 08:50:37 GMT"]
        {
            check(503, header, None);
        }
        assert_eq!(
            of(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new(), SystemTime::UNIX_EPOCH),
            None
        );
    }
}
