//! Tests of every route with every kind of caller.

use std::collections::BTreeSet;

use actix_web::http::Method;
use foretell_domain::id::UserId;
use serde_json::json;

use crate::support::{TestApp, TestUser, contract};

/// Credential required by a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// None; but a credential, if sent, must have the scope for reading.
    MaybeRead,
    Read,
    Trade,
    /// The scope `trade` or `resolve`.
    Resolve,
    Manage,
    Session,
    Admin,
    AdminTrade,
    AdminSession,
}

use Takes::{
    Admin, AdminSession, AdminTrade, Manage, MaybeRead, Nothing, Read, Resolve, Session, Trade,
};

const ROUTES: [(&str, &str, Takes); 82] = [
    ("POST", "/users", Nothing),
    ("GET", "/users", Read),
    ("GET", "/users/{id}", Read),
    ("PATCH", "/users/{id}", AdminSession),
    ("DELETE", "/users/{id}", Session),
    ("POST", "/sessions", Nothing),
    ("GET", "/sessions", Session),
    ("DELETE", "/sessions/{id}", Session),
    ("POST", "/api-keys", Session),
    ("GET", "/api-keys", Read),
    ("DELETE", "/api-keys/{id}", Session),
    ("POST", "/invitations", AdminSession),
    ("GET", "/invitations", Admin),
    ("DELETE", "/invitations/{id}", AdminSession),
    ("GET", "/me", Read),
    ("PATCH", "/me", Manage),
    ("POST", "/me/password", Session),
    ("GET", "/me/bets", Read),
    ("GET", "/me/positions", Read),
    ("GET", "/accounts", Read),
    ("GET", "/accounts/{id}", Read),
    ("GET", "/accounts/{id}/transfers", Read),
    ("POST", "/transfers", Trade),
    ("POST", "/transfers/batch", Trade),
    ("GET", "/transfers/{id}", Read),
    ("POST", "/transfers/{id}/reversal", AdminTrade),
    ("POST", "/mints", AdminTrade),
    ("POST", "/burns", AdminTrade),
    ("GET", "/ledger/audit", Admin),
    ("GET", "/ledger/debts", Admin),
    ("GET", "/markets", Nothing),
    ("POST", "/markets", Trade),
    ("GET", "/markets/{id}", Nothing),
    ("PATCH", "/markets/{id}", Manage),
    ("DELETE", "/markets/{id}", Trade),
    ("POST", "/markets/{id}/quotes", Nothing),
    ("GET", "/markets/{id}/bets", Nothing),
    ("POST", "/markets/{id}/bets", Trade),
    ("POST", "/markets/{id}/sales", Trade),
    ("GET", "/markets/{id}/positions", Nothing),
    ("GET", "/markets/{id}/prices", Nothing),
    ("GET", "/markets/{id}/events", Nothing),
    ("GET", "/markets/{id}/history", Nothing),
    ("POST", "/markets/{id}/clarifications", Manage),
    ("POST", "/markets/{id}/close", Manage),
    ("GET", "/markets/{id}/resolution", Nothing),
    ("POST", "/markets/{id}/resolution", Resolve),
    ("POST", "/markets/{id}/cancellation", Resolve),
    ("GET", "/markets/{id}/resolutions", Nothing),
    ("DELETE", "/markets/{id}/proposal", Manage),
    ("POST", "/markets/{id}/disputes", Manage),
    ("POST", "/markets/{id}/reopening", Manage),
    ("POST", "/markets/{id}/reversal", AdminTrade),
    ("GET", "/proposals", Nothing),
    ("GET", "/markets/{id}/comments", MaybeRead),
    ("POST", "/markets/{id}/comments", Manage),
    ("GET", "/bets/{id}", MaybeRead),
    ("GET", "/leaderboard", Nothing),
    ("GET", "/posts", MaybeRead),
    ("POST", "/posts", Manage),
    ("GET", "/posts/{id}", MaybeRead),
    ("PATCH", "/posts/{id}", Manage),
    ("DELETE", "/posts/{id}", Manage),
    ("GET", "/posts/{id}/comments", MaybeRead),
    ("POST", "/posts/{id}/comments", Manage),
    ("GET", "/comments/{id}", MaybeRead),
    ("PATCH", "/comments/{id}", Manage),
    ("DELETE", "/comments/{id}", Manage),
    ("GET", "/tags", Nothing),
    ("GET", "/markets/search", Nothing),
    ("GET", "/posts/search", MaybeRead),
    ("GET", "/webhooks", Admin),
    ("POST", "/webhooks", Admin),
    ("GET", "/webhooks/{id}", Admin),
    ("PATCH", "/webhooks/{id}", Admin),
    ("DELETE", "/webhooks/{id}", Admin),
    ("POST", "/webhooks/{id}/secret", Admin),
    ("POST", "/webhooks/{id}/test", Admin),
    ("POST", "/admin/users", AdminSession),
    ("GET", "/admin/jobs", Admin),
    ("POST", "/admin/jobs/{id}/retry", Admin),
    ("DELETE", "/admin/jobs/{id}", Admin),
];

/// A caller, the scopes of the credential, and `true` for an admin.
struct Kind {
    name: &'static str,
    caller: Option<TestUser>,
    takes: &'static [Takes],
    status_if_not: u16,
}

