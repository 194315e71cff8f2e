//! Users: concurrent changes, recorded uses of keys, and announcements to other nodes.

use foretell_application::ExpectedVersion;
use foretell_application::{
    AppError, ApplicationSettings, Caller, Credential, IssuedKey, LoginLimits, NewApiKey,
    NewInvitation, PasswordChange, PasswordConfirmation, Registration, SignUp,
};
use foretell_domain::error::DomainError;
use foretell_domain::id::ApiKeyId;
use foretell_domain::policy::Denied;
use foretell_domain::registration::RegistrationError;
use foretell_domain::scope::{Scope, Scopes};
use foretell_domain::text::{Email, KeyName};
use foretell_domain::time::Timestamp;
use foretell_domain::user::{NewUserStatus, Role, UserError, UserUpdate};
use foretell_ports::api_key::ApiKeyQueries as _;
use foretell_ports::known_network::KnownNetworkQueries as _;
use foretell_ports::page::{NumberedPage, PageRequest};
use foretell_ports::user::UserQueries as _;
use foretell_testkit::{Fault, new_password};
use futures::future::join_all;
use futures::poll;
use secrecy::ExposeSecret as _;

use crate::support::{ADDRESS, Fixture, GRANT, PASSWORD, confirmation, eventually, settings};

async fn make_key(fixture: &Fixture, caller: &Caller, scopes: Scopes) -> IssuedKey {
    let new = NewApiKey { name: KeyName::new("bot").unwrap(), scopes, expires_at: None };
    fixture.app.identity.create_api_key(caller, confirmation(), new).await.unwrap()
}

fn change(current: &str) -> PasswordChange {
    let current = PasswordConfirmation { password: current.into(), from: ADDRESS };
    PasswordChange { current, new: new_password("another password"), revoke_api_keys: false }
}

fn is_refused<T>(result: &Result<T, AppError>, expected: DomainError) -> bool {
    matches!(result, Err(AppError::Refused(refusal)) if *refusal == expected)
}

#[tokio::test]
async fn session_does_not_outlive_concurrent_password_change() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let gate = fixture.faults.hold_next();
    let mut late = Box::pin(fixture.app.identity.log_in(ADDRESS, &ann.user.email, PASSWORD.into()));
    assert!(poll!(&mut late).is_pending());
    gate.arrived().await;
    // The old password has been verified; storing the session is held.
    fixture.app.identity.change_password(&ann, change(PASSWORD)).await.unwrap();
    gate.release();
    let late = late.await;
    assert!(matches!(late, Err(AppError::BadCredentials)), "{late:?}");
    let now = fixture.app.now();
    assert_eq!(fixture.memory.count_sessions(ann.user.id, now).await.unwrap(), 1);
}

#[tokio::test]
async fn only_one_concurrent_password_change_succeeds() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let gate = fixture.faults.hold_next();
    let mut late = Box::pin(fixture.app.identity.change_password(&ann, change(PASSWORD)));
    assert!(poll!(&mut late).is_pending());
    gate.arrived().await;
    fixture.app.identity.change_password(&ann, change(PASSWORD)).await.unwrap();
    gate.release();
    let late = late.await;
    assert!(matches!(late, Err(AppError::WrongPassword)), "{late:?}");
}

#[tokio::test]
async fn password_changed_meanwhile_does_not_confirm() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let new =
        NewApiKey { name: KeyName::new("bot").unwrap(), scopes: Scopes::ALL, expires_at: None };
    let gate = fixture.faults.hold_next();
    let mut key = Box::pin(fixture.app.identity.create_api_key(&ann, confirmation(), new));
    assert!(poll!(&mut key).is_pending());
    gate.arrived().await;
    let next_gate = fixture.faults.hold_next();
    let mut erasure = Box::pin(fixture.app.identity.erase_user(&ann, ann.user.id, confirmation()));
    assert!(poll!(&mut erasure).is_pending());
    next_gate.arrived().await;
    // The old password has been verified; the operation that it confirms is held.
    fixture.app.identity.change_password(&ann, change(PASSWORD)).await.unwrap();
    gate.release();
    next_gate.release();
    let key = key.await;
    assert!(matches!(key, Err(AppError::WrongPassword)), "{key:?}");
    let erasure = erasure.await;
    assert!(matches!(erasure, Err(AppError::WrongPassword)), "{erasure:?}");
    assert_eq!(fixture.app.identity.count_api_keys(&ann).await.unwrap(), 0);
    assert_eq!(fixture.app.identity.get_user(ann.user.id).await.unwrap(), ann.user);
}

