//! Tests of cursors through many posts while others create and delete.

use std::collections::{BTreeMap, BTreeSet};

use super::{id_of, ids, published, write};
use crate::support::{TestApp, TestUser};

const POSTS: usize = 10_000;
const STEP: usize = 100;

/// Deletes the post with this id and records it.
async fn delete(app: &TestApp, author: &TestUser, id: &str, gone: &mut BTreeSet<String>) {
    if gone.insert(id.to_owned()) {
        let reply = app.delete(&format!("/posts/{id}")).by(author).await;
        assert_eq!(reply.status.as_u16(), 204, "{reply}");
    }
}

#[actix_web::test]
async fn remaining_posts_are_listed_exactly_once() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let mut written = Vec::new();
    for _ in 0..POSTS {
        let reply = app.post("/posts").by(&ada).json(&published()).await;
        written.push(id_of(&reply.ok(201)).to_owned());
    }
    let (mut gone, mut seen) = (BTreeSet::new(), BTreeMap::new());
    let mut path = format!("//api/v2/posts?limit={STEP}");
    for step in 1.. {
        let reply = app.get(&path).await;
        let page = reply.ok(200);
        for id in ids(&page) {
            *seen.entry(id.to_owned()).or_insert(0) += 1;
        }
        let Some(next) = reply.json()["meta"]["page"]["next"].as_str().map(str::to_owned) else {
            break;
        };
        // One that was seen and is the position of the cursor, an earlier one, and a later one.
        let at = |back: usize| written[POSTS.saturating_sub(back).min(POSTS - 1)].clone();
        let last = ids(&page).last().map(|id| (*id).to_owned()).unwrap();
        for id in [last, at(step * STEP / 2), at(step * STEP + 150)] {
            delete(&app, &ada, &id, &mut gone).await;
        }
        write(&app, &ada, &published()).await;
        path = format!("//api/v2/posts?limit={STEP}&cursor={next}");
    }
    assert!(gone.len() > 200, "{}", gone.len());
    assert!(seen.values().all(|times| *times == 1), "nothing is seen twice");
    let missed: Vec<_> =
        written.iter().filter(|id| !seen.contains_key(*id) && !gone.contains(*id)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
