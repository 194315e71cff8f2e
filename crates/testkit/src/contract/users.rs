//! Users and sessions: one user per email address, one session per token.

use foretell_domain::account::Account;
use foretell_domain::id::UserId;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::secret::TokenHash;
use foretell_ports::user::{Credentials, Session, SessionDetails};

use super::Harness;
use super::fixture::{Fixture, after};
use crate::clock::START;

/// A user is returned with every field, by email address and by id.
pub async fn users_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let plain = fixture.make.user();
    let rich = User {
        email: Email::new("Uni@Exämple.COM").unwrap(),
        name: UserName::new("Zoë \"O'Neill\"").unwrap(),
        avatar: Some(AvatarUrl::new("https://example.com/a?b=c&d=é").unwrap()),
        role: Role::Admin,
        status: UserStatus::Suspended,
        version: 7,
        created_at: after(-3),
        ..fixture.make.user()
    };
    for user in [plain, rich] {
        let credentials = Credentials { user, password: fixture.make.password() };
        let Credentials { user, password } = credentials.clone();
        assert!(fixture.commit(move |tx| tx.insert_user_once(&user, &password)).await);
        let Credentials { user, .. } = &credentials;
        assert_eq!(fixture.ports.users.find_user(user.id).await.unwrap().as_ref(), Some(user));
        let found = fixture.ports.users.find_credentials(&user.email).await.unwrap();
        assert_eq!(found, Some(credentials));
    }
}

/// An existing email address, in any case, changes nothing and is reported.
pub async fn existing_email_inserts_no_user(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let first = fixture.user().await;
    let email = Email::new(&first.email.as_str().to_uppercase()).unwrap();
    let second = User { email, ..fixture.make.user() };
    let (intruder, password) = (second.clone(), fixture.make.password());
    assert!(!fixture.commit(move |tx| tx.insert_user_once(&intruder, &password)).await);
    assert_eq!(fixture.ports.users.find_user(second.id).await.unwrap(), None);
    let stored =
        fixture.ports.users.find_credentials(&first.email).await.unwrap().expect("the first");
    assert_eq!(stored.user, first);
}

/// Absent users are not found.
pub async fn absent_users_are_not_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    assert!(!fixture.ports.users.has_users().await.unwrap());
    let absent = fixture.make.user();
    fixture.user().await;
    assert!(fixture.ports.users.has_users().await.unwrap());
    assert_eq!(fixture.ports.users.find_user(absent.id).await.unwrap(), None);
    assert_eq!(fixture.ports.users.find_credentials(&absent.email).await.unwrap(), None);
}

/// Of several users, the existing ones are found, each once.
pub async fn several_users_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (one, other) = (fixture.user().await, fixture.user().await);
    fixture.user().await;
    let ids = [other.id, fixture.make.ids().user(), one.id, other.id];
    let mut found = fixture.ports.users.find_users(&ids).await.unwrap();
    found.sort_by_key(|user| user.id);
    assert_eq!(found, [one, other]);
    assert_eq!(fixture.ports.users.find_users(&[]).await.unwrap(), []);
}

/// A save stores all mutable fields of a user and the password's hash, and changes no other user.
pub async fn saved_user_keeps_every_change(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await, fixture.user().await);
    let untouched = credentials(&fixture, &other).await;
    let changed = User {
        email: Email::new("new@example.com").unwrap(),
        name: UserName::new("Zoë").unwrap(),
        avatar: Some(AvatarUrl::new("https://example.com/a").unwrap()),
        role: Role::Moderator,
        status: UserStatus::Suspended,
        version: 9,
        updated_at: after(4),
        ..user.clone()
    };
    let erased =
        User { status: UserStatus::Erased, avatar: None, role: Role::User, ..changed.clone() };
    for user in [changed, erased] {
        let saved = Credentials { user, password: fixture.make.password() };
        let wanted = saved.clone();
        fixture
            .commit(move |tx| {
                let mut locked = tx.lock_user(wanted.user.id)?.expect("the user is stored");
                *locked = wanted.clone();
                tx.save_user(&locked, after(5))
            })
            .await;
        assert_eq!(credentials(&fixture, &saved.user).await, saved);
        assert_eq!(
            fixture.ports.users.find_user(saved.user.id).await.unwrap().as_ref(),
            Some(&saved.user)
        );
    }
    assert_eq!(fixture.ports.users.find_credentials(&user.email).await.unwrap(), None);
    assert_eq!(credentials(&fixture, &other).await, untouched);
    let absent = fixture.make.ids().user();
    assert!(fixture.commit(move |tx| tx.lock_user(absent)).await.is_none());
}

