//! Tests of background work for admins: jobs and webhooks.

use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

const URL: &str = "https://example.org/hook";

async fn create(app: &TestApp, admin: &TestUser) -> Value {
    let body = json!({ "url": URL, "events": ["market.trade", "market.status"] });
    app.post("/webhooks").by(admin).json(&body).await.ok(201)
}

fn path(thing: &Value, rest: &str) -> String {
    format!("/webhooks/{}{rest}", thing["id"].as_str().unwrap())
}

#[actix_web::test]
async fn webhook_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = create(&app, &admin).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 6 + 44, "{secret}");
    let shown = app.get(&path(&made, "")).by(&admin).await.ok(200);
    assert_eq!(shown["secret"], Value::Null);
    assert_eq!((&shown["url"], &shown["status"]), (&json!(URL), &json!("enabled")));
    assert_eq!(app.get("/webhooks").by(&admin).await.ok(200), json!([shown]));

    let change = json!({ "events": ["market.status"], "status": "disabled" });
    let changed = app.patch(&path(&made, "")).by(&admin).json(&change).await.ok(200);
    assert_eq!(
        (&changed["events"], &changed["status"]),
        (&json!(["market.status"]), &json!("disabled"))
    );
    assert_eq!(changed["url"], shown["url"]);

    let rotated = app.post(&path(&made, "/secret")).by(&admin).await.ok(200);
    assert_ne!(rotated["secret"], made["secret"]);
    let tested = app.post(&path(&made, "/test")).by(&admin).await.ok(200);
    assert_eq!(tested, json!({ "isDelivered": true, "failure": null }));

    assert_eq!(app.delete(&path(&made, "")).by(&admin).await.status.as_u16(), 204);
    for call in [
        app.get(&path(&made, "")),
        app.delete(&path(&made, "")),
        app.post(&path(&made, "/secret")),
        app.post(&path(&made, "/test")),
        app.patch(&path(&made, "")).json(&change),
    ] {
        call.by(&admin).await.refused(404, "NOT_FOUND");
    }
}

#[actix_web::test]
async fn invalid_webhook_gets_all_errors() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = create(&app, &admin).await;
    for (body, fields) in [
        (json!({}), vec!["url", "events"]),
        (json!({ "url": "example.org", "events": [] }), vec!["url", "events"]),
        (json!({ "url": "http://example.org/", "events": ["market.trade"] }), vec!["url"]),
        (json!({ "url": URL, "events": ["market.trade", "market.trade"] }), vec!["events[1]"]),
        (json!({ "url": URL, "events": ["market.open"] }), vec!["events[0]"]),
    ] {
        let errors = app.post("/webhooks").by(&admin).json(&body).await.errors();
        let mut found: Vec<_> =
            errors.iter().map(|error| error.split(':').next().unwrap()).collect();
        found.sort_unstable();
        let mut fields = fields;
        fields.sort_unstable();
        assert_eq!(found, fields, "{body}");
    }
    for body in [json!({ "status": "off" }), json!({ "events": [] }), json!({ "url": "" })] {
        app.patch(&path(&made, "")).by(&admin).json(&body).await.errors();
    }
    assert_eq!(app.get("/webhooks").by(&admin).await.ok(200).as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn market_keeps_one_closing_job_until_it_is_deleted() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let market = json!({
        "name": "Will it rain?", "description": "As measured at noon.", "category": "sports",
        "endDate": "2026-01-02T00:00:00Z", "options": [{ "name": "Yes" }, { "name": "No" }],
        "subsidy": "10",
    });
    let market = app.post("/markets").by(&admin).key("m").json(&market).await.ok(201);
    let path = format!("/markets/{}", market["id"].as_str().unwrap());
    for minute in 0..50 {
        let body = json!({ "endDate": format!("2026-01-03T00:{minute:02}:00Z") });
        app.patch(&path).by(&admin).json(&body).await.ok(200);
    }
    let jobs = app.get("/admin/jobs?kind=close_market").by(&admin).await.ok(200);
    assert_eq!(jobs.as_array().unwrap().len(), 1, "{jobs}");
    assert_eq!(jobs[0]["dueAt"], "2026-01-03T00:49:00Z");
    assert_eq!(app.delete(&path).by(&admin).await.status.as_u16(), 204);
    assert_eq!(app.get("/admin/jobs?kind=close_market").by(&admin).await.ok(200), json!([]));
}

#[actix_web::test]
async fn jobs_are_listed_retried_and_discarded() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let market = json!({
        "name": "Will it rain?", "description": "As measured at noon.", "category": "sports",
        "endDate": "2026-01-02T00:00:00Z", "options": [{ "name": "Yes" }, { "name": "No" }],
        "subsidy": "10",
    });
    let market = app.post("/markets").by(&admin).key("m").json(&market).await.ok(201);
    let listed = app.get("/admin/jobs?kind=close_market&state=waiting").by(&admin).await.ok(200);
    let jobs = listed.as_array().unwrap();
    assert_eq!(jobs.len(), 1, "{listed}");
    assert_eq!((&jobs[0]["marketId"], &jobs[0]["dueAt"]), (&market["id"], &market["endDate"]));
    assert_eq!(app.get("/admin/jobs?state=dead").by(&admin).await.ok(200), json!([]));
    app.get("/admin/jobs?state=asleep&kind=nap").by(&admin).await.errors();

    let job = format!("/admin/jobs/{}", jobs[0]["id"].as_str().unwrap());
    let retried = app.post(&format!("{job}/retry")).by(&admin).await.ok(200);
    assert_eq!((&retried["state"], &retried["failures"]), (&json!("waiting"), &json!(0)));
    assert_eq!(app.delete(&job).by(&admin).await.status.as_u16(), 204);
    app.delete(&job).by(&admin).await.refused(404, "NOT_FOUND");
    app.post(&format!("{job}/retry")).by(&admin).await.refused(404, "NOT_FOUND");
}