#[tokio::test]
async fn key_use_is_recorded_once_a_minute() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let scopes = Scopes::new([Scope::Read]).unwrap();
    let IssuedKey { key, secret } = make_key(&fixture, &ann, scopes).await;
    let last_use = async || {
        let found = fixture.memory.find_api_key(&key.secret_hash).await.unwrap();
        found.unwrap().key.last_used_at
    };
    assert_eq!(last_use().await, None);
    let first_use = fixture.app.now();
    for seconds in [0, 2, 57] {
        fixture.clock.advance_seconds(seconds);
        let caller = fixture.authenticate(secret.expose_secret()).await.expect("a live key");
        assert_eq!((&caller.user, caller.account_id), (&ann.user, ann.account_id));
        assert_eq!(caller.credential, Credential::ApiKey { id: key.id, scopes });
        eventually(async || last_use().await == Some(first_use)).await;
    }
    assert_eq!(fixture.faults.count("record_key_use"), 1);
    fixture.clock.advance_seconds(1);
    let second_use = fixture.app.now();
    fixture.authenticate(secret.expose_secret()).await.expect("a live key");
    eventually(async || last_use().await == Some(second_use)).await;
    assert_eq!(fixture.faults.count("record_key_use"), 2);
}

#[tokio::test]
async fn unrecorded_key_use_does_not_fail_request() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let issued = make_key(&fixture, &ann, Scopes::ALL).await;
    fixture.faults.reject_units(|name| name == "record_key_use");
    assert!(fixture.authenticate(issued.secret.expose_secret()).await.is_some());
    eventually(async || fixture.faults.count("record_key_use") == 1).await;
    assert!(fixture.authenticate(issued.secret.expose_secret()).await.is_some());
}

#[tokio::test]
async fn admin_demoted_meanwhile_cannot_change_roles() {
    let fixture = Fixture::open().await;
    let (first, second, ann) = (fixture.admin().await, fixture.admin().await, fixture.user().await);
    let to = |role| UserUpdate { role: Some(role), status: None };
    let demoted = fixture
        .app
        .identity
        .update_user(&first, second.user.id, to(Role::User), ExpectedVersion::Any)
        .await
        .unwrap();
    assert_eq!((demoted.role, demoted.version), (Role::User, 2));
    let stale = fixture
        .app
        .identity
        .update_user(&second, ann.user.id, to(Role::Admin), ExpectedVersion::Any)
        .await;
    assert!(is_refused(&stale, Denied::AdminsOnly.into()));
    assert_eq!(fixture.app.identity.get_user(ann.user.id).await.unwrap().role, Role::User);
    let last = fixture
        .app
        .identity
        .update_user(&first, first.user.id, to(Role::Moderator), ExpectedVersion::Any)
        .await;
    assert!(is_refused(&last, UserError::LastAdmin.into()));
}

#[tokio::test]
async fn change_with_lost_response_applies_immediately() {
    let fixture = Fixture::open().await;
    let (ann, admin) = (fixture.user().await, fixture.admin().await);
    let signed_in =
        fixture.app.identity.log_in(ADDRESS, &ann.user.email, PASSWORD.into()).await.unwrap();
    let is_live = async || fixture.authenticate(signed_in.token.expose_secret()).await.is_some();
    assert!(is_live().await);
    fixture.faults.fail_next_named("update_user", Fault::LostAfterCommit);
    let suspension = UserUpdate { role: None, status: Some(NewUserStatus::Suspended) };
    let lost = fixture
        .app
        .identity
        .update_user(&admin, ann.user.id, suspension, ExpectedVersion::Any)
        .await;
    assert!(matches!(lost, Err(AppError::Store(_))), "{lost:?}");
    assert!(!is_live().await);
}

