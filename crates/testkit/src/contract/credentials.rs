//! Credentials as read by the authorization inside a unit of work, and the lock that protects them.

use std::collections::BTreeSet;

use foretell_domain::id::UserId;
use foretell_domain::time::Timestamp;
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::api_key::ApiKey;
use foretell_ports::error::StoreError;
use foretell_ports::unit::Tx;
use foretell_ports::user::{CredentialId, CredentialLock, CredentialState, Session};

use super::Harness;
use super::fixture::{Fixture, after};
use super::overlap::{Meeting, overlap};
use crate::clock::START;

const LOCKS: [CredentialLock; 3] =
    [CredentialLock::None, CredentialLock::Shared, CredentialLock::Exclusive];

/// Stores an admin with a session.
async fn admin(fixture: &Fixture) -> (User, CredentialId) {
    let user = User { role: Role::Admin, ..fixture.make.user() };
    let (stored, password, session) =
        (user.clone(), fixture.make.password(), fixture.make.session(user.id));
    let store = move |tx: &mut dyn Tx| {
        assert!(tx.insert_user_once(&stored, &password)?);
        tx.insert_session(&session)
    };
    fixture.commit(store).await;
    (user, CredentialId::Session(session.id))
}

fn read(
    tx: &mut dyn Tx,
    credential: CredentialId,
    lock: CredentialLock,
) -> Result<Option<(Role, UserStatus)>, StoreError> {
    let found = tx.find_credential_states(&BTreeSet::from([credential]), lock)?;
    Ok(found.first().map(|state| (state.role, state.status)))
}

fn demote(tx: &mut dyn Tx, id: UserId) -> Result<(), StoreError> {
    let mut locked = tx.lock_user(id)?.expect("the user is stored");
    (locked.user.role, locked.user.status) = (Role::User, UserStatus::Suspended);
    tx.save_user(&locked, START)
}

/// Every kind of credential is found with the current state of its user, expired ones too; absent
/// ones are not.
pub async fn credentials_have_state_of_their_users(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let users = [fixture.user().await, fixture.user().await, fixture.user().await];
    let session = Session { expires_at: after(-1), ..fixture.make.session(users[0].id) };
    let eternal = fixture.make.api_key(users[1].id);
    let ending = ApiKey { expires_at: Some(after(9)), ..fixture.make.api_key(users[0].id) };
    let keys = [eternal.clone(), ending.clone()];
    let (erased, suspended) = (users[2].id, users[1].id);
    fixture
        .commit(move |tx| {
            tx.insert_session(&session)?;
            keys.iter().try_for_each(|key| tx.insert_api_key(key))?;
            demote(tx, suspended)?;
            let mut locked = tx.lock_user(erased)?.expect("the user is stored");
            (locked.user.role, locked.user.status) = (Role::Moderator, UserStatus::Erased);
            tx.save_user(&locked, START)
        })
        .await;
    let state = |credential, user: &User, role, status, expires_at: Option<Timestamp>| {
        CredentialState { credential, user_id: user.id, role, status, expires_at }
    };
    let of_session = CredentialId::Session(session.id);
    let (of_ending, of_eternal) =
        (CredentialId::ApiKey(ending.id), CredentialId::ApiKey(eternal.id));
    let of_user = CredentialId::User(erased);
    let expected = [
        state(of_session, &users[0], Role::User, UserStatus::Active, Some(after(-1))),
        state(of_ending, &users[0], Role::User, UserStatus::Active, Some(after(9))),
        state(of_eternal, &users[1], Role::User, UserStatus::Suspended, None),
        state(of_user, &users[2], Role::Moderator, UserStatus::Erased, None),
    ];
    let absent = [
        CredentialId::Session(fixture.make.ids().session()),
        CredentialId::ApiKey(fixture.make.api_key(users[0].id).id),
        CredentialId::User(fixture.make.ids().user()),
    ];
    let wanted: BTreeSet<_> =
        [of_session, of_ending, of_eternal, of_user].into_iter().chain(absent).collect();
    for lock in LOCKS {
        let wanted = wanted.clone();
        let mut found = fixture.commit(move |tx| tx.find_credential_states(&wanted, lock)).await;
        found.sort_by_key(|state| expected.iter().position(|expected| expected == state));
        assert_eq!(found, expected, "{lock:?}");
    }
}

/// A unit reads its own earlier changes.
pub async fn unit_reads_role_it_has_changed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, credential) = admin(&fixture).await;
    for lock in LOCKS {
        let id = user.id;
        let found = fixture
            .commit(move |tx| {
                demote(tx, id)?;
                read(tx, credential, lock)
            })
            .await;
        assert_eq!(found, Some((Role::User, UserStatus::Suspended)), "{lock:?}");
    }
}

/// A role locked by a unit stays until the unit ends.
pub async fn demotion_waits_for_unit_with_lock(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, credential) = admin(&fixture).await;
    let privileged = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let before = read(tx, credential, CredentialLock::Shared)?;
        meeting.arrive();
        Ok((before, read(tx, credential, CredentialLock::None)?))
    };
    let demotion = move |tx: &mut dyn Tx, _: &Meeting| demote(tx, user.id).map(|()| (None, None));
    let [privileged, demotion] = overlap(&fixture, privileged, demotion).await;
    demotion.expect("the demotion is committed");
    let as_admin = Some((Role::Admin, UserStatus::Active));
    assert_eq!(privileged.expect("the unit is committed"), (as_admin, as_admin));
}

/// A unit that waits for a demotion reads the role after it.
pub async fn unit_reads_role_after_awaited_demotion(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, credential) = admin(&fixture).await;
    let demotion = move |tx: &mut dyn Tx, meeting: &Meeting| {
        demote(tx, user.id)?;
        meeting.arrive();
        Ok(None)
    };
    let privileged =
        move |tx: &mut dyn Tx, _: &Meeting| read(tx, credential, CredentialLock::Shared);
    let [demotion, privileged] = overlap(&fixture, demotion, privileged).await;
    demotion.expect("the demotion is committed");
    assert_eq!(
        privileged.expect("the unit is committed"),
        Some((Role::User, UserStatus::Suspended))
    );
}

/// A unit that waits for a user who ends a session does not find the session.
pub async fn session_ended_meanwhile_is_not_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, credential) = admin(&fixture).await;
    let ending = move |tx: &mut dyn Tx, meeting: &Meeting| {
        tx.lock_user(user.id)?;
        tx.delete_sessions_of(user.id, None)?;
        meeting.arrive();
        Ok(None)
    };
    let privileged =
        move |tx: &mut dyn Tx, _: &Meeting| read(tx, credential, CredentialLock::Shared);
    let [ending, privileged] = overlap(&fixture, ending, privileged).await;
    ending.expect("the session has ended");
    assert_eq!(privileged.expect("the unit is committed"), None);
}

/// Two units that count webhooks before they insert one count each other's.
pub async fn concurrent_webhook_inserts_count_each_other(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let insert = |webhook: foretell_ports::webhook::Webhook| {
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            let count = tx.lock_and_count_webhooks()?;
            meeting.arrive();
            tx.insert_webhook(&webhook)?;
            Ok(count)
        }
    };
    let counts =
        overlap(&fixture, insert(fixture.make.webhook()), insert(fixture.make.webhook())).await;
    assert_eq!(counts.map(|count| count.expect("both units are committed")), [0, 1]);
}
