//! Tests of profiles: changes of the own one, and the visible fields of others.

use foretell_domain::id::UserId;
use serde_json::{Value, json};

use crate::support::TestApp;

#[actix_web::test]
async fn own_profile_changes_given_fields() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let change = async |body: Value| {
        let changed = app.patch("/me").by(&ada).json(&body).await.ok(200);
        assert_eq!(app.get("/me").by(&ada).await.ok(200), changed, "{body}");
        (changed["name"].clone(), changed["avatar"].clone())
    };
    let picture = "https://example.com/a.png";
    assert_eq!(change(json!({})).await, (json!("ada"), json!(null)));
    assert_eq!(change(json!({ "name": "Ada" })).await, (json!("Ada"), json!(null)));
    assert_eq!(change(json!({ "avatar": picture })).await, (json!("Ada"), json!(picture)));
    assert_eq!(change(json!({ "name": "Ada L." })).await, (json!("Ada L."), json!(picture)));
    assert_eq!(change(json!({ "avatar": null })).await, (json!("Ada L."), json!(null)));
}

#[actix_web::test]
async fn invalid_profile_gets_all_errors() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let check = async |body, expected: &[&str]| {
        assert_eq!(app.patch("/me").by(&ada).json(&body).await.errors(), expected, "{body}");
    };
    check(json!({ "name": null, "avatar": "javascript:x" }), &["avatar: format", "name: required"])
        .await;
    check(
        json!({ "name": " ", "email": "x@y", "role": "ADMIN" }),
        &["email: unknown_field", "name: format", "role: unknown_field"],
    )
    .await;
    check(json!({ "name": "n".repeat(51), "avatar": 5 }), &["avatar: type", "name: length"]).await;
    let long = format!("https://{}", "x".repeat(500));
    check(json!({ "avatar": long }), &["avatar: length"]).await;
    assert_eq!(app.get("/me").by(&ada).await.ok(200)["name"], "ada");
}

#[actix_web::test]
async fn email_and_status_are_private() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let (moderator, admin) = (app.moderator().await, app.admin().await);
    let public = json!({
        "id": ada.id.to_string(), "name": "ada", "avatar": null, "role": "USER",
        "createdAt": "2026-01-01T12:00:00Z", "updatedAt": "2026-01-01T12:00:00Z",
    });
    let mut private = public.clone();
    (private["email"], private["status"]) = (json!(ada.email), json!("active"));
    let path = format!("/users/{}", ada.id);
    for (viewer, expected) in
        [(&bob, public), (&ada, private.clone()), (&moderator, private.clone()), (&admin, private)]
    {
        assert_eq!(app.get(&path).by(viewer).await.ok(200), expected);
        let listed = app.get("/users").by(viewer).await.ok(200);
        assert_eq!(listed[3], expected, "the oldest comes last");
    }
    let unknown = UserId::from_u128(7);
    let refused = app.get(&format!("/users/{unknown}")).by(&ada).await.refused(404, "NOT_FOUND");
    assert_eq!(refused["error"], format!("User not found: {unknown}"));
    assert_eq!(app.get("/users/me").by(&ada).await.errors(), ["id: format"]);
}

#[actix_web::test]
async fn profile_change_moves_updated_at() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    let path = format!("/users/{}", ada.id);
    let updated =
        async || app.get(&path).by(&ada).await.ok(200)["updatedAt"].as_str().unwrap().to_owned();
    app.clock.advance_seconds(60);
    app.patch("/me").by(&ada).json(&json!({ "name": "ada" })).await.ok(200);
    assert_eq!(updated().await, "2026-01-01T12:00:00Z", "nothing has changed");
    let changed = app.patch("/me").by(&ada).json(&json!({ "name": "Ada" })).await.ok(200);
    assert_eq!(
        (&changed["updatedAt"], updated().await.as_str()),
        (&json!("2026-01-01T12:01:00Z"), "2026-01-01T12:01:00Z")
    );
    app.clock.advance_seconds(60);
    app.patch(&path).by(&admin).json(&json!({ "role": "MODERATOR" })).await.ok(200);
    assert_eq!(updated().await, "2026-01-01T12:02:00Z");
}

#[actix_web::test]
async fn listed_users_have_posts_and_selected_fields() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    for title in ["first", "second"] {
        let post = json!({ "title": title, "content": "c", "published": true });
        app.post("/posts").by(&ada).json(&post).await.ok(201);
    }
    app.post("/posts").by(&ada).json(&json!({ "title": "draft", "content": "c" })).await.ok(201);
    let plain = app.get("/users").by(&ben).await.ok(200);
    assert!(plain[0].get("posts").is_none(), "{plain}");
    let rows = app.get("/users?expand=posts").by(&ben).await.ok(200);
    let titles = |row: &Value| {
        row["posts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|post| post["title"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (titles(&rows[0]), titles(&rows[1])),
        (vec![], vec![json!("second"), json!("first")])
    );
    let rows = app.get("/users?fields=name,posts&expand=posts").by(&ben).await.ok(200);
    assert_eq!(rows[0], json!({ "name": "ben", "posts": [] }));
    let rows = app.get("/users?fields=email,id").by(&ben).await.ok(200);
    assert_eq!(rows[1], json!({ "id": ada.id.to_string() }), "the email address is not for others");
    for wrong in ["expand=bets", "fields=password", "fields="] {
        app.get(&format!("/users?{wrong}")).by(&ben).await.refused(400, "VALIDATION_ERROR");
    }
}

#[actix_web::test]
async fn users_are_paged_newest_first() {
    let app = TestApp::start().await;
    let mut names = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        app.user(name).await;
        names.insert(0, name);
    }
    let viewer = app.user("viewer").await;
    names.insert(0, "viewer");
    let page = async |page: usize| {
        let reply = app.get(&format!("/users?page={page}&limit=4")).by(&viewer).await;
        let pagination = reply.json()["meta"]["pagination"].clone();
        assert_eq!(pagination, json!({ "page": page, "limit": 4, "total": 6 }));
        let rows = reply.ok(200);
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(page(1).await, names[..4]);
    assert_eq!(page(2).await, names[4..]);
    assert_eq!(page(3).await, [""; 0]);
    assert_eq!(
        app.get("/users?limit=0&sort=x").by(&viewer).await.errors(),
        ["limit: range", "sort: unknown_field"]
    );
}

#[actix_web::test]
async fn own_sessions_are_listed_with_current_marked() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    app.clock.advance_seconds(3_600);
    let second = app.signed_in_again(&ada).await;
    let seen = async |by| {
        let reply = app.get("/sessions").by(by).await;
        let total = reply.json()["meta"]["pagination"]["total"].clone();
        let rows = reply.ok(200);
        let marks: Vec<_> =
            rows.as_array().unwrap().iter().map(|row| row["isCurrent"].clone()).collect();
        (total, marks, rows)
    };
    let (total, marks, rows) = seen(&ada).await;
    assert_eq!((total, marks), (json!(2), vec![json!(false), json!(true)]));
    let first_row = json!({
        "id": rows[0]["id"], "isCurrent": false,
        "createdAt": "2026-01-01T13:00:00Z", "expiresAt": "2026-01-02T13:00:00Z",
    });
    assert_eq!(rows[0], first_row);
    assert_eq!(seen(&second).await.1, [json!(true), json!(false)]);
    assert_eq!(seen(&bob).await.1, [json!(true)]);
    // An expired session is not listed.
    app.clock.advance_seconds(86_400 - 3_600);
    assert_eq!(seen(&second).await.1, [json!(true)]);
}