#[tokio::test]
async fn key_deleted_elsewhere_expires_from_cache() {
    let fixture = Fixture::open().await;
    let (ann, other) = (fixture.user().await, fixture.second_node(settings()).await);
    let issued = make_key(&fixture, &ann, Scopes::ALL).await;
    let is_live = async || fixture.authenticate(issued.secret.expose_secret()).await.is_some();
    assert!(is_live().await);
    other.identity.delete_api_key(&ann, issued.key.id).await.unwrap();
    assert!(is_live().await, "it was looked up less than a second ago");
    fixture.clock.advance_micros(1_000_000);
    assert!(!is_live().await);
}

#[tokio::test]
async fn announced_user_change_applies_immediately() {
    let fixture = Fixture::open().await;
    let (ann, other) = (fixture.user().await, fixture.second_node(settings()).await);
    let issued = make_key(&fixture, &ann, Scopes::ALL).await;
    let is_live = async || fixture.authenticate(issued.secret.expose_secret()).await.is_some();
    assert!(is_live().await);
    let now = fixture.app.now();
    other.identity.delete_api_key(&ann, issued.key.id).await.unwrap();
    assert!(is_live().await, "nobody has told this node");
    fixture.announcements.switch_on();
    assert!(!is_live().await, "it was told that it may have missed something");
    let issued = make_key(&fixture, &ann, Scopes::ALL).await;
    fixture.clock.advance_micros(1);
    let is_live = async || fixture.authenticate(issued.secret.expose_secret()).await.is_some();
    assert!(is_live().await);
    other.identity.delete_api_key(&ann, issued.key.id).await.unwrap();
    assert!(!is_live().await, "it was told of the change");
    assert_eq!(
        fixture.app.now(),
        Timestamp::from_micros(now.micros() + 1),
        "less than the trust has passed"
    );
}

#[tokio::test]
async fn key_is_rejected_where_session_is_required() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let credential = Credential::ApiKey { id: ApiKeyId::from_u128(1), scopes: Scopes::ALL };
    let by_key = Caller { credential, ..ann.clone() };
    let new =
        NewApiKey { name: KeyName::new("bot").unwrap(), scopes: Scopes::ALL, expires_at: None };
    let page = PageRequest::from(NumberedPage::new(1, 10).unwrap());
    let app = &fixture.app;
    let results = [
        app.identity.create_api_key(&by_key, confirmation(), new).await.map(drop),
        app.identity.delete_api_key(&by_key, ApiKeyId::from_u128(1)).await,
        app.identity.change_password(&by_key, change(PASSWORD)).await.map(drop),
        app.identity.list_sessions(&by_key, page).await.map(drop),
        app.identity.count_sessions(&by_key).await.map(drop),
        app.identity.log_out(&by_key, fixture.ids.session(), ADDRESS).await.map(drop),
        app.identity.erase_user(&by_key, ann.user.id, confirmation()).await,
    ];
    for result in results {
        assert!(is_refused(&result, Denied::SessionsOnly.into()));
    }
}

#[tokio::test]
async fn concurrently_created_keys_are_all_counted() {
    let login_limits = LoginLimits { per_account: 60, ..LoginLimits::default() };
    let fixture = Fixture::open_with(ApplicationSettings { login_limits, ..settings() }).await;
    let ann = fixture.user().await;
    let new =
        || NewApiKey { name: KeyName::new("bot").unwrap(), scopes: Scopes::ALL, expires_at: None };
    let made =
        join_all((0..60).map(|_| fixture.app.identity.create_api_key(&ann, confirmation(), new())))
            .await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 50);
    assert_eq!(fixture.app.identity.count_api_keys(&ann).await.unwrap(), 50);
}

