//! One source of settings: a file or the environment, as keys with their values.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use config::{FileFormat, Format as _, Map, Value, ValueKind};

use super::error::ConfigError;

/// Prefix of the variables with settings.
///
/// A single underscore would conflict: Kubernetes adds `FORETELL_PORT` and others for a service
/// with that name.
const VARIABLE_PREFIX: &str = "FORETELL__";

/// Environment variables. Not `Debug`, since they contain secrets.
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Variables whose names are not text are ignored; invalid text in a value becomes U+FFFD.
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        };
        Self(variables.into_iter().filter_map(text).collect())
    }

    /// Returns a variable, unless it is empty: compose files pass on unset variables like that.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Keys such as `server.bind` with their values, each with the file or variable that it comes from.
pub(super) struct Layer(pub(super) Vec<(String, Value)>);

impl Layer {
    /// Parses the settings in a TOML text.
    pub(super) fn parse(origin: &str, text: &str) -> Result<Self, ConfigError> {
        let table = FileFormat::Toml.parse(Some(&origin.to_owned()), text).map_err(|error| {
            ConfigError::Malformed {
                origin: origin.to_owned(),
                reason: without_source(&error.to_string()),
            }
        })?;
        let mut leaves = Vec::new();
        collect_leaves("", table, &mut leaves);
        Ok(Self(leaves))
    }

    /// Returns `true` if it has a value for `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(known, _)| known == key)
    }

    /// Reads the settings in a TOML file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&path.display().to_string(), &text),
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// Returns the settings in variables such as `FORETELL__SERVER__BIND`, and in the files that
    /// variables such as `FORETELL__DATABASE__URL_FILE` name, for keys that `is_known` has.
    pub(super) fn of_variables(
        variables: &Variables,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<Self, ConfigError> {
        let mut leaves = Vec::new();
        for (name, value) in &variables.0 {
            let Some(key) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
            let key = key.replace("__", ".");
            // One in small letters is left as it is, and so is unknown: two names for a key would
            // be ambiguous.
            let is_ours = !key.bytes().any(|byte| byte.is_ascii_lowercase());
            let key = if is_ours { key.to_ascii_lowercase() } else { key };
            let in_file =
                key.strip_suffix("_file").filter(|stem| !is_known(&key) && is_known(stem));
            if in_file.is_some() && value.is_empty() {
                continue;
            }
            leaves.push(match in_file {
                Some(stem) => (stem.to_owned(), variables.value_in_file(name, stem, value)?),
                None => (key, Value::new(Some(name), value.as_str())),
            });
        }
        Ok(Self(leaves))
    }

    /// Returns the setting in a variable with a name of its own, such as `DATABASE_URL`, or in the
    /// file that `DATABASE_URL_FILE` names.
    pub(super) fn of_variable(
        key: &str,
        name: &str,
        variables: &Variables,
    ) -> Result<Self, ConfigError> {
        let file_name = format!("{name}_FILE");
        let value = match (variables.get(name), variables.get(&file_name)) {
            (Some(_), Some(_)) => return Err(ConfigError::Twice { variable: name.to_owned() }),
            (Some(value), None) => Some(Value::new(Some(&name.to_owned()), value)),
            (None, Some(path)) => Some(read_value(&file_name, path)?),
            (None, None) => None,
        };
        Ok(Self(value.map(|value| (key.to_owned(), value)).into_iter().collect()))
    }
}

impl Variables {
    /// Returns the value in the file that the variable `name` names; no other variable may set
    /// `key`.
    fn value_in_file(&self, name: &str, key: &str, path: &str) -> Result<Value, ConfigError> {
        let plain = variable_of(key);
        if self.0.contains_key(&plain) {
            return Err(ConfigError::Twice { variable: plain });
        }
        read_value(name, path)
    }
}

/// Returns the text of a file without the final line break, the form in which containers and
/// services receive secrets.
fn read_value(variable: &str, path: &str) -> Result<Value, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Value::new(Some(&format!("{variable}, {path}")), text))
}
/// Returns `key` in the notation of `origin`.
pub(super) fn written_in(origin: &str, key: &str) -> String {
    if origin.starts_with(VARIABLE_PREFIX) { variable_of(key) } else { key.to_owned() }
}

/// Returns the environment variable that sets `key`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Adds the values in `table`; `prefix` is the path to it with a final point.
fn collect_leaves(prefix: &str, table: Map<String, Value>, leaves: &mut Vec<(String, Value)>) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value.kind {
            ValueKind::Table(table) => collect_leaves(&format!("{key}."), table, leaves),
            _ => leaves.push((key, value)),
        }
    }
}

/// Returns the message of the parser, without the quoted line of the file: it may contain a
/// password.
fn without_source(message: &str) -> String {
    let lines: Vec<_> = message.lines().filter(|line| !line.contains('|')).map(str::trim).collect();
    lines.join(": ")
}
