//! The API description for programs, as `OpenAPI` 3.1.
//!
//! Each handler describes itself (`#[utoipa::path]`, which lists its error codes, and its doc
//! comment); everything that follows from the rules of this API (the envelope, the versions, the
//! usual errors) is added here.

#![expect(
    clippy::indexing_slicing,
    reason = "what is indexed is JSON that depends on the code alone, and every test of the \
        document builds all of it"
)]

mod completion;
mod failures;
mod headers;
mod lists;
pub(crate) mod names;
mod operation;
mod schemas;
mod values;

use std::sync::LazyLock;

use actix_web::http::header::EntityTag;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use self::failures::Failures;
use self::operation::Operation;
use crate::routes;
use crate::routing::ApiVersion;

/// The document, built once.
#[derive(Debug)]
pub(crate) struct Document {
    /// The JSON text.
    pub(crate) text: String,
    /// Entity tag, which differs between versions of the server.
    pub(crate) tag: EntityTag,
}

/// Returns the document of this server.
pub(crate) fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
        let mut text = format!("{:#}", whole());
        text.push('\n');
        let digest = Sha256::digest(&text);
        let tag = URL_SAFE_NO_PAD.encode(digest);
        Document { text, tag: EntityTag::new_strong(tag) }
    });
    &DOCUMENT
}

/// Returns the document that `GET /openapi.json` returns.
pub fn openapi_json() -> &'static str {
    &document().text
}

/// A document under construction.
#[derive(Debug, Default)]
struct Draft {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    failures: Failures,
}

fn whole() -> Value {
    let mut draft = Draft::default();
    let [server, versioned] = routes::documented().map(|part| json!(part));
    draft.add(&server, "", "");
    for (version, suffix) in ApiVersion::ALL.into_iter().zip(["", "V2"]) {
        draft.add(&versioned, version.base(), suffix);
    }
    draft.schemas.extend(schemas::of_failures());
    schemas::close_bodies(&mut draft.schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Foretell",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": draft.paths,
        "components": {
            "schemas": draft.schemas,
            "responses": draft.failures.into_responses(),
            "headers": headers::all(),
            "securitySchemes": security_schemes(),
        },
    })
}

const DESCRIPTION: &str = "A prediction market to run yourself. Version 2 divides lists by \
    cursors, version 1 by pages. Every error has a code, see docs/errors.md; with `Accept: \
    application/problem+json` errors have the form of RFC 9457.";

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of a session, which may do everything its user may, or the \
             secret of an API key, which may do what its scopes name.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": crate::extract::SESSION_COOKIE,
            "description": "The token of a session, as a browser keeps it.",
        },
    })
}

impl Draft {
    /// Adds the operations of `part` below `base`, with `suffix` appended to their ids.
    fn add(&mut self, part: &Value, base: &str, suffix: &str) {
        if let Some(Value::Object(schemas)) = part.pointer("/components/schemas") {
            self.schemas.extend(schemas.clone());
        }
        let Some(Value::Object(paths)) = part.get("paths") else { return };
        for (path, methods) in paths {
            let Value::Object(methods) = methods else { continue };
            for (method, said) in methods {
                for (path, said) in with_copies(path, said) {
                    let mut operation = Operation::new(&path, method, said);
                    operation.complete(base, suffix, &mut self.schemas, &mut self.failures);
                    let methods =
                        self.paths.entry(format!("{base}{path}")).or_insert_with(|| json!({}));
                    if let Value::Object(methods) = methods {
                        methods.insert(method.clone(), operation.into_value());
                    }
                }
            }
        }
    }
}

/// Returns the operation, and the copy for comments on a market of one for comments on a post: one
/// handler serves both.
fn with_copies(path: &str, said: &Value) -> Vec<(String, Value)> {
    let mut all = vec![(path.to_owned(), said.clone())];
    if path == "/posts/{id}/comments" {
        let mut copy = said.clone();
        let id = said["operationId"].as_str().unwrap_or_default().replace("Post", "Market");
        copy["operationId"] = id.into();
        all.push(("/markets/{id}/comments".to_owned(), copy));
    }
    all
}
