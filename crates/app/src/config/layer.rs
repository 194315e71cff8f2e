//! One source of settings: a file or the environment, as keys with their values.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use config::{FileFormat, Format as _, Map, Value, ValueKind};

use super::error::ConfigError;

/// What the variables that hold settings begin with.
///
/// One underscore would not do: Kubernetes adds `FORETELL_PORT` and others for a service of that name.
const VARIABLE_PREFIX: &str = "FORETELL__";

/// The variables of the environment. Not `Debug`, since they hold secrets.
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Variables whose names are not text are none of ours; what is not text in a value becomes U+FFFD.
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        };
        Self(variables.into_iter().filter_map(text).collect())
    }

    /// A variable, unless it is empty: a compose file passes on unset variables like that.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Keys such as `server.bind` with their values, each of which knows the file or variable that it is from.
pub(super) struct Layer(pub(super) Vec<(String, Value)>);

impl Layer {
    /// The settings in a TOML text.
    pub(super) fn parse(origin: &str, text: &str) -> Result<Self, ConfigError> {
        let table = FileFormat::Toml.parse(Some(&origin.to_owned()), text).map_err(|error| {
            ConfigError::Malformed { origin: origin.to_owned(), reason: without_source(&error.to_string()) }
        })?;
        let mut leaves = Vec::new();
        collect_leaves("", table, &mut leaves);
        Ok(Self(leaves))
    }

    /// The settings in a TOML file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&path.display().to_string(), &text),
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// The settings in variables such as `FORETELL__SERVER__BIND`.
    pub(super) fn of_variables(Variables(variables): &Variables) -> Self {
        let setting = |(name, value): (&String, &String)| {
            let key = name.strip_prefix(VARIABLE_PREFIX)?.replace("__", ".");
            // One in small letters is left as it is, and so is unknown: two names for a key would be ambiguous.
            let is_ours = !key.bytes().any(|byte| byte.is_ascii_lowercase());
            let key = if is_ours { key.to_ascii_lowercase() } else { key };
            Some((key, Value::new(Some(name), value.as_str())))
        };
        Self(variables.iter().filter_map(setting).collect())
    }

    /// The setting of an address in a variable that goes by its own name, such as `DATABASE_URL`.
    pub(super) fn of_url(key: &str, variable: &str, url: &str) -> Self {
        Self(vec![(key.to_owned(), Value::new(Some(&variable.to_owned()), url))])
    }
}

/// How `key` is written where `origin` says.
pub(super) fn written_in(origin: &str, key: &str) -> String {
    if origin.starts_with(VARIABLE_PREFIX) {
        format!("{VARIABLE_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
    } else {
        key.to_owned()
    }
}

/// Adds what is in `table`; `prefix` is the path to it with a point at its end.
fn collect_leaves(prefix: &str, table: Map<String, Value>, leaves: &mut Vec<(String, Value)>) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value.kind {
            ValueKind::Table(table) => collect_leaves(&format!("{key}."), table, leaves),
            _ => leaves.push((key, value)),
        }
    }
}

/// What the parser says, without the line of the file that it shows: there may be a password in it.
fn without_source(message: &str) -> String {
    let lines: Vec<_> = message.lines().filter(|line| !line.contains('|')).map(str::trim).collect();
    lines.join(": ")
}
