//! Times in JSON: RFC 3339, written in UTC with `Z`, and with microseconds if there are any.

use std::fmt;

use foretell_domain::time::Timestamp;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::extract::RequestContext;
use crate::validation::{FieldErrorCode, invalid};

/// Not a time in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeError;

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a time such as \"2030-01-31T12:00:00Z\"")
    }
}

/// Parses a time that can be written in UTC: within the years 1 to 9999. Digits after the
/// microseconds are dropped.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, TimeError> {
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimeError)?;
    let micros = time.unix_timestamp_nanos().div_euclid(1_000);
    Timestamp::checked_from_micros(micros).ok_or(TimeError)
}

/// Rule of a field with a time in the future.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes values by reference")]
pub(crate) fn in_future(at: &Timestamp, context: &RequestContext) -> garde::Result {
    if *at > context.now {
        Ok(())
    } else {
        Err(invalid(FieldErrorCode::Range, "must be in the future"))
    }
}

/// A time, written such as `2030-01-31T12:00:00.000001Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0.micros()) * 1_000;
        let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| fmt::Error)?;
        let (date, micros) = (time.date(), time.microsecond());
        write!(f, "{:04}-{:02}-{:02}T", date.year(), u8::from(date.month()), date.day())?;
        write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        if micros == 0 { f.write_str("Z") } else { write!(f, ".{micros:06}Z") }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_in_utc() {
        let check = |text, expected| {
            let written = parse_time(text).map(|at| Time(at).to_string());
            assert_eq!(written.as_deref(), Ok(expected));
        };
        check("2030-01-31T12:00:00Z", "2030-01-31T12:00:00Z");
        check("2030-01-31T12:00:00.1Z", "2030-01-31T12:00:00.100000Z");
        check("2030-01-31T12:00:00.1234567Z", "2030-01-31T12:00:00.123456Z");
        check("2030-01-31T12:00:00+02:00", "2030-01-31T10:00:00Z");
        check("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z");
        check("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z");
        check("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
    }

    #[test]
    fn invalid_times_are_rejected() {
        for text in
            ["", "2030-01-31", "2030-01-31T12:00:00", "2030-02-30T12:00:00Z", "1893456000", "now"]
        {
            assert_eq!(parse_time(text), Err(TimeError), "{text}");
        }
    }

    #[test]
    fn times_that_cannot_be_written_in_utc_are_rejected() {
        for text in [
            "9999-12-31T23:59:59-01:00",
            "9999-12-31T23:59:59.999999-00:01",
            "9999-12-31T00:01:00-23:59",
            "0001-01-01T00:00:00+00:01",
            "0000-12-31T23:59:59Z",
            "0000-01-01T00:00:00+23:59",
            "10000-01-01T00:00:00Z",
            "-0001-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_time(text), Err(TimeError), "{text}");
        }
    }

    #[test]
    fn first_and_last_time_are_written() {
        assert_eq!(Time(Timestamp::MIN).to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Time(Timestamp::MAX).to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Time(Timestamp::from_micros(i64::MAX)), Time(Timestamp::MAX));
    }
}
