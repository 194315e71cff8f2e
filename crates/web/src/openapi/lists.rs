//! Pagination of lists, in which the versions differ.

use foretell_application::SearchStep;
use foretell_ports::page::MAX_PAGE_ROWS;
use serde_json::{Value, json};

use crate::routing::ApiVersion;

fn is_by_page(base: &str) -> bool {
    base == ApiVersion::V1.base()
}

/// Returns the pagination parameters of this version.
pub(super) fn parameters(base: &str) -> [Value; 2] {
    let limit = json!({
        "name": "limit",
        "in": "query",
        "description": "How many rows to show at most.",
        "schema": { "type": "integer", "minimum": 1, "maximum": MAX_PAGE_ROWS, "default": 10 },
    });
    let start = if is_by_page(base) {
        json!({
            "name": "page",
            "in": "query",
            "description": "Which page of the list to show.",
            "schema": { "type": "integer", "minimum": 1, "maximum": u32::MAX, "default": 1 },
        })
    } else {
        json!({
            "name": "cursor",
            "in": "query",
            "description": "Where the list goes on: `meta.page.next` of the answer before, to the \
             same path and filters.",
            "schema": { "type": "string" },
        })
    };
    [start, limit]
}

/// Adds the search method, which searches return.
pub(super) fn add_method(meta: &mut Value) {
    if let Some(required) = meta["required"].as_array_mut() {
        required.push("method".into());
    }
    meta["properties"]["method"] = json!({
        "type": "string",
        "description": "How the hits were found.",
        "enum": SearchStep::ALL.map(SearchStep::as_str),
    });
}

/// Returns the schema of a list's metadata in this version.
pub(super) fn meta(base: &str) -> Value {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": MAX_PAGE_ROWS });
    let count = |minimum: u8| json!({ "type": "integer", "minimum": minimum });
    let (name, fields, required) = if is_by_page(base) {
        let fields = json!({ "page": count(1), "limit": limit, "total": count(0) });
        ("pagination", fields, json!(["page", "limit", "total"]))
    } else {
        let next = json!({
            "type": ["string", "null"],
            "description": "The cursor of what follows; `null` at the end.",
        });
        ("page", json!({ "next": next, "limit": limit }), json!(["next", "limit"]))
    };
    let part = json!({ "type": "object", "required": required, "properties": fields });
    json!({ "type": "object", "required": [name], "properties": { name: part } })
}
