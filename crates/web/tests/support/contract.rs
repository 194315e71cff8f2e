//! Compares responses with the API description.

use std::sync::LazyLock;

use serde_json::Value;

use super::Reply;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(foretell_web::openapi_json()).unwrap());

/// Returns the methods, in lower case, the paths and the descriptions of all operations.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, told)| (method.as_str(), path.as_str(), told))
    })
}

/// Resolves a reference of the document; any other value is returned.
pub fn resolved(value: &'static Value) -> &'static Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    let target = DOCUMENT.pointer(reference.strip_prefix('#').unwrap());
    resolved(target.unwrap_or_else(|| panic!("nothing is at {reference}")))
}

/// Fails unless the response conforms to the document, if the document describes the request.
#[track_caller]
pub fn check(reply: &Reply) {
    let (method, target) = reply.name.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    let Some(told) = operation(&method.to_lowercase(), path) else { return };
    let response = &told["responses"][reply.status.as_str()];
    assert!(response.is_object(), "the document does not tell of this status: {reply}");
    let response = resolved(response);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let is_missing = resolved(header)["required"] == true && !reply.headers.contains_key(name);
        assert!(!is_missing, "the document promises the header {name}: {reply}");
    }
    let Some(content) = response["content"].as_object() else {
        assert!(reply.body.is_empty(), "the document tells of no body: {reply}");
        return;
    };
    let form = content.get(reply.header("Content-Type"));
    let form =
        form.unwrap_or_else(|| panic!("the document does not tell of this media type: {reply}"));
    let is_json = reply.header("Content-Type").ends_with("json");
    let told =
        if is_json { reply.json() } else { String::from_utf8(reply.body.clone()).unwrap().into() };
    let errors = errors_of(&form["schema"], &told, "");
    assert!(errors.is_empty(), "not as the document says: {errors:#?}\n{reply}");
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let segments: Vec<_> = path.split('/').collect();
    let is_it = |pattern: &str| {
        let wanted: Vec<_> = pattern.split('/').collect();
        wanted.len() == segments.len()
            && wanted
                .iter()
                .zip(&segments)
                .all(|(wanted, segment)| wanted == segment || *wanted == "{id}")
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let found = paths
        .get(path)
        .or_else(|| paths.iter().find(|(pattern, _)| is_it(pattern)).map(|(_, it)| it));
    found?.get(method)
}

/// Returns the differences of a value from its schema. Patterns are not checked.
pub fn errors_of(schema: &'static Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolved(schema);
    let mut errors = Vec::new();
    let mut fail = |what: String| errors.push(format!("{at}: {what}, not {value}"));
    let types: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    if !types.is_empty() && !types.iter().any(|name| is_of_type(value, name)) {
        fail(format!("must be {types:?}"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        fail(format!("must be {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        fail(format!("must be one of {}", schema["enum"]));
    }
    let number = value.as_f64();
    let (low, high) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
    if number.zip(low).is_some_and(|(it, low)| it < low)
        || number.zip(high).is_some_and(|(it, high)| it > high)
    {
        fail(format!("must be {low:?} to {high:?}"));
    }
    match (schema["format"].as_str(), value.as_str()) {
        (Some("uuid"), Some(text)) if text.len() != 36 => fail("must be an id".to_owned()),
        (Some("date-time"), Some(text)) if !text.ends_with('Z') => {
            fail("must be a time".to_owned());
        }
        _ => {}
    }
    errors.extend(errors_of_parts(schema, value, at));
    errors.extend(errors_of_choice(schema, value, at));
    errors
}

fn errors_of_parts(schema: &'static Value, value: &Value, at: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        let of = |(index, value)| errors_of(items, value, &format!("{at}[{index}]"));
        errors.extend(values.iter().enumerate().flat_map(of));
    }
    let Some(fields) = value.as_object() else { return errors };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            errors.push(format!("{at}: must have {name}"));
        }
    }
    for (name, value) in fields {
        match schema["properties"].get(name) {
            Some(schema) => errors.extend(errors_of(schema, value, &format!("{at}.{name}"))),
            None if schema["additionalProperties"] == false => {
                errors.push(format!("{at}: has {name}"));
            }
            // Every returned field must be described, except where only a part of it is.
            None => {}
        }
    }
    errors
}

fn errors_of_choice(schema: &'static Value, value: &Value, at: &str) -> Vec<String> {
    let all = schema["allOf"].as_array().into_iter().flatten();
    let mut errors: Vec<_> = all.flat_map(|part| errors_of(part, value, at)).collect();
    for name in ["anyOf", "oneOf"] {
        let Some(ways) = schema[name].as_array() else { continue };
        let fitting = ways.iter().filter(|way| errors_of(way, value, at).is_empty()).count();
        if fitting == 0 || (name == "oneOf" && fitting > 1) {
            let of = ways.iter().map(|way| errors_of(way, value, at));
            errors
                .push(format!("{at}: fits {fitting} ways of {name}: {:?}", of.collect::<Vec<_>>()));
        }
    }
    errors
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type of JSON is called {other}"),
    }
}
