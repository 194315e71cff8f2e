//! Password guessing: counted on all nodes, and no way to lock users out of their known networks.

use std::net::{IpAddr, Ipv4Addr};

use foretell_application::{
    AppError, Application, ApplicationSettings, Caller, Credential, LoginLimits, NewApiKey,
    PasswordChange, PasswordConfirmation,
};
use foretell_domain::id::SessionId;
use foretell_domain::scope::Scopes;
use foretell_domain::text::{Email, KeyName};
use foretell_ports::known_network::KnownNetworkQueries as _;
use foretell_testkit::{Fault, new_password};
use futures::future::join_all;

use crate::support::{ADDRESS, Fixture, PASSWORD, confirmation, settings};

/// A network from which no user signs in.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

fn change(current: &str) -> PasswordChange {
    let current = PasswordConfirmation { password: current.into(), from: ADDRESS };
    PasswordChange { current, new: new_password("another password"), revoke_api_keys: false }
}

/// Guesses a user's password until no more attempts are allowed.
async fn flood(app: &Application, email: &Email, from: IpAddr) {
    for _ in 0..100 {
        match app.identity.log_in(from, email, "wrong".into()).await {
            Err(AppError::BadCredentials) => {}
            Err(AppError::TooManyAttempts { .. }) => return,
            other => panic!("{other:?}"),
        }
    }
    panic!("guesses are not limited");
}

async fn is_limited(app: &Application, email: &Email, from: IpAddr) -> bool {
    match app.identity.log_in(from, email, PASSWORD.into()).await {
        Ok(_) => false,
        Err(AppError::TooManyAttempts { .. }) => true,
        Err(other) => panic!("{other}"),
    }
}

async fn log_in_from(fixture: &Fixture, whom: &Caller, from: IpAddr) -> SessionId {
    fixture.app.identity.log_in(from, &whom.user.email, PASSWORD.into()).await.unwrap().session.id
}

#[tokio::test]
async fn wrong_confirmations_count_as_failed_sign_ins() {
    let login_limits = LoginLimits { per_account: 3, ..LoginLimits::default() };
    let fixture = Fixture::open_with(ApplicationSettings { login_limits, ..settings() }).await;
    let ann = fixture.user().await;
    let wrong = || PasswordConfirmation { password: "wrong".into(), from: ADDRESS };
    let new =
        || NewApiKey { name: KeyName::new("bot").unwrap(), scopes: Scopes::ALL, expires_at: None };
    for _ in 0..2 {
        let refused = fixture.app.identity.create_api_key(&ann, wrong(), new()).await;
        assert!(matches!(refused, Err(AppError::WrongPassword)), "{refused:?}");
    }
    let refused = fixture.app.identity.erase_user(&ann, ann.user.id, wrong()).await;
    assert!(matches!(refused, Err(AppError::WrongPassword)), "{refused:?}");
    let limited = [
        fixture.app.identity.create_api_key(&ann, confirmation(), new()).await.map(drop),
        fixture.app.identity.erase_user(&ann, ann.user.id, confirmation()).await,
        fixture.app.identity.change_password(&ann, change(PASSWORD)).await.map(drop),
        fixture.app.identity.log_in(ADDRESS, &ann.user.email, PASSWORD.into()).await.map(drop),
    ];
    for result in limited {
        assert!(matches!(result, Err(AppError::TooManyAttempts { .. })), "{result:?}");
    }
}

#[tokio::test]
async fn concurrent_guesses_are_limited() {
    let login_limits = LoginLimits { per_account: 3, ..LoginLimits::default() };
    let fixture = Fixture::open_with(ApplicationSettings { login_limits, ..settings() }).await;
    let ann = fixture.user().await;
    let verified = fixture.passwords.verifications();
    let guesses =
        (0..10).map(|_| fixture.app.identity.log_in(ADDRESS, &ann.user.email, "wrong".into()));
    let answers = join_all(guesses).await;
    let limited =
        answers.iter().filter(|answer| matches!(answer, Err(AppError::TooManyAttempts { .. })));
    assert_eq!(limited.count(), 7);
    assert_eq!(fixture.passwords.verifications() - verified, 3, "the others cost no work");
}

