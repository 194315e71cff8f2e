//! Sessions: failed sign-ins reveal nothing, and all cost the same.

use std::time::Duration;

use foretell_application::{AppError, Application, ApplicationSettings, Credential, SignedIn};
use foretell_domain::text::Email;
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::secret::{PasswordHash, Tokens as _};
use foretell_ports::unit::{Tx, UnitOfWork};
use foretell_ports::user::{Session, UserQueries as _};
use foretell_testkit::{PlainPasswordHasher, SeededTokens};
use secrecy::ExposeSecret as _;

use crate::support::{ADDRESS, Fixture, PASSWORD, settings};

/// Stores a user as an operator would, with an account.
async fn store(fixture: &Fixture, user: User, password: PasswordHash) {
    let account = foretell_domain::account::Account::user(fixture.ids.account(), user.id);
    let units: &dyn UnitOfWork = &fixture.memory;
    let work = move |tx: &mut dyn Tx| {
        assert!(tx.insert_user_once(&user, &password)?);
        tx.insert_accounts_once(&[account], user.created_at)
    };
    units.run("store_user", work).await.unwrap();
}

/// Returns a user who never registered here, in this status.
fn somebody(fixture: &Fixture, status: UserStatus) -> User {
    let registration = fixture.registration(Role::User);
    let (id, created_at) = (fixture.ids.user(), fixture.app.now());
    let (email, name, role) = (registration.email, registration.name, Role::User);
    User {
        id,
        email,
        name,
        avatar: None,
        role,
        status,
        version: 1,
        created_at,
        updated_at: created_at,
    }
}

async fn log_in(fixture: &Fixture, email: &Email, password: &str) -> Result<SignedIn, AppError> {
    fixture.app.identity.log_in(ADDRESS, email, password.into()).await
}

#[tokio::test]
async fn failed_sign_ins_are_indistinguishable() {
    let fixture = Fixture::open().await;
    let known = fixture.user().await.user;
    let suspended = somebody(&fixture, UserStatus::Suspended);
    let current = PasswordHash(format!("$plain$v=2${PASSWORD}"));
    store(&fixture, suspended.clone(), current).await;
    let outdated = somebody(&fixture, UserStatus::Suspended);
    store(&fixture, outdated.clone(), PlainPasswordHasher::outdated(PASSWORD)).await;
    let unknown = Email::new("nobody@example.com").unwrap();
    let before = fixture.faults.names();
    for (email, password) in [
        (&unknown, PASSWORD),
        (&known.email, "wrong"),
        (&known.email, ""),
        (&suspended.email, PASSWORD),
        (&suspended.email, "wrong"),
        (&outdated.email, PASSWORD),
    ] {
        let verified = fixture.passwords.verifications();
        let failed = log_in(&fixture, email, password).await;
        assert!(matches!(failed, Err(AppError::BadCredentials)), "{email:?}: {failed:?}");
        assert_eq!(fixture.passwords.verifications(), verified + 1, "{email:?}");
    }
    assert_eq!(fixture.faults.names(), before, "nothing is written for who may not sign in");
}

#[tokio::test]
async fn session_identifies_user_until_it_ends() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let signed_in = log_in(&fixture, &ann.user.email, PASSWORD).await.unwrap();
    let token = signed_in.token.expose_secret();
    let caller = fixture.authenticate(token).await.expect("a live session");
    assert_eq!((&caller.user, caller.account_id), (&ann.user, ann.account_id));
    assert_eq!(caller.credential, Credential::Session(signed_in.session.id));
    fixture.clock.advance_seconds(3_599);
    assert!(fixture.authenticate(token).await.is_some());
    fixture.clock.advance_seconds(1);
    assert!(fixture.authenticate(token).await.is_none(), "it has expired");
}

#[tokio::test]
async fn malformed_token_is_rejected() {
    let fixture = Fixture::open().await;
    for token in ["", "foreign", "test-token-1-999"] {
        assert!(fixture.authenticate(token).await.is_none(), "{token}");
    }
}

