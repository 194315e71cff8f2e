//! The application behind its real router, in memory, with signed-in users.

#![allow(unreachable_pub, dead_code, reason = "shared by test modules that each use a part of it")]

mod call;
pub mod contract;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Service as _;
use actix_web::http::Method;
use actix_web::test::{self, TestRequest};
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, body::BoxBody};
use foretell::Foretell;
use foretell_application::{
    Application, ApplicationSettings, Registration, RequestLimits, StreamLimits,
};
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::quota::Quotas;
use foretell_domain::text::{Email, UserName};
use foretell_domain::user::Role;
use foretell_testkit::{FakeClock, MemoryStore, new_password};
use foretell_web::{TrustedProxies, WebSettings, WebState};
use futures::future::LocalBoxFuture;
use secrecy::ExposeSecret as _;
use serde_json::json;

pub use call::{Call, Reply};

/// Password of every test user.
pub const PASSWORD: &str = "correct horse";

/// Client address of every sign-in unless a test sets another.
pub const ADDRESS: &str = "192.0.2.1";

type Serve = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, HttpResponse<BoxBody>>>;

/// The application behind its real router, in memory. Money has 2 decimals, and a new user gets
/// 1,000.00.
pub struct TestApp {
    pub application: Arc<Application>,
    pub store: MemoryStore,
    pub clock: FakeClock,
    serve: Serve,
}

/// A user with a live session.
#[derive(Debug, Clone)]
pub struct TestUser {
    pub id: UserId,
    pub account_id: AccountId,
    pub email: String,
    pub token: String,
}

/// Creates an application in memory, without a router.
pub async fn application(store: &MemoryStore, clock: &FakeClock) -> Arc<Application> {
    application_with(store, clock, RequestLimits::default()).await
}

/// Creates an application with rate limits.
pub async fn application_with(
    store: &MemoryStore,
    clock: &FakeClock,
    request_limits: RequestLimits,
) -> Arc<Application> {
    let settings = ApplicationSettings {
        // One test creates ten thousand posts.
        quotas: Quotas { published_posts: 100_000, ..Quotas::default() },
        session_lifetime: Duration::from_hours(24),
        request_limits,
        stream_limits: StreamLimits::default(),
        ..ApplicationSettings::default()
    };
    let builder = Foretell::builder().storage(store.clone()).fakes(1).clock(clock.clone());
    let foretell = builder.settings(settings).build().await.unwrap();
    Arc::clone(foretell.application())
}

fn settings() -> WebSettings {
    WebSettings { max_body_bytes: 16 * 1024, ..WebSettings::default() }
}

impl TestApp {
    /// Starts with the routes of the server.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with further routes, for behaviour that no real route has.
    pub async fn start_with(routes: impl FnOnce(&mut ServiceConfig)) -> Self {
        Self::assemble(routes, settings()).await
    }

    /// Starts behind these proxies.
    pub async fn start_behind(proxies: &[&str]) -> Self {
        let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        Self::assemble(
            |_| {},
            WebSettings { trusted_proxies: TrustedProxies::new(proxies), ..settings() },
        )
        .await
    }

    /// Starts with these allowed origins.
    pub async fn start_for_origins(origins: &[&str]) -> Self {
        let allowed_origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        Self::assemble(|_| {}, WebSettings { allowed_origins, ..settings() }).await
    }

    /// Starts with bodies of up to this many bytes, if 16 KiB are not enough.
    pub async fn start_with_bodies_of(max_body_bytes: usize) -> Self {
        Self::assemble(|_| {}, WebSettings { max_body_bytes, ..settings() }).await
    }

    /// Starts with these rate limits.
    pub async fn start_with_limits(limits: RequestLimits) -> Self {
        let (store, clock) = (MemoryStore::new(), FakeClock::default());
        let application = application_with(&store, &clock, limits).await;
        Self::around(application, (store, clock), |_| {}, settings()).await
    }

