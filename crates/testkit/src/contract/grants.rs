//! Sign-up grants: once for each email address, whatever becomes of its user.

use foretell_ports::grant::EmailHash;
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, after};
use super::overlap::{Meeting, overlap};

const EMAIL: EmailHash = EmailHash([1; 32]);
const OTHER: EmailHash = EmailHash([2; 32]);

/// An address is new once, and addresses are independent.
pub async fn grant_is_recorded_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for (email, expected) in [(EMAIL, true), (EMAIL, false), (OTHER, true), (OTHER, false)] {
        let is_new = fixture.commit(move |tx| tx.record_grant_once(email, after(1))).await;
        assert_eq!(is_new, expected, "{}", email.0[0]);
    }
}

/// Of two units that record an address at the same time, one finds it new.
pub async fn one_of_two_units_records_grant(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let record = |tx: &mut dyn Tx, meeting: &Meeting| {
        let is_new = tx.record_grant_once(EMAIL, after(1))?;
        meeting.arrive();
        Ok(is_new)
    };
    let mut results =
        overlap(&fixture, record, record).await.map(|unit| unit.expect("both are committed"));
    results.sort_unstable();
    assert_eq!(results, [false, true]);
}