async fn kinds(app: &TestApp) -> Vec<Kind> {
    let (user, moderator, admin) =
        (app.user("ada").await, app.moderator().await, app.admin().await);
    let live = |name, caller: &TestUser, takes| Kind {
        name,
        caller: Some(caller.clone()),
        takes,
        status_if_not: 403,
    };
    let dead = |name, caller| Kind { name, caller, takes: &[], status_if_not: 401 };
    let everything: &[Takes] = &[Read, Trade, Resolve, Manage, Session];
    let mut kinds = vec![
        dead("nobody", None),
        live("a user", &user, everything),
        live("a moderator", &moderator, everything),
        live(
            "an admin",
            &admin,
            &[Read, Trade, Resolve, Manage, Session, Admin, AdminTrade, AdminSession],
        ),
    ];
    for (name, scopes, takes) in [
        ("a key to read", vec!["read"], &[Read][..]),
        ("a key to trade", vec!["trade"], &[Trade, Resolve]),
        ("a key to propose", vec!["resolve"], &[Resolve]),
        ("a key to manage", vec!["manage"], &[Manage]),
        ("a key for all", vec!["read", "trade", "manage"], &[Read, Trade, Resolve, Manage]),
    ] {
        kinds.push(live(name, &app.with_key(&user, &scopes).await, takes));
    }
    let manager = app.with_key(&admin, &["manage"]).await;
    kinds.push(live("an admin's key to manage", &manager, &[Manage, Admin]));
    let trader = app.with_key(&admin, &["read", "trade"]).await;
    kinds.push(live(
        "an admin's key to read and trade",
        &trader,
        &[Read, Trade, Resolve, AdminTrade],
    ));
    let everything = app.with_key(&admin, &["read", "trade", "manage"]).await;
    let takes = &[Read, Trade, Resolve, Manage, Admin, AdminTrade];
    kinds.push(live("an admin's key for everything", &everything, takes));
    kinds.extend(gone(app, &user, &admin).await.map(|(name, caller)| dead(name, Some(caller))));
    kinds
}

/// Returns callers whose credential has ended.
async fn gone(app: &TestApp, user: &TestUser, admin: &TestUser) -> [(&'static str, TestUser); 4] {
    let revoked = app.with_key(user, &["read", "trade", "manage"]).await;
    let newest = app.get("/api-keys?limit=1").by(user).await.ok(200)[0]["id"].clone();
    let path = format!("/api-keys/{}", newest.as_str().unwrap());
    assert_eq!(app.delete(&path).by(user).await.status.as_u16(), 204);
    let ended = app.signed_in_again(user).await;
    assert_eq!(app.delete("/sessions/current").by(&ended).await.status.as_u16(), 204);
    let suspended = app.user("suspended").await;
    let key = app.with_key(&suspended, &["read", "trade", "manage"]).await;
    let body = json!({ "status": "suspended" });
    app.patch(&format!("/users/{}", suspended.id)).by(admin).json(&body).await.ok(200);
    [
        ("a revoked key", revoked),
        ("an ended session", ended),
        ("a suspended user", suspended),
        ("a suspended user's key", key),
    ]
}

#[actix_web::test]
async fn routes_accept_exactly_their_callers() {
    let app = TestApp::start().await;
    let kinds = kinds(&app).await;
    let mut wrong = Vec::new();
    for (method, path, takes) in ROUTES {
        for Kind { name, caller, takes: may, status_if_not } in &kinds {
            // With an error that only callers get whose request is validated.
            let path = path.replace("{id}", &UserId::from_u128(7).to_string()) + "?odd=1";
            let method: Method = method.parse().unwrap();
            let call = app.call(method.clone(), &path).key("k");
            let call = if method == Method::GET { call } else { call.json(&json!({})) };
            let reply = match caller {
                Some(caller) => call.by(caller).await,
                None => call.await,
            };
            let is_for_them = match takes {
                Nothing => true,
                MaybeRead => caller.is_none() || may.contains(&Read),
                _ => may.contains(&takes),
            };
            let expected = if is_for_them { 400 } else { *status_if_not };
            if reply.status.as_u16() != expected {
                wrong.push(format!("{name} should get {expected}: {reply}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documented_routes_match_permission_table() {
    let rows: BTreeSet<_> = ROUTES
        .iter()
        .map(|(method, path, takes)| {
            let scope = match takes {
                Nothing => None,
                MaybeRead | Read => Some("read"),
                Trade => Some("trade"),
                Resolve => Some("resolve"),
                Manage => Some("manage"),
                Session => Some("session"),
                Admin => Some("admin"),
                AdminTrade => Some("admin_trade"),
                AdminSession => Some("admin_session"),
            };
            (
                method.to_lowercase(),
                (*path).to_owned(),
                scope.map(str::to_owned),
                *takes == MaybeRead,
            )
        })
        .collect();
    let documented: BTreeSet<_> = contract::operations()
        .filter_map(|(method, path, told)| {
            let ways = told["security"].as_array().cloned().unwrap_or_default();
            let scope = ways.iter().find_map(|way| way["bearer"][0].as_str()).map(str::to_owned);
            let is_open = ways.contains(&json!({}));
            Some((method.to_owned(), path.strip_prefix("/api/v1")?.to_owned(), scope, is_open))
        })
        .collect();
    assert_eq!(rows, documented);
}

#[actix_web::test]
async fn permission_error_states_missing_permission() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let reader = app.with_key(&ada, &["read"]).await;
    let said = async |call: crate::support::Call| {
        call.by(&reader).await.refused(403, "FORBIDDEN")["error"].clone()
    };
    assert_eq!(said(app.patch("/me")).await, "The API key lacks the scope `manage`");
    assert_eq!(said(app.post("/transfers")).await, "The API key lacks the scope `trade`");
    assert_eq!(said(app.get("/sessions")).await, "This takes a session, not an API key");
}
