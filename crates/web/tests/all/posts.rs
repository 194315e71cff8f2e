//! Tests of posts, comments and tags over HTTP.

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

/// An id that does not exist.
const UNKNOWN: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// Returns a valid published post without tags.
fn published() -> Value {
    json!({ "title": "On rain", "content": "It may rain.", "published": true })
}

/// Returns the same with one field changed.
fn published_with(field: &str, value: Value) -> Value {
    let mut body = published();
    body[field] = value;
    body
}

/// Creates a post and returns its path.
async fn write(app: &TestApp, author: &TestUser, body: &Value) -> String {
    path_of("/posts", &app.post("/posts").by(author).json(body).await.ok(201))
}

/// Creates a comment on the subject at this path, and returns its path.
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

/// Returns the ids of a list's rows.
fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(id_of).collect()
}

/// Checks the error for a resource that does not exist or may not be seen.
#[track_caller]
fn check_missing(reply: &Reply, what: &str, path: &str) {
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(reply.refused(404, "NOT_FOUND")["error"], format!("{what} not found: {id}"));
}