#[tokio::test]
async fn erased_user_cannot_return() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let signed_in =
        fixture.app.identity.log_in(ADDRESS, &ann.user.email, PASSWORD.into()).await.unwrap();
    make_key(&fixture, &ann, Scopes::ALL).await;
    fixture.clock.advance_seconds(5);
    fixture.app.identity.erase_user(&ann, ann.user.id, confirmation()).await.unwrap();
    let now = fixture.app.now();
    assert_eq!(fixture.memory.count_sessions(ann.user.id, now).await.unwrap(), 0);
    assert_eq!(fixture.memory.count_api_keys(ann.user.id).await.unwrap(), 0);
    assert_eq!(fixture.memory.list_known_networks(ann.user.id).await.unwrap(), []);
    assert!(fixture.authenticate(signed_in.token.expose_secret()).await.is_none());
    let erased = fixture.app.identity.get_user(ann.user.id).await.unwrap();
    let again = fixture.app.identity.erase_user(&ann, ann.user.id, confirmation()).await;
    assert!(matches!(again, Err(AppError::Unauthorized)), "{again:?}");
    for email in [&ann.user.email, &erased.email] {
        let verified = fixture.passwords.verifications();
        let failed = fixture.app.identity.log_in(ADDRESS, email, PASSWORD.into()).await;
        assert!(matches!(failed, Err(AppError::BadCredentials)), "{failed:?}");
        assert_eq!(fixture.passwords.verifications(), verified + 1, "the same work as for anybody");
    }
    assert_eq!(fixture.balance(ann.account_id).await, crate::support::GRANT);
    fixture.audit().await;
}

#[tokio::test]
async fn erased_user_without_record_gets_no_second_grant() {
    // Registered where no grants were paid or recorded, as before grants were recorded.
    let fixture =
        Fixture::open_with(ApplicationSettings { signup_grant: None, ..settings() }).await;
    let ann = fixture.user().await;
    let node = fixture.second_node(settings()).await;
    node.identity.erase_user(&ann, ann.user.id, confirmation()).await.unwrap();
    let again = |email| Registration {
        email,
        name: ann.user.name.clone(),
        password: new_password(PASSWORD),
        avatar: None,
        role: Role::User,
    };
    let (_, registered) = node.identity.register_user(again(ann.user.email.clone())).await.unwrap();
    assert_eq!(registered.balance.minor(), 0);
    let other = Email::new("other@example.org").unwrap();
    let (_, registered) = node.identity.register_user(again(other)).await.unwrap();
    assert_eq!(registered.balance.minor(), GRANT);
}

#[tokio::test]
async fn concurrent_registrations_use_invitation_once() {
    let fixture = Fixture::open().await;
    let admin = fixture.admin().await;
    let new = NewInvitation { role: Role::User, grant: None, max_uses: 1, expires_at: None };
    let issued = fixture.app.identity.create_invitation(&admin, new).await.unwrap();
    let gate = fixture.faults.hold_next();
    let sign_up = || {
        let Registration { email, name, password, avatar, .. } = fixture.registration(Role::User);
        let invitation = Some(issued.code.clone());
        fixture.app.identity.sign_up(SignUp { email, name, password, avatar, invitation })
    };
    let mut both = Box::pin(join_all([sign_up(), sign_up()]));
    assert!(poll!(&mut both).is_pending());
    // Both have looked at the unused invitation; the unit that registers the first one is held.
    gate.arrived().await;
    gate.release();
    let mut results: Vec<_> = both.await.into_iter().map(|result| result.map(drop)).collect();
    results.sort_by_key(Result::is_err);
    assert!(results[0].is_ok(), "{:?}", results[0]);
    assert!(is_refused(&results[1], RegistrationError::InvitationInvalid.into()));
    let page = PageRequest::from(NumberedPage::new(1, 10).unwrap());
    let listed = fixture.app.identity.list_invitations(&admin, page).await.unwrap();
    assert_eq!(listed.iter().map(|invitation| invitation.uses).collect::<Vec<_>>(), [1]);
}
