//! Counts for quotas, and the locks that protect them.

use std::collections::BTreeSet;

use foretell_domain::comment::CommentSubject;
use foretell_domain::id::{MarketId, SessionId, UserId};
use foretell_domain::market::Phase;
use foretell_domain::post::{PostEdit, PostStatus};
use foretell_domain::quota::Quota;
use foretell_ports::error::StoreError;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::unit::Tx;
use foretell_ports::user::{CredentialId, CredentialLock, Session};

use super::Harness;
use super::fixture::{Fixture, after};
use super::overlap::{Meeting, overlap};

/// Returns the counts of all quotas, in order.
async fn counts(fixture: &Fixture, user: UserId) -> [u32; 5] {
    let count = move |tx: &mut dyn Tx| {
        tx.lock_user(user)?;
        tx.lock_accounts_of(user)?;
        Quota::ALL.into_iter().map(|quota| tx.count_for_quota(user, quota)).collect()
    };
    let counts: Vec<_> = fixture.commit(count).await;
    counts.try_into().expect("a count of each quota")
}

/// Everything is counted for its owner, in the counted state.
pub async fn quotas_count_resources_of_user(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (open, closed) =
        (fixture.market(|market| market).await, fixture.market(|market| market).await);
    let [user, other] = [&open, &closed].map(|new| new.market.record().creator_id);
    assert_eq!(counts(&fixture, user).await, [0, 0, 0, 1, 0]);
    let mut posts = Vec::new();
    for status in [PostStatus::Published, PostStatus::Draft, PostStatus::Draft] {
        let post = fixture.make.post(user, status, &["a"]);
        fixture.store_post(post.clone()).await;
        posts.push(post);
    }
    let on_post = CommentSubject::Post(posts[0].id);
    for subject in [on_post, on_post, CommentSubject::Market(open.market.id())] {
        fixture.store_comment(fixture.make.comment(user, subject)).await;
    }
    fixture.comment(posts[0].id).await;
    for key in [fixture.make.api_key(user), fixture.make.api_key(user), fixture.make.api_key(other)]
    {
        fixture.commit(move |tx| tx.insert_api_key(&key)).await;
    }
    assert_eq!(counts(&fixture, user).await, [1, 2, 3, 1, 2]);
    assert_eq!(counts(&fixture, other).await, [0, 0, 0, 1, 1]);
    let draft = posts[1].id;
    let publish = move |tx: &mut dyn Tx| {
        let mut locked = tx.lock_post(draft)?.expect("the post is stored");
        locked.edit(
            PostEdit { status: Some(PostStatus::Published), ..PostEdit::default() },
            after(1),
        );
        tx.save_post(&locked)
    };
    fixture.commit(publish).await;
    fixture
        .alter_market(closed.market.id(), |market| market.clone().close().expect("it is open"))
        .await;
    assert_eq!(
        fixture.stored_market(closed.market.id()).await.market.record().phase,
        Phase::Closed
    );
    assert_eq!(counts(&fixture, user).await, [2, 1, 3, 1, 2]);
    assert_eq!(counts(&fixture, other).await, [0, 0, 0, 0, 1]);
    delete_market(&fixture, open.market.id()).await;
    // The comment on the market was deleted with it.
    assert_eq!(counts(&fixture, user).await, [2, 1, 2, 0, 2]);
}

async fn delete_market(fixture: &Fixture, id: MarketId) {
    let delete = move |tx: &mut dyn Tx| {
        let markets = tx.lock_markets(&BTreeSet::from([id]))?;
        tx.delete_markets(markets)
    };
    fixture.commit(delete).await;
}

