//! Completion of an operation by the rules of this API.

use serde_json::{Map, Value, json};

use super::failures::{self, Failures};
use super::headers::{RATE_LIMIT_HEADERS, header_references};
use super::operation::Operation;
use super::{lists, schemas};

impl Operation {
    /// Adds everything that follows from the rules of this API.
    pub(super) fn complete(
        &mut self,
        base: &str,
        suffix: &str,
        schemas: &mut Map<String, Value>,
        failures: &mut Failures,
    ) {
        self.describe(suffix);
        self.add_parameters(base);
        self.wrap_answer(base, schemas);
        for (status, response) in failures::of(self, base) {
            let reference = failures.reference(&response);
            self.told["responses"][status] = reference;
        }
        if let Some(told) = self.told.as_object_mut() {
            told.remove(failures::LISTED);
        }
    }

    fn describe(&mut self, suffix: &str) {
        let said = self.doc.as_str();
        let summary = said.split_once(". ").map_or(said, |(first, _)| first).trim_end_matches('.');
        let who = match self.needs() {
            None => "For anyone.",
            Some("session") => "For sessions; API keys are refused.",
            Some("admin") => "For admins, by a session or an API key of the scope `manage`.",
            Some("admin_trade") => "For admins, by a session or an API key of the scope `trade`.",
            Some("admin_session") => "For admins, by a session; API keys are refused.",
            Some("trade") => "For sessions, and API keys of the scope `trade`.",
            Some("resolve") => {
                "For sessions, and API keys of the scope `trade` or `resolve`, with which it is \
                 always a proposal."
            }
            Some("manage") => "For sessions, and API keys of the scope `manage`.",
            Some(_) if self.is_open() => {
                "For anyone; what depends on the caller, for sessions and API keys of the scope \
                 `read`."
            }
            Some(_) => "For sessions, and API keys of the scope `read`.",
        };
        let (summary, description) = (summary.to_owned(), format!("{said} {who}"));
        let id = format!("{}{suffix}", self.told["operationId"].as_str().unwrap_or_default());
        self.told["summary"] = summary.into();
        self.told["description"] = description.into();
        self.told["operationId"] = id.into();
    }

    fn add_parameters(&mut self, base: &str) {
        let is_list = self.is_list();
        let mut all: Vec<_> = self.parameters().iter().map(known_parameter).collect();
        if is_list {
            all.extend(lists::parameters(base));
        }
        if self.path.contains("{id}") {
            let id = json!({ "$ref": "#/components/schemas/Id" });
            let schema = match self.path.as_str() {
                "/sessions/{id}" => json!({ "anyOf": [id, { "const": "current" }] }),
                _ => id,
            };
            all.push(json!({ "name": "id", "in": "path", "required": true, "schema": schema }));
        }
        if !all.is_empty() {
            self.told["parameters"] = all.into();
        }
    }

    /// Wraps the data of a success in the envelope, and adds the response headers.
    fn wrap_answer(&mut self, base: &str, components: &mut Map<String, Value>) {
        let (is_list, selects) = (self.is_list(), self.takes("fields"));
        let searches = self.path.ends_with("/search");
        let has_tag = self.takes("If-None-Match") || self.takes("If-Match");
        let replays = self.takes("Idempotency-Key");
        let limits = RATE_LIMIT_HEADERS.iter().filter(|_| !base.is_empty());
        let Some(Value::Object(responses)) = self.told.get_mut("responses") else { return };
        for (status, response) in responses.iter_mut() {
            let data = response.pointer_mut("/content/application~1json/schema");
            if let Some(schema) = data {
                let data =
                    if selects { schemas::selected(schema, components) } else { schema.take() };
                let mut meta = is_list.then(|| lists::meta(base));
                if let Some(meta) = meta.as_mut().filter(|_| searches) {
                    lists::add_method(meta);
                }
                *schema = envelope(&data, meta);
            }
            if let Some(stream) = response.pointer_mut("/content/text~1event-stream") {
                // OpenAPI 3.1 cannot describe the events of a stream; docs/api.md does.
                *stream = json!({});
            }
            let mut named = vec!["X-Request-Id"];
            named.extend(limits.clone());
            named.extend((status == "201").then_some("Location"));
            named.extend(has_tag.then_some("ETag"));
            named.extend(replays.then_some("Idempotency-Replayed"));
            response["headers"] = header_references(&named);
        }
        if self.path == "/openapi.json" {
            let content = json!({ "application/json": { "schema": { "type": "object" } } });
            self.told["responses"]["200"]["content"] = content;
        }
        if self.takes("If-None-Match") {
            let mut known = vec!["X-Request-Id", "ETag"];
            known.extend(limits);
            self.told["responses"]["304"] = json!({
                "description": "The client has this version.",
                "headers": header_references(&known),
            });
        }
    }
}

fn envelope(data: &Value, meta: Option<Value>) -> Value {
    let success = json!({ "type": "boolean", "const": true });
    let mut schema = json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": { "success": success, "data": data },
    });
    if let Some(meta) = meta {
        schema["required"] = json!(["success", "data", "meta"]);
        schema["properties"]["meta"] = meta;
    }
    schema
}

/// Completes a parameter with the description of its name.
fn known_parameter(given: &Value) -> Value {
    let mut parameter = given.clone();
    let (schema, description) = match given["name"].as_str() {
        Some("Idempotency-Key") => (
            json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }),
            "Names the command: a repetition is answered as the first time, and not done again.",
        ),
        Some("If-Match") => (
            json!({ "type": "string" }),
            "The entity tags of the versions that the change is meant for, or `*`.",
        ),
        Some("If-None-Match") => {
            (json!({ "type": "string" }), "The entity tags of the versions that the client has.")
        }
        Some("Last-Event-ID") => (
            json!({
                "type": "string",
                "pattern": "^[0-9]{1,18}-(open|closed|resolved|cancelled)$",
            }),
            "The id of the last event that the client has.",
        ),
        _ => return parameter,
    };
    parameter["schema"] = schema;
    parameter["description"] = description.into();
    parameter
}
