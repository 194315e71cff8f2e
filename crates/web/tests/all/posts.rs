//! Posts, comments and tags over HTTP.

mod comments;
mod drafts;
mod lists;
mod permissions;
mod preconditions;
mod selection;
mod walking;
mod writing;

use serde_json::{Value, json};

use crate::support::{Reply, TestApp, TestUser};

/// An id that nothing has.
const UNKNOWN: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// A good published post without tags.
fn published() -> Value {
    json!({ "title": "On rain", "content": "It may rain.", "published": true })
}

/// The same with one field changed.
fn published_with(field: &str, value: Value) -> Value {
    let mut body = published();
    body[field] = value;
    body
}

/// The path of a new post.
async fn write(app: &TestApp, author: &TestUser, body: &Value) -> String {
    path_of("/posts", &app.post("/posts").by(author).json(body).await.ok(201))
}

/// The path of a new comment on what is at this path.
async fn comment(app: &TestApp, author: &TestUser, path: &str, content: &str) -> String {
    let body = json!({ "content": content });
    let written = app.post(&format!("{path}/comments")).by(author).json(&body).await.ok(201);
    path_of("/comments", &written)
}

fn path_of(list: &str, row: &Value) -> String {
    format!("{list}/{}", id_of(row))
}

fn id_of(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

/// The ids of a list's rows.
fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(id_of).collect()
}

/// What is refused about something that is not there, or looks as if it were not.
#[track_caller]
fn check_missing(reply: &Reply, what: &str, path: &str) {
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(reply.refused(404, "NOT_FOUND")["error"], format!("{what} not found: {id}"));
}