/// The oldest live sessions of a user are ended, and none of others.
pub async fn oldest_sessions_end(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await.id, fixture.user().await.id);
    let ended = Session { expires_at: after(0), ..fixture.make.session(user) };
    let live: Vec<_> = (0..5).map(|_| fixture.make.session(user)).collect();
    for session in [fixture.make.session(other), ended].into_iter().chain(live.clone()) {
        fixture.commit(move |tx| tx.insert_session(&session)).await;
    }
    let end = async |kept| {
        let end = move |tx: &mut dyn Tx| {
            let locked = tx.lock_user(user)?.expect("the user is stored");
            tx.end_oldest_sessions(&locked, after(0), kept)
        };
        fixture.commit(end).await
    };
    let page = PageRequest { start: PageStart::First, limit: 10 };
    let left = async |of| -> Vec<SessionId> {
        let listed = fixture.ports.users.list_sessions(of, after(-9), page).await.unwrap();
        listed.iter().map(|session| session.id).collect()
    };
    for (kept, expected) in [(9, 0), (5, 0), (2, 3), (2, 0)] {
        assert_eq!(end(kept).await, expected, "{kept}");
    }
    assert_eq!(
        left(user).await,
        [live[4].id, live[3].id, ended.id],
        "what has ended anyway is left"
    );
    assert_eq!(end(0).await, 2);
    assert_eq!((left(user).await.len(), left(other).await.len()), (1, 1));
}

/// Counts under the exclusive lock of a session's user, meets the other unit, and inserts a draft.
async fn draft(fixture: &Fixture, lock: CredentialLock) -> [Result<u32, StoreError>; 2] {
    let user = fixture.user().await.id;
    let session = fixture.make.session(user);
    fixture.commit(move |tx| tx.insert_session(&session)).await;
    let credentials = BTreeSet::from([CredentialId::Session(session.id)]);
    let unit = || {
        let (post, credentials) =
            (fixture.make.post(user, PostStatus::Draft, &[]), credentials.clone());
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            tx.find_credential_states(&credentials, lock)?;
            let count = tx.count_for_quota(user, Quota::Drafts)?;
            meeting.arrive();
            tx.insert_post(&post)?;
            Ok(count)
        }
    };
    overlap(fixture, unit(), unit()).await
}

/// Two units that count under the exclusive lock on a user before they insert count each other's.
pub async fn concurrent_post_inserts_count_each_other(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let counts = draft(&fixture, CredentialLock::Exclusive).await;
    assert_eq!(counts.map(|count| count.expect("both units are committed")), [0, 1]);
}

/// Two units that count under the lock on the creator's account before they create a market count
/// each other's.
pub async fn concurrent_market_openings_count_each_other(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let creator = fixture.funded(1_000_000).await;
    let user = creator.owner().expect("an owner");
    let unit = || {
        let new = fixture.make.market(&creator).build();
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            tx.lock_accounts(&BTreeSet::from([creator.id()]))?;
            let count = tx.count_for_quota(user, Quota::OpenMarkets)?;
            meeting.arrive();
            tx.insert_markets(std::slice::from_ref(&new))?;
            Ok(count)
        }
    };
    let counts = overlap(&fixture, unit(), unit()).await;
    assert_eq!(counts.map(|count| count.expect("both units are committed")), [0, 1]);
}

/// The exclusive lock on a user waits for a demotion and reads its result, like the shared one.
pub async fn exclusive_lock_reads_ended_session(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await.id;
    let session = fixture.make.session(user);
    fixture.commit(move |tx| tx.insert_session(&session)).await;
    let ending = move |tx: &mut dyn Tx, meeting: &Meeting| {
        tx.lock_user(user)?;
        tx.delete_sessions_of(user, None)?;
        meeting.arrive();
        Ok(0)
    };
    let credentials = BTreeSet::from([CredentialId::Session(session.id)]);
    let counting = move |tx: &mut dyn Tx, _: &Meeting| {
        Ok(tx.find_credential_states(&credentials, CredentialLock::Exclusive)?.len())
    };
    let [ending, counting] = overlap(&fixture, ending, counting).await;
    ending.expect("the session has ended");
    assert_eq!(counting.expect("the unit is committed"), 0);
}
