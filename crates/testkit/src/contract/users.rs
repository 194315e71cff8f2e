//! Users and sessions: one user a mail address, one session a token.

use foretell_domain::account::Account;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::secret::TokenHash;
use foretell_ports::user::{Credentials, Session, SessionDetails};

use super::Harness;
use super::scene::{Scene, after};

/// A user comes back with every field, by mail address and by id.
pub async fn users_come_back_as_they_were_written(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let plain = scene.make.user();
    let rich = User {
        email: Email::new("Ünï@Example.COM").unwrap(),
        name: UserName::new("Zoë \"O'Neill\"").unwrap(),
        avatar: Some(AvatarUrl::new("https://example.com/a?b=c&d=é").unwrap()),
        role: Role::Admin,
        status: UserStatus::Suspended,
        created_at: after(-3),
        ..scene.make.user()
    };
    for user in [plain, rich] {
        let credentials = Credentials { user, password: scene.make.password() };
        let Credentials { user, password } = credentials.clone();
        assert!(scene.commit(move |tx| tx.insert_user_once(&user, &password)).await);
        let Credentials { user, .. } = &credentials;
        assert_eq!(scene.ports.users.find_user(user.id).await.unwrap().as_ref(), Some(user));
        let found = scene.ports.users.find_credentials(&user.email).await.unwrap();
        assert_eq!(found, Some(credentials));
    }
}

/// A taken mail address, whatever its capitals, changes nothing and is told.
pub async fn a_taken_mail_address_inserts_nobody(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let first = scene.user().await;
    let email = Email::new(&first.email.as_str().to_uppercase()).unwrap();
    let second = User { email, ..scene.make.user() };
    let (intruder, password) = (second.clone(), scene.make.password());
    assert!(!scene.commit(move |tx| tx.insert_user_once(&intruder, &password)).await);
    assert_eq!(scene.ports.users.find_user(second.id).await.unwrap(), None);
    let stored = scene.ports.users.find_credentials(&first.email).await.unwrap().expect("the first");
    assert_eq!(stored.user, first);
}

/// Nobody is found where nobody is.
pub async fn absent_users_are_not_found(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    assert!(!scene.ports.users.has_users().await.unwrap());
    let absent = scene.make.user();
    scene.user().await;
    assert!(scene.ports.users.has_users().await.unwrap());
    assert_eq!(scene.ports.users.find_user(absent.id).await.unwrap(), None);
    assert_eq!(scene.ports.users.find_credentials(&absent.email).await.unwrap(), None);
}

/// Those of several users who are there are found, each once.
pub async fn several_users_are_found_at_once(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (one, other) = (scene.user().await, scene.user().await);
    scene.user().await;
    let ids = [other.id, scene.make.ids().user(), one.id, other.id];
    let mut found = scene.ports.users.find_users(&ids).await.unwrap();
    found.sort_by_key(|user| user.id);
    assert_eq!(found, [one, other]);
    assert_eq!(scene.ports.users.find_users(&[]).await.unwrap(), []);
}

/// A new password hash replaces the one of its user only.
pub async fn a_password_is_replaced(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (user, other) = (scene.user().await, scene.user().await);
    let before = scene.ports.users.find_credentials(&other.email).await.unwrap();
    let password = scene.make.password();
    let (id, new) = (user.id, password.clone());
    scene.commit(move |tx| tx.save_password(id, &new)).await;
    let stored = scene.ports.users.find_credentials(&user.email).await.unwrap();
    assert_eq!(stored, Some(Credentials { user, password }));
    assert_eq!(scene.ports.users.find_credentials(&other.email).await.unwrap(), before);
}

async fn sign_in(scene: &Scene, session: Session) -> Session {
    scene.commit(move |tx| tx.insert_session(&session)).await;
    session
}

/// A token's session comes with its user and the oldest of their accounts, whether it has ended or not.
pub async fn a_session_comes_with_its_user_and_oldest_account(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (user, stranger) = (scene.user().await, scene.account().await);
    let accounts =
        [2, 0, 1].map(|second| (Account::user(scene.make.ids().account(), user.id), after(second)));
    for (account, opened) in accounts {
        scene.commit(move |tx| tx.insert_accounts_once(&[account], opened)).await;
    }
    let long_over = Session { expires_at: after(-1), ..scene.make.session(user.id) };
    for session in [scene.make.session(user.id), long_over] {
        let session = sign_in(&scene, session).await;
        let found = scene.ports.users.find_session(&session.token_hash).await.unwrap();
        let account_id = accounts[1].0.id();
        assert_eq!(found, Some(SessionDetails { session, user: user.clone(), account_id }));
    }
    let other = sign_in(&scene, scene.make.session(stranger.owner().unwrap())).await;
    let found = scene.ports.users.find_session(&other.token_hash).await.unwrap().expect("a session");
    assert_eq!(found.account_id, stranger.id());
    assert_eq!(scene.ports.users.find_session(&TokenHash([0xff; 32])).await.unwrap(), None);
}

/// A session is deleted by its own user, once, and no other session with it.
pub async fn a_session_is_deleted_only_by_its_user(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (user, other) = (scene.account().await.owner().unwrap(), scene.account().await.owner().unwrap());
    let kept = sign_in(&scene, scene.make.session(user)).await;
    let ended = sign_in(&scene, scene.make.session(user)).await;
    for (by, expected) in [(other, false), (user, true), (user, false)] {
        assert_eq!(scene.commit(move |tx| tx.delete_session(by, ended.id)).await, expected, "{by:?}");
        let found = scene.ports.users.find_session(&ended.token_hash).await.unwrap();
        assert_eq!(found.is_some(), by == other, "{by:?}");
    }
    assert!(scene.ports.users.find_session(&kept.token_hash).await.unwrap().is_some());
}

/// Two sessions never share a token.
pub async fn a_known_token_is_rejected(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let account = scene.account().await;
    let session = sign_in(&scene, scene.make.session(account.owner().unwrap())).await;
    let copy = Session { token_hash: session.token_hash, ..scene.make.session(scene.user().await.id) };
    scene.check_rejected(move |tx| tx.insert_session(&copy)).await;
    let found = scene.ports.users.find_session(&session.token_hash).await.unwrap().expect("the first");
    assert_eq!(found.session, session);
}
