//! Tests of the limits in the document: values within them are accepted, others rejected.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, contract};

#[actix_web::test]
async fn documented_lengths_are_enforced() {
    let app = TestApp::start_with_bodies_of(1 << 20).await;
    let admin = app.admin().await;
    let mut tried = 0;
    for (method, path, told) in contract::operations() {
        let Some(body) = told["requestBody"]["content"]["application/json"].get("schema") else {
            continue;
        };
        let Some(below) = path.strip_prefix("/api/v1") else { continue };
        let fields = contract::resolved(body)["properties"].as_object();
        for (name, schema) in fields.into_iter().flatten() {
            for (length, is_error) in lengths(schema) {
                let value = value_of(name, schema, length);
                let method: Method = method.to_uppercase().parse().unwrap();
                let path = below.replace("{id}", "019a0000-0000-7000-8000-000000000001");
                // With an error that is always present, so that nothing is executed.
                let call = app.call(method, &(path + "?odd=1")).by(&admin).key("k");
                let errors = call.json(&json!({ name: value })).await.errors();
                let is_found = errors.contains(&format!("{name}: length"));
                assert_eq!(is_found, is_error, "{below}: {name} of {length}: {errors:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried} lengths");
}

/// Returns lengths at the limits, and `true` for those beyond.
fn lengths(schema: &Value) -> Vec<(usize, bool)> {
    let limit = |name: &str| schema[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let least = limit("minLength").or_else(|| limit("minItems"));
    let most = limit("maxLength").or_else(|| limit("maxItems"));
    // A text that is too short for an email address is not one, and an empty text is absent.
    let least = least.filter(|least| *least != 3 || schema["maxLength"] != 254);
    let mut lengths = Vec::new();
    lengths.extend(least.into_iter().flat_map(|least| [(least, false), (least - 1, true)]));
    lengths.extend(most.into_iter().flat_map(|most| [(most, false), (most + 1, true)]));
    lengths
}

fn value_of(name: &str, schema: &'static Value, length: usize) -> Value {
    if let Some(items) = schema.get("items") {
        // Valid items if there is an example: the errors of a thousand others would hide the error
        // of their number.
        let example = contract::resolved(items).get("example").cloned();
        return vec![example.unwrap_or_else(|| json!({})); length].into();
    }
    let start = if ["avatar", "url"].contains(&name) { "https://example.org/" } else { "" };
    format!("{start}{}", "x".repeat(length.saturating_sub(start.len()))).into()
}