    async fn assemble(routes: impl FnOnce(&mut ServiceConfig), settings: WebSettings) -> Self {
        let (store, clock) = (MemoryStore::new(), FakeClock::default());
        let application = application(&store, &clock).await;
        Self::around(application, (store, clock), routes, settings).await
    }

    async fn around(
        application: Arc<Application>,
        (store, clock): (MemoryStore, FakeClock),
        routes: impl FnOnce(&mut ServiceConfig),
        settings: WebSettings,
    ) -> Self {
        let state =
            WebState { application: Arc::clone(&application), settings, cursor_key: [7; 32] };
        let service = Rc::new(test::init_service(foretell_web::app(state).configure(routes)).await);
        let serve: Serve = Rc::new(move |request: TestRequest| {
            let service = Rc::clone(&service);
            Box::pin(async move {
                // An error becomes its response in the server as well.
                match service.call(request.to_request()).await {
                    Ok(response) => response.into(),
                    Err(error) => error.error_response(),
                }
            })
        });
        Self { application, store, clock, serve }
    }

    /// Registers and signs in a user with this name and the default role.
    pub async fn user(&self, name: &str) -> TestUser {
        self.user_with(name, Role::User).await
    }

    /// Registers and signs in a moderator.
    pub async fn moderator(&self) -> TestUser {
        self.user_with("moderator", Role::Moderator).await
    }

    /// Registers and signs in an admin.
    pub async fn admin(&self) -> TestUser {
        self.user_with("admin", Role::Admin).await
    }

    async fn user_with(&self, name: &str, role: Role) -> TestUser {
        let email = Email::new(&format!("{name}@example.com")).unwrap();
        let registration = Registration {
            email: email.clone(),
            name: UserName::new(name).unwrap(),
            password: new_password(PASSWORD),
            avatar: None,
            role,
        };
        let (user, registered) =
            self.application.identity.register_user(registration).await.unwrap();
        let signed_in = self
            .application
            .identity
            .log_in(ADDRESS.parse().unwrap(), &email, PASSWORD.into())
            .await
            .unwrap();
        TestUser {
            id: user.id,
            account_id: registered.account_id,
            email: email.as_str().to_owned(),
            token: signed_in.token.expose_secret().to_owned(),
        }
    }

    /// Creates a request below `/api/v1`, or to the path itself if it begins with two slashes.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let path = path
            .strip_prefix('/')
            .filter(|rest| rest.starts_with('/'))
            .map_or_else(|| format!("/api/v1{path}"), str::to_owned);
        Call::new(Rc::clone(&self.serve), method, &path)
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// Returns the same user with an API key of these scopes in place of the session.
    pub async fn with_key(&self, user: &TestUser, scopes: &[&str]) -> TestUser {
        let body = json!({ "name": "a key", "scopes": scopes, "password": PASSWORD });
        let made = self.post("/api-keys").by(user).json(&body).await;
        TestUser { token: made.ok(201)["secret"].as_str().unwrap().to_owned(), ..user.clone() }
    }

    /// Returns the same user with another session.
    pub async fn signed_in_again(&self, user: &TestUser) -> TestUser {
        let body = json!({ "email": user.email, "password": PASSWORD });
        let begun = self.post("/sessions").json(&body).await.ok(201);
        TestUser { token: begun["token"].as_str().unwrap().to_owned(), ..user.clone() }
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Returns the request of a user to be deleted.
    pub fn erase(&self, user: &TestUser) -> Call {
        let body = json!({ "password": PASSWORD });
        self.delete(&format!("/users/{}", user.id)).by(user).json(&body)
    }

    /// Returns the balance of an account, as its owner reads it.
    pub async fn balance(&self, user: &TestUser) -> String {
        let reply = self.get(&format!("/accounts/{}", user.account_id)).by(user).await;
        reply.ok(200)["balance"].as_str().unwrap().to_owned()
    }
}
