//! Tests of spellings: look-alikes and keyboard variants are one address, one password and one
//! name.

use serde_json::{Value, json};

use crate::support::TestApp;

fn registration(field: &str, value: impl Into<Value>) -> Value {
    let mut body =
        json!({ "email": "ada@example.org", "name": "Ada", "password": "correct horse" });
    body[field] = value.into();
    body
}

#[actix_web::test]
async fn equivalent_addresses_are_one_account() {
    let app = TestApp::start().await;
    let user = app.post("/users").json(&registration("email", "Ada@Bücher.Example")).await.ok(201);
    assert_eq!(user["email"], "ada@xn--bcher-kva.example");
    for email in ["ADA@bu\u{308}cher.example", "ada@XN--BCHER-KVA.example", "ada@bücher。example"]
    {
        app.post("/users").json(&registration("email", email)).await.refused(409, "DUPLICATE");
        let session = json!({ "email": email, "password": "correct horse" });
        app.post("/sessions").json(&session).await.ok(201);
    }
}

#[actix_web::test]
async fn undeliverable_addresses_are_rejected() {
    let app = TestApp::start().await;
    for email in [
        "a@b@c.org",
        "mailto:a@x",
        "a@x..org",
        ".a@x",
        "a@-",
        "é@x.org",
        "a@localhost",
        "a@1.2.3.4",
    ] {
        let errors = app.post("/users").json(&registration("email", email)).await.errors();
        assert_eq!(errors, ["email: format"], "{email}");
    }
    let grown = format!("{}@x.org", "İ".repeat(120));
    let errors = app.post("/users").json(&registration("email", grown)).await.errors();
    assert_eq!(errors, ["email: format"]);
    let admin = app.admin().await;
    assert_eq!(app.get("/users").by(&admin).await.ok(200).as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn equivalent_passwords_are_one_password() {
    let app = TestApp::start().await;
    app.post("/users").json(&registration("password", "Café au lait １２")).await.ok(201);
    let log_in = |password: &str| json!({ "email": "ada@example.org", "password": password });
    let typed = "Cafe\u{301} au lait 12";
    let token = app.post("/sessions").json(&log_in(typed)).await.ok(201)["token"].clone();
    app.post("/sessions").json(&log_in("Cafe au lait 12")).await.refused(401, "UNAUTHORIZED");
    let change = json!({ "currentPassword": typed, "newPassword": "Smo\u{308}rgåsbord" });
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    app.post("/me/password").header("Authorization", &bearer).json(&change).await.ok(200);
    app.post("/sessions").json(&log_in("Smörgåsbord")).await.ok(201);
}

#[actix_web::test]
async fn common_passwords_are_rejected() {
    let app = TestApp::start().await;
    for password in ["password", "PassWord", "ｐａｓｓｗｏｒｄ", "12345678", "iloveyou"] {
        let errors = app.post("/users").json(&registration("password", password)).await.errors();
        assert_eq!(errors, ["password: invalid"], "{password}");
    }
    let ada = app.user("ada").await;
    let change = json!({ "currentPassword": "correct horse", "newPassword": "Qwertyuiop" });
    let errors = app.post("/me/password").by(&ada).json(&change).await.errors();
    assert_eq!(errors, ["newPassword: invalid"]);
}

#[actix_web::test]
async fn deceptive_names_and_avatars_are_rejected() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let check = async |field: &str, value: &str, code: &str| {
        for reply in [
            app.post("/users").json(&registration(field, value)).await,
            app.patch("/me").by(&ada).json(&json!({ field: value })).await,
        ] {
            assert_eq!(reply.errors(), [format!("{field}: {code}")], "{value:?}");
        }
    };
    for name in ["Deleted user", "deleted  USER", "Dеleted user", "Deleted-user"] {
        check("name", name, "invalid").await;
    }
    for name in ["\u{200B}\u{200B}", "Ada\nAdmin", "Ada\u{202E}nimdA", "\u{301}"] {
        check("name", name, "format").await;
    }
    for avatar in
        ["https://x\"onerror=alert(1)", "https://ada@x.org/", "//x.org", "https://x.org/'a"]
    {
        check("avatar", avatar, "format").await;
    }
}
