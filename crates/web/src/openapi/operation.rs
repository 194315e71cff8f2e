//! One operation, as its handler describes it.

use serde_json::{Map, Value};

/// An operation being described.
#[derive(Debug)]
pub(super) struct Operation {
    /// The path below the base of its version.
    pub(super) path: String,
    /// The method, in lower case.
    pub(super) method: String,
    /// Its description.
    pub(super) told: Value,
    /// Doc comment of its handler, in one line.
    pub(super) doc: String,
}

impl Operation {
    /// Creates the operation from the description by its handler.
    pub(super) fn new(path: &str, method: &str, told: Value) -> Self {
        let text = |name: &str| told[name].as_str().unwrap_or_default();
        let lines = format!("{} {}", text("summary"), text("description"));
        let doc = lines.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { path: path.to_owned(), method: method.to_owned(), told, doc }
    }

    /// Returns the finished description.
    pub(super) fn into_value(self) -> Value {
        self.told
    }

    /// Returns `true` if it returns a page of a list.
    pub(super) fn is_list(&self) -> bool {
        let data = self.told.pointer("/responses/200/content/application~1json/schema/type");
        self.method == "get" && data.is_some_and(|kind| kind == "array")
    }

    /// Returns `true` if it accepts the header or query parameter with this name.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.parameters().iter().any(|parameter| parameter["name"] == name)
    }

    /// Returns `true` if it has a body.
    pub(super) fn has_body(&self) -> bool {
        self.told.get("requestBody").is_some()
    }

    /// Returns the required credential, the first that the handler lists; `None` for anonymous
    /// clients.
    pub(super) fn needs(&self) -> Option<&str> {
        let ways = self.told.get("security")?.as_array()?;
        ways.iter().find_map(|way| way["bearer"][0].as_str())
    }

    /// Returns the described parameters.
    pub(super) fn parameters(&self) -> &[Value] {
        self.told["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns `true` if anonymous clients may call it too.
    pub(super) fn is_open(&self) -> bool {
        let ways = self.told["security"].as_array();
        ways.is_none_or(|ways| ways.iter().any(|way| way.as_object().is_some_and(Map::is_empty)))
    }
}