#[tokio::test]
async fn log_out_ends_one_own_session() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let first = log_in(&fixture, &ann.user.email, PASSWORD).await.unwrap();
    let second = log_in(&fixture, &ann.user.email, PASSWORD).await.unwrap();
    assert!(fixture.authenticate(first.token.expose_secret()).await.is_some());
    assert!(
        !fixture.app.identity.log_out(&ben, first.session.id, ADDRESS).await.unwrap(),
        "it is not Ben's"
    );
    assert!(fixture.app.identity.log_out(&ann, first.session.id, ADDRESS).await.unwrap());
    assert!(
        !fixture.app.identity.log_out(&ann, first.session.id, ADDRESS).await.unwrap(),
        "it has ended already"
    );
    assert!(fixture.authenticate(first.token.expose_secret()).await.is_none());
    assert!(fixture.authenticate(second.token.expose_secret()).await.is_some());
}

#[tokio::test]
async fn session_ended_elsewhere_expires_from_cache() {
    let fixture = Fixture::open().await;
    let (other, careful) = (
        fixture.second_node(settings()).await,
        fixture
            .second_node(ApplicationSettings { session_trust: Duration::ZERO, ..settings() })
            .await,
    );
    let ann = fixture.user().await;
    let signed_in = log_in(&fixture, &ann.user.email, PASSWORD).await.unwrap();
    let is_live = async |app: &Application| {
        app.identity
            .authenticate(signed_in.token.expose_secret(), [192, 0, 2, 1].into())
            .await
            .unwrap()
            .is_some()
    };
    for app in [&fixture.app, &other, &careful] {
        assert!(is_live(app).await);
    }
    assert!(other.identity.log_out(&ann, signed_in.session.id, ADDRESS).await.unwrap());
    assert!(!is_live(&other).await, "it ended here");
    assert!(!is_live(&careful).await, "it trusts nothing");
    fixture.clock.advance_micros(999_999);
    assert!(is_live(&fixture.app).await, "it was looked up less than a second ago");
    fixture.clock.advance_micros(1);
    assert!(!is_live(&fixture.app).await);
}

#[tokio::test]
async fn session_of_suspended_user_is_rejected() {
    let fixture = Fixture::open().await;
    let suspended = somebody(&fixture, UserStatus::Suspended);
    store(&fixture, suspended.clone(), PasswordHash(String::new())).await;
    let (token, token_hash) = SeededTokens::new(7).issue();
    let (id, user_id, created_at) = (fixture.ids.session(), suspended.id, fixture.app.now());
    let session =
        Session { id, user_id, token_hash, created_at, expires_at: created_at.plus_seconds(60) };
    let units: &dyn UnitOfWork = &fixture.memory;
    units.run("store_session", move |tx| tx.insert_session(&session)).await.unwrap();
    assert!(fixture.memory.find_session(&token_hash).await.unwrap().is_some());
    assert!(fixture.authenticate(token.expose_secret()).await.is_none());
}

#[tokio::test]
async fn a_hash_with_outdated_parameters_is_replaced() {
    let fixture = Fixture::open().await;
    let ann = somebody(&fixture, UserStatus::Active);
    let outdated = PlainPasswordHasher::outdated(PASSWORD);
    store(&fixture, ann.clone(), outdated.clone()).await;
    let hash =
        async || fixture.memory.find_credentials(&ann.email).await.unwrap().unwrap().password;
    log_in(&fixture, &ann.email, "wrong").await.unwrap_err();
    assert_eq!(hash().await, outdated, "a wrong password replaces nothing");
    log_in(&fixture, &ann.email, PASSWORD).await.unwrap();
    let replaced = hash().await;
    assert_ne!(replaced, outdated);
    log_in(&fixture, &ann.email, PASSWORD).await.unwrap();
    assert_eq!(hash().await, replaced);
}

#[tokio::test]
async fn email_address_is_registered_once() {
    let fixture = Fixture::open().await;
    assert!(!fixture.app.queries.users.has_users().await.unwrap());
    let registration = fixture.registration(Role::User);
    let again = || fixture.app.identity.register_user(registration.clone());
    let (answers, units) = fixture.together([again(), again(), again()]).await;
    assert_eq!(units, 1);
    answers[0].as_ref().unwrap();
    for answer in &answers[1..] {
        let refusal = foretell_domain::error::DomainError::EmailTaken;
        assert!(matches!(answer, Err(AppError::Refused(taken)) if *taken == refusal), "{answer:?}");
    }
    assert!(again().await.is_err());
    assert!(fixture.app.queries.users.has_users().await.unwrap());
    assert_eq!(fixture.audit().await, 1, "one grant");
}