/// An existing email address cannot be saved for another user.
pub async fn existing_email_is_not_saved(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await, fixture.user().await);
    let taken = other.email.clone();
    fixture
        .check_rejected(move |tx| {
            let mut locked = tx.lock_user(user.id)?.expect("the user is stored");
            locked.user.email = taken.clone();
            tx.save_user(&locked, START)
        })
        .await;
    assert_eq!(credentials(&fixture, &other).await.user, other);
}

/// The active admins are locked with a user, all by ascending id, and none twice.
pub async fn admins_are_locked_with_user(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let admin = |status| User { role: Role::Admin, status, ..fixture.make.user() };
    let (first, second) = (admin(UserStatus::Active), admin(UserStatus::Active));
    let suspended = admin(UserStatus::Suspended);
    let moderator = User { role: Role::Moderator, ..fixture.make.user() };
    let plain = fixture.make.user();
    for user in [&plain, &suspended, &second, &moderator, &first] {
        let (user, password) = (user.clone(), fixture.make.password());
        assert!(fixture.commit(move |tx| tx.insert_user_once(&user, &password)).await);
    }
    let check = async |with: UserId, expected: &[&User]| {
        let locked = fixture.commit(move |tx| tx.lock_user_and_admins(with)).await;
        let locked: Vec<_> = locked.iter().map(|locked| &locked.user).collect();
        assert_eq!(locked, expected);
    };
    check(plain.id, &[&first, &second, &plain]).await;
    check(suspended.id, &[&first, &second, &suspended]).await;
    check(second.id, &[&first, &second]).await;
    check(fixture.make.ids().user(), &[&first, &second]).await;
}

/// Users are listed newest first, by number or after one of them, without erased ones.
pub async fn users_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    assert_eq!(fixture.ports.users.count_users().await.unwrap(), 0);
    let mut users = Vec::new();
    for status in
        [UserStatus::Active, UserStatus::Erased, UserStatus::Suspended, UserStatus::Active]
    {
        let user = User { status, ..fixture.make.user() };
        let (new, password) = (user.clone(), fixture.make.password());
        fixture.commit(move |tx| tx.insert_user_once(&new, &password)).await;
        users.insert(0, user);
    }
    let erased = users.remove(2);
    let list = async |start, limit| {
        fixture.ports.users.list_users(PageRequest { start, limit }).await.unwrap()
    };
    assert_eq!(list(PageStart::Offset(0), 10).await, users);
    assert_eq!(list(PageStart::Offset(1), 1).await, users[1..2]);
    assert_eq!(list(PageStart::Offset(3), 1).await, []);
    assert_eq!(list(PageStart::After(users[0].id), 1).await, users[1..2]);
    assert_eq!(list(PageStart::After(erased.id), 10).await, users[2..], "its place is still there");
    assert_eq!(list(PageStart::After(users[2].id), 10).await, []);
    assert_eq!(fixture.ports.users.count_users().await.unwrap(), 3);
}

async fn credentials(fixture: &Fixture, user: &User) -> Credentials {
    fixture.ports.users.find_credentials(&user.email).await.unwrap().expect("the user is stored")
}

async fn sign_in(fixture: &Fixture, session: Session) -> Session {
    fixture.commit(move |tx| tx.insert_session(&session)).await;
    session
}

/// The session of a token has its user and the user's oldest account, whether it has ended or not.
pub async fn session_has_user_and_oldest_account(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, stranger) = (fixture.user().await, fixture.account().await);
    let accounts = [2, 0, 1]
        .map(|second| (Account::user(fixture.make.ids().account(), user.id), after(second)));
    for (account, opened) in accounts {
        fixture.commit(move |tx| tx.insert_accounts_once(&[account], opened)).await;
    }
    let long_over = Session { expires_at: after(-1), ..fixture.make.session(user.id) };
    for session in [fixture.make.session(user.id), long_over] {
        let session = sign_in(&fixture, session).await;
        let found = fixture.ports.users.find_session(&session.token_hash).await.unwrap();
        let account_id = accounts[1].0.id();
        assert_eq!(found, Some(SessionDetails { session, user: user.clone(), account_id }));
    }
    let other = sign_in(&fixture, fixture.make.session(stranger.owner().unwrap())).await;
    let found =
        fixture.ports.users.find_session(&other.token_hash).await.unwrap().expect("a session");
    assert_eq!(found.account_id, stranger.id());
    assert_eq!(fixture.ports.users.find_session(&TokenHash([0xff; 32])).await.unwrap(), None);
}

