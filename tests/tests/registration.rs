//! Attacks on registrations and invitations.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{Answer, Client, Database, PASSWORD, Server, on_each_database};
use futures::future::join_all;
use serde_json::{Value, json};

on_each_database!(
    email_address_gets_one_grant,
    invitation_is_used_once_by_parallel_registrations,
    closed_server_has_users_of_admins_only,
    other_domains_need_invitation,
);

async fn register(server: &Server, email: &str) -> Client {
    let user = json!({ "email": email, "name": "Eve", "password": PASSWORD });
    server.client().post("/users", user).await.data(201);
    server.client().log_in(email, PASSWORD).await
}

/// One address collected 12 grants in a second: register, pay the grant on, delete oneself, and
/// register again.
async fn email_address_gets_one_grant(database: Database) {
    let server = Server::start(database).await;
    let (admin, ben) = (server.admin().await, server.register("ben").await);
    let before = ben.balance().await;
    let spellings = [
        "eve@bücher.example",
        "EVE@BÜCHER.example",
        "Eve@xn--bcher-kva.example",
        "eve@bücher.example",
    ];
    for (round, email) in spellings.into_iter().enumerate() {
        let eve = register(&server, email).await;
        let grant = eve.balance().await;
        assert_eq!(grant, if round == 0 { 100_000 } else { 0 }, "{email}");
        if grant > 0 {
            eve.pay(&ben, "1000.00").await.data(201);
        }
        let path = format!("/users/{}", eve.user_id);
        eve.delete_with(&path, json!({ "password": PASSWORD })).await.expect(204);
    }
    assert_eq!(ben.balance().await - before, 100_000);
    assert_eq!(register(&server, "mallory@example.org").await.balance().await, 100_000);
    let stored = "SELECT COUNT(*) AS count FROM signup_grants WHERE length(email_hash) = 32";
    assert_eq!(server.home().count(stored), 4, "one for each address, erased or not");
    admin.check_audit().await;
}

/// Creates a user that the server may reject.
async fn sign_up(server: &Server, name: &str, invitation: Option<&Value>) -> Answer {
    let email = if name.contains('@') { name.to_owned() } else { format!("{name}@example.org") };
    let mut user = json!({ "email": email, "name": "Somebody", "password": PASSWORD });
    if let Some(code) = invitation {
        user["invitation"] = code.clone();
    }
    server.client().post("/users", user).await
}

async fn start(database: Database, mode: &str) -> Server {
    let settings = [
        ("FORETELL__ACCOUNTS__REGISTRATION", mode),
        ("FORETELL__ACCOUNTS__ALLOWED_DOMAINS", "Example.org, bücher.example"),
    ];
    Server::start_with(database, &settings).await
}

/// Registrations with one invitation at the same time: exactly as many succeed as it has uses.
async fn invitation_is_used_once_by_parallel_registrations(database: Database) {
    let server = start(database, "invite").await;
    let admin = server.admin().await;
    sign_up(&server, "eve", None).await.refused(403, "INVITATION_REQUIRED");
    for max_uses in [1, 3] {
        let body = json!({ "maxUses": max_uses, "grant": "7.00" });
        let invitation = admin.post("/invitations", body).await.data(201);
        let names: Vec<_> = (0..12).map(|number| format!("user{max_uses}-{number}")).collect();
        let attempts = names.iter().map(|name| sign_up(&server, name, Some(&invitation["code"])));
        let mut winners = 0;
        for answer in join_all(attempts).await {
            if answer.status == 201 {
                assert_eq!(answer.data(201)["account"]["balance"], "7.00");
                winners += 1;
            } else {
                answer.refused(403, "INVITATION_INVALID");
            }
        }
        assert_eq!(winners, max_uses);
        let listed = admin.get("/invitations?limit=1").await.data(200);
        assert_eq!(listed[0]["uses"], max_uses);
        assert!(listed[0].get("code").is_none(), "{listed:#}");
    }
    admin.check_audit().await;
}

/// A closed server takes no registrations, with or without an invitation; admins add users.
async fn closed_server_has_users_of_admins_only(database: Database) {
    let server = start(database, "closed").await;
    let admin = server.admin().await;
    let invitation = admin.post("/invitations", json!({})).await.data(201);
    for code in [None, Some(&invitation["code"])] {
        sign_up(&server, "eve", code).await.refused(403, "REGISTRATION_CLOSED");
    }
    let user = json!({ "email": "ada@example.org", "name": "Ada", "password": PASSWORD });
    admin.post("/admin/users", user.clone()).await.data(201);
    let ada = server.client().log_in("ada@example.org", PASSWORD).await;
    assert_eq!(ada.balance().await, 100_000);
    ada.post("/admin/users", user).await.refused(403, "FORBIDDEN");
    ada.post("/invitations", json!({ "role": "ADMIN" })).await.refused(403, "FORBIDDEN");
}

/// Only addresses of exactly these domains register without an invitation.
async fn other_domains_need_invitation(database: Database) {
    let server = start(database, "domains").await;
    let admin = server.admin().await;
    for email in ["ada@EXAMPLE.org", "ben@xn--bcher-kva.example"] {
        sign_up(&server, email, None).await.data(201);
    }
    for email in ["eve@example.com", "eve@sub.example.org", "eve@example.org.example.com"] {
        sign_up(&server, email, None).await.refused(403, "EMAIL_DOMAIN_NOT_ALLOWED");
    }
    let invitation = admin.post("/invitations", json!({})).await.data(201);
    sign_up(&server, "cleo@example.com", Some(&invitation["code"])).await.data(201);
}
