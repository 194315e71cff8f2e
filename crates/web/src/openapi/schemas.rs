//! Schemas of the document that do not correspond to a single type.

use serde_json::{Map, Value, json};

use crate::error::ErrorCode;
use crate::validation::FieldError;
use utoipa::PartialSchema as _;

/// Suffixes of the names of request types.
const OF_BODY: [&str; 4] = ["Body", "NewPost", "NewComment", "NoFields"];

/// Forbids additional properties in requests, as the server does.
pub(super) fn close_bodies(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas.iter_mut() {
        if OF_BODY.iter().any(|ending| name.ends_with(ending)) {
            schema["additionalProperties"] = false.into();
        }
    }
}

/// Returns the schema of objects with optional fields, in place of the complete ones.
pub(super) fn selected(data: &Value, schemas: &mut Map<String, Value>) -> Value {
    if let Some(items) = data.get("items") {
        return json!({ "type": "array", "items": selected(items, schemas) });
    }
    let name = data["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next())
        .unwrap_or_default();
    let partial = format!("Selected{name}");
    if let Some(whole) = schemas.get(name).cloned() {
        let mut whole = without_required(whole, schemas);
        whole["description"] =
            format!("The fields of a {name} that `fields` names, or all.").into();
        schemas.insert(partial.clone(), whole);
    }
    json!({ "$ref": format!("#/components/schemas/{partial}") })
}

/// Returns the object with no field required, neither its own nor those of the objects it is
/// composed of.
fn without_required(mut schema: Value, schemas: &mut Map<String, Value>) -> Value {
    if schema.get("$ref").is_some() {
        return selected(&schema, schemas);
    }
    if let Some(Value::Array(parts)) = schema.get_mut("allOf") {
        for part in parts {
            *part = without_required(part.take(), schemas);
        }
    }
    if let Some(object) = schema.as_object_mut() {
        object.remove("required");
    }
    schema
}

/// Returns the schemas of the two forms of an error, and of validation errors.
pub(super) fn of_failures() -> Map<String, Value> {
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let code = json!({ "type": "string", "enum": codes });
    let request_id = json!({ "type": "string" });
    let text = json!({ "type": "string" });
    let details = json!({
        "description": "The errors of a request; the facts of a refusal, such as what is \
         `available` and `needed`.",
        "anyOf": [
            { "type": "array", "items": { "$ref": "#/components/schemas/FieldError" } },
            { "type": "object" },
        ],
    });
    let failure = json!({
        "type": "object",
        "description": "A failure in the envelope.",
        "required": ["success", "error", "code", "requestId"],
        "properties": {
            "success": { "type": "boolean", "const": false },
            "error": text,
            "code": code,
            "details": details,
            "requestId": request_id,
        },
    });
    let problem = json!({
        "type": "object",
        "description": "A failure as in RFC 9457.",
        "required": ["type", "title", "status", "detail", "code", "requestId"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": text,
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": text,
            "code": code,
            "requestId": request_id,
            "errors": details,
        },
    });
    let error = json!(FieldError::schema());
    [("Failure", failure), ("Problem", problem), ("FieldError", error)]
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}