/// A session is deleted by its own user, once, and no other session with it.
pub async fn session_is_deleted_by_its_user_only(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) =
        (fixture.account().await.owner().unwrap(), fixture.account().await.owner().unwrap());
    let kept = sign_in(&fixture, fixture.make.session(user)).await;
    let ended = sign_in(&fixture, fixture.make.session(user)).await;
    for (by, expected) in [(other, false), (user, true), (user, false)] {
        assert_eq!(
            fixture.commit(move |tx| tx.delete_session(by, ended.id)).await,
            expected,
            "{by:?}"
        );
        let found = fixture.ports.users.find_session(&ended.token_hash).await.unwrap();
        assert_eq!(found.is_some(), by == other, "{by:?}");
    }
    assert!(fixture.ports.users.find_session(&kept.token_hash).await.unwrap().is_some());
}

/// All sessions of a user are ended together, except the kept one, and none of others.
pub async fn sessions_are_ended_together(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) =
        (fixture.account().await.owner().unwrap(), fixture.account().await.owner().unwrap());
    let mut sessions = Vec::new();
    for whose in [user, user, user, other] {
        sessions.push(sign_in(&fixture, fixture.make.session(whose)).await);
    }
    let kept = sessions[1].id;
    let live = async || {
        let mut live = Vec::new();
        for session in &sessions {
            let found = fixture.ports.users.find_session(&session.token_hash).await.unwrap();
            live.push(found.is_some());
        }
        live
    };
    assert_eq!(fixture.commit(move |tx| tx.delete_sessions_of(user, Some(kept))).await, 2);
    assert_eq!(live().await, [false, true, false, true]);
    assert_eq!(fixture.commit(move |tx| tx.delete_sessions_of(user, None)).await, 1);
    assert_eq!(live().await, [false, false, false, true]);
    assert_eq!(fixture.commit(move |tx| tx.delete_sessions_of(user, None)).await, 0);
}

/// Ended sessions are deleted, the oldest first and in batches; others stay.
pub async fn ended_sessions_are_purged(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.account().await.owner().unwrap();
    let mut sessions = Vec::new();
    for second in [1, 2, 3, 5] {
        let session = Session { expires_at: after(second), ..fixture.make.session(user) };
        sessions.push(sign_in(&fixture, session).await);
    }
    let mut purged = Vec::new();
    for _ in 0..3 {
        purged.push(fixture.commit(|tx| tx.purge_sessions(after(5), 2)).await);
    }
    assert_eq!(purged, [2, 1, 0]);
    for (session, is_there) in sessions.iter().zip([false, false, false, true]) {
        let found = fixture.ports.users.find_session(&session.token_hash).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{session:?}");
    }
}

/// The live sessions of a user are listed newest first, by number or after one of them.
pub async fn sessions_of_user_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await.id, fixture.user().await.id);
    let mut sessions = Vec::new();
    for ends in [60, 10, 60, 11] {
        let session = Session { expires_at: after(ends), ..fixture.make.session(user) };
        sessions.insert(0, sign_in(&fixture, session).await);
    }
    sign_in(&fixture, fixture.make.session(other)).await;
    sessions.remove(2);
    let list = async |start, limit| {
        fixture
            .ports
            .users
            .list_sessions(user, after(10), PageRequest { start, limit })
            .await
            .unwrap()
    };
    assert_eq!(list(PageStart::Offset(0), 10).await, sessions);
    assert_eq!(list(PageStart::Offset(1), 1).await, sessions[1..2]);
    assert_eq!(list(PageStart::After(sessions[0].id), 1).await, sessions[1..2]);
    assert_eq!(list(PageStart::After(sessions[2].id), 10).await, []);
    assert_eq!(fixture.ports.users.count_sessions(user, after(10)).await.unwrap(), 3);
    assert_eq!(fixture.ports.users.count_sessions(user, after(60)).await.unwrap(), 0);
}

/// Two sessions never have the same token.
pub async fn existing_token_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let account = fixture.account().await;
    let session = sign_in(&fixture, fixture.make.session(account.owner().unwrap())).await;
    let copy =
        Session { token_hash: session.token_hash, ..fixture.make.session(fixture.user().await.id) };
    fixture.check_rejected(move |tx| tx.insert_session(&copy)).await;
    let found =
        fixture.ports.users.find_session(&session.token_hash).await.unwrap().expect("the first");
    assert_eq!(found.session, session);
}
