//! Known networks: one row for each user and network, limited per user.

use std::net::IpAddr;

use foretell_domain::id::UserId;
use foretell_domain::user::User;
use foretell_ports::known_network::KnownNetwork;

use super::Harness;
use super::fixture::{Fixture, after};

fn network(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn known(text: &str, second: i64) -> KnownNetwork {
    KnownNetwork { network: network(text), last_used_at: after(second) }
}

async fn record(fixture: &Fixture, user: UserId, known: KnownNetwork, max: u32) {
    fixture
        .commit(move |tx| {
            let locked = tx.lock_user(user)?.expect("the user is stored");
            tx.record_known_network(&locked, known, max)
        })
        .await;
}

async fn list(fixture: &Fixture, user: UserId) -> Vec<KnownNetwork> {
    fixture.ports.users.list_known_networks(user).await.unwrap()
}

/// A network is found by its user's email address and by itself only.
pub async fn known_network_is_found_by_email(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other, unknown) = (fixture.user().await, fixture.user().await, fixture.make.user());
    let find = async |whose: &User, text| {
        fixture.ports.users.find_known_network(&whose.email, network(text)).await.unwrap()
    };
    for (text, second) in [("192.0.2.1", 1), ("2001:db8:1:2::", 2)] {
        assert_eq!(find(&user, text).await, None);
        record(&fixture, user.id, known(text, second), 10).await;
        assert_eq!(find(&user, text).await, Some(after(second)));
        assert_eq!((find(&other, text).await, find(&unknown, text).await), (None, None));
    }
    assert_eq!(find(&user, "192.0.2.2").await, None);
    assert_eq!(list(&fixture, other.id).await, []);
}

/// A network recorded again has one row, with the later time.
pub async fn known_network_is_recorded_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await.id;
    for second in [1, 5] {
        record(&fixture, user, known("192.0.2.1", second), 10).await;
    }
    record(&fixture, user, known("192.0.2.2", 3), 10).await;
    assert_eq!(list(&fixture, user).await, [known("192.0.2.1", 5), known("192.0.2.2", 3)]);
}

/// A user keeps the most recently used networks.
pub async fn least_recently_used_networks_are_deleted(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await.id, fixture.user().await.id);
    record(&fixture, other, known("192.0.2.9", 0), 2).await;
    for (text, second) in [("192.0.2.1", 1), ("192.0.2.2", 2), ("192.0.2.1", 3), ("2001:db8::", 4)]
    {
        record(&fixture, user, known(text, second), 2).await;
    }
    assert_eq!(list(&fixture, user).await, [known("2001:db8::", 4), known("192.0.2.1", 3)]);
    assert_eq!(list(&fixture, other).await, [known("192.0.2.9", 0)]);
}

/// All networks of a user are deleted together, except the kept one, and none of others.
pub async fn known_networks_are_deleted_together(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await.id, fixture.user().await.id);
    for (whose, text) in
        [(user, "192.0.2.1"), (user, "192.0.2.2"), (user, "2001:db8::"), (other, "192.0.2.1")]
    {
        record(&fixture, whose, known(text, 1), 10).await;
    }
    let kept = Some(network("192.0.2.2"));
    assert_eq!(fixture.commit(move |tx| tx.delete_known_networks_of(user, kept)).await, 2);
    assert_eq!(list(&fixture, user).await, [known("192.0.2.2", 1)]);
    assert_eq!(fixture.commit(move |tx| tx.delete_known_networks_of(user, None)).await, 1);
    assert_eq!(list(&fixture, user).await, []);
    assert_eq!(list(&fixture, other).await, [known("192.0.2.1", 1)]);
}

/// Networks not used for long are deleted, the least recently used first and in batches.
pub async fn unused_networks_are_purged(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await.id, fixture.user().await.id);
    for (whose, text, second) in [
        (user, "192.0.2.1", 1),
        (other, "192.0.2.1", 2),
        (user, "192.0.2.2", 3),
        (user, "192.0.2.3", 5),
    ] {
        record(&fixture, whose, known(text, second), 10).await;
    }
    let mut purged = Vec::new();
    for _ in 0..3 {
        purged.push(fixture.commit(|tx| tx.purge_known_networks(after(5), 2)).await);
    }
    assert_eq!(purged, [2, 1, 0]);
    assert_eq!(list(&fixture, user).await, [known("192.0.2.3", 5)]);
    assert_eq!(list(&fixture, other).await, []);
}
