//! Tests of the API description: the checked-in file is current, and correct. Every test compares
//! responses with it (see `support::contract`).

mod examples;
mod limits;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use actix_web::http::Method;
use serde_json::Value;

use crate::support::{TestApp, contract};

#[test]
fn checked_in_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let is_same = fs::read_to_string(path).is_ok_and(|text| text == foretell_web::openapi_json());
    assert!(is_same, "docs/openapi.json is out of date: foretell openapi > docs/openapi.json");
}

#[test]
fn every_route_is_documented() {
    let documented: BTreeSet<_> = contract::operations()
        .map(|(_, path, _)| {
            path.strip_prefix("/api/v1").or(path.strip_prefix("/api/v2")).unwrap_or(path)
        })
        .collect();
    let sources = routed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes"));
    let routed: BTreeSet<_> =
        sources.iter().map(String::as_str).filter(|path| !path.starts_with("/docs")).collect();
    assert_eq!(routed, documented);
}

/// Returns the paths that the sources in a folder pass to `at`.
fn routed(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap());
    let paths = |source: String| -> Vec<_> {
        let calls = source.split("at(\"").skip(1);
        calls.map(|call| call.split('"').next().unwrap().to_owned()).collect()
    };
    sources.flat_map(paths).collect()
}

#[actix_web::test]
async fn paths_support_documented_methods() {
    let app = TestApp::start().await;
    let paths: BTreeSet<_> = contract::operations().map(|(_, path, _)| path).collect();
    for path in paths {
        let documented = contract::operations().filter(|(_, of, _)| *of == path);
        let mut documented: BTreeSet<_> =
            documented.map(|(method, ..)| method.to_uppercase()).collect();
        if documented.contains("GET") {
            // HTTP itself defines HEAD.
            documented.insert("HEAD".to_owned());
        }
        let reply = app.call(Method::PUT, &format!("/{}", path.replace("{id}", "1"))).await;
        reply.refused(405, "METHOD_NOT_ALLOWED");
        let served: BTreeSet<_> = reply.header("Allow").split(", ").map(str::to_owned).collect();
        assert_eq!(served, documented, "{path}");
    }
}

#[test]
fn versions_have_equal_operations_with_distinct_ids() {
    let of = |base: &str| -> BTreeSet<_> {
        contract::operations()
            .filter_map(|(method, path, _)| Some((method, path.strip_prefix(base)?)))
            .collect()
    };
    assert_eq!(of("/api/v1"), of("/api/v2"));
    let ids: BTreeSet<_> =
        contract::operations().map(|(.., told)| told["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), contract::operations().count());
}

#[test]
fn operations_have_descriptions_and_error_responses() {
    for (method, path, told) in contract::operations() {
        let text = |name: &str| told[name].as_str().unwrap_or_default().len();
        assert!(text("summary") > 5 && text("description") > text("summary"), "{method} {path}");
        let responses = told["responses"].as_object().unwrap();
        assert!(responses.contains_key("500") && responses.len() > 2, "{method} {path}");
        let resolve =
            |response: &'static Value| contract::resolved(response)["description"].as_str();
        assert!(responses.values().all(|response| resolve(response).is_some()), "{method} {path}");
    }
}

#[actix_web::test]
async fn document_is_served_with_entity_tag() {
    let app = TestApp::start().await;
    let reply = app.get("//openapi.json").await;
    assert_eq!(reply.status.as_u16(), 200, "{reply}");
    assert_eq!(reply.body, foretell_web::openapi_json().as_bytes());
    let again = app.get("//openapi.json").header("If-None-Match", reply.header("ETag")).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{again}");
}

#[actix_web::test]
async fn swagger_ui_reads_the_document() {
    let app = TestApp::start().await;
    let entered = app.get("//docs").await;
    assert_eq!((entered.status.as_u16(), entered.header("Location")), (308, "/docs/"));
    let page = app.get("//docs/").await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(page.header("Content-Type").starts_with("text/html"));
    assert!(page.header("Content-Security-Policy").starts_with("default-src 'self'"));
    let text = String::from_utf8(page.body).unwrap();
    let files = text.split(['"', '\'']).filter(|part| part.starts_with("./"));
    for file in files.map(|part| part.trim_start_matches("./")) {
        let reply = app.get(&format!("//docs/{file}")).await;
        assert_eq!(reply.status.as_u16(), 200, "{file}");
        assert_eq!(
            file == "swagger-initializer.js",
            String::from_utf8_lossy(&reply.body).contains("/openapi.json"),
            "{file}"
        );
        let tag = reply.header("ETag");
        let again = app.get(&format!("//docs/{file}")).header("If-None-Match", tag).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{file}");
    }
    let script = app.get("//docs/swagger-ui-bundle.js").await;
    assert_eq!(script.header("Content-Encoding"), "gzip");
    assert!(script.body.starts_with(&[0x1f, 0x8b]), "the file is compressed as its header says");
    app.get("//docs/none.js").await.refused(404, "NOT_FOUND");
}