#[tokio::test]
async fn guesses_on_all_nodes_count_together() {
    let fixture = Fixture::open().await;
    let (ann, other) = (fixture.user().await, fixture.second_node(settings()).await);
    for app in [&fixture.app, &other].into_iter().cycle().take(10) {
        let guess = app.identity.log_in(ELSEWHERE, &ann.user.email, "wrong".into()).await;
        assert!(matches!(guess, Err(AppError::BadCredentials)), "{guess:?}");
    }
    for app in [&fixture.app, &other] {
        assert!(is_limited(app, &ann.user.email, ELSEWHERE).await);
    }
}

#[tokio::test]
async fn known_network_outlives_the_process() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    assert!(!is_limited(&fixture.app, &ann.user.email, ADDRESS).await);
    let restarted = fixture.second_node(settings()).await;
    flood(&restarted, &ann.user.email, ELSEWHERE).await;
    assert!(is_limited(&restarted, &ann.user.email, ELSEWHERE).await);
    assert!(!is_limited(&restarted, &ann.user.email, ADDRESS).await);
    flood(&restarted, &ann.user.email, ADDRESS).await;
    assert!(
        is_limited(&restarted, &ann.user.email, ADDRESS).await,
        "guesses from there count by themselves"
    );
}

#[tokio::test]
async fn sign_in_records_its_network_once_a_day() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let last_use = async || {
        let known = fixture.memory.list_known_networks(ann.user.id).await.unwrap();
        known.iter().map(|known| known.last_used_at).collect::<Vec<_>>()
    };
    let first = fixture.app.now();
    for seconds in [0, 60, 86_339] {
        fixture.clock.advance_seconds(seconds);
        log_in_from(&fixture, &ann, ADDRESS).await;
        assert_eq!(last_use().await, [first]);
    }
    fixture.clock.advance_seconds(1);
    log_in_from(&fixture, &ann, ADDRESS).await;
    assert_eq!(last_use().await, [fixture.app.now()]);
    for host in 1..20 {
        log_in_from(&fixture, &ann, [198, 51, 100, host].into()).await;
    }
    assert_eq!(last_use().await.len(), 10, "the most of a user");
}

#[tokio::test]
async fn network_unused_for_long_is_unknown() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    log_in_from(&fixture, &ann, ADDRESS).await;
    fixture.clock.advance_seconds(90 * 86_400);
    flood(&fixture.app, &ann.user.email, ELSEWHERE).await;
    assert!(is_limited(&fixture.app, &ann.user.email, ADDRESS).await);
}

#[tokio::test]
async fn revocation_leaves_only_the_present_network_known() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let known = async || {
        let known = fixture.memory.list_known_networks(ann.user.id).await.unwrap();
        known.iter().map(|known| known.network).collect::<Vec<_>>()
    };
    let Credential::Session(own) = ann.credential else { panic!("a user has a session") };
    log_in_from(&fixture, &ann, ADDRESS).await;
    let other = log_in_from(&fixture, &ann, ELSEWHERE).await;
    assert_eq!(known().await.len(), 2);
    assert!(fixture.app.identity.log_out(&ann, other, ADDRESS).await.unwrap());
    assert_eq!(known().await, [ADDRESS]);
    log_in_from(&fixture, &ann, ELSEWHERE).await;
    fixture.app.identity.change_password(&ann, change(PASSWORD)).await.unwrap();
    assert_eq!(known().await, [ADDRESS]);
    assert!(fixture.app.identity.log_out(&ann, own, ELSEWHERE).await.unwrap());
    assert_eq!(known().await, [ADDRESS], "who signs out trusts the networks still");
}

#[tokio::test]
async fn other_failures_do_not_count_as_guesses() {
    let login_limits = LoginLimits { per_account: 1, ..LoginLimits::default() };
    let fixture = Fixture::open_with(ApplicationSettings { login_limits, ..settings() }).await;
    let ann = fixture.user().await;
    for _ in 0..5 {
        fixture.faults.fail_next(Fault::Unavailable);
        let failed = fixture.app.identity.log_in(ADDRESS, &ann.user.email, PASSWORD.into()).await;
        assert!(matches!(failed, Err(AppError::Store(_))), "{failed:?}");
    }
    fixture.app.identity.log_in(ADDRESS, &ann.user.email, PASSWORD.into()).await.unwrap();
}
