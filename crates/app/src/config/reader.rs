//! Converts merged layers to typed values, and records every problem instead of stopping at the
//! first.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use config::{Value, ValueKind};

use super::error::Problem;
use super::layer::{Layer, written_in};
use super::setting::{Allowed, HIDDEN, Setting};
use super::suggestion::suggestions;

pub(super) const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// Maximum number of characters of a bad value in an error.
const SHOWN_CHARS: usize = 100;

/// Merged values. They are converted here rather than by the `config` crate, which stops at the
/// first problem, and accepts 1.5 as a whole number and "on" as true.
pub(super) struct Reader {
    values: BTreeMap<String, Value>,
    settings: Vec<Setting>,
    problems: Vec<Problem>,
}

impl Reader {
    /// Merges layers; later ones take precedence. `default` has all valid keys.
    pub(super) fn new(default: Layer, others: Vec<Layer>) -> Self {
        let mut reader = Self {
            values: default.0.into_iter().collect(),
            settings: Vec::new(),
            problems: Vec::new(),
        };
        for (key, value) in others.into_iter().flat_map(|Layer(leaves)| leaves) {
            if let Some(current) = reader.values.get_mut(&key) {
                *current = value;
            } else {
                reader.note_unknown(key, &value);
            }
        }
        reader
    }

    /// Returns all settings in the order in which they were read, or all problems, the unknown keys
    /// first.
    pub(super) fn finish(self) -> Result<Vec<Setting>, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.settings) } else { Err(self.problems) }
    }

    /// Reads a whole number within `allowed`.
    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        key: &str,
        allowed: RangeInclusive<i64>,
    ) -> Option<T> {
        let kind = Allowed::Number(allowed.clone());
        let reason = format!("must be {kind}");
        let value = self.take(key, kind)?;
        let number = match &value.kind {
            ValueKind::I64(number) => Some(*number),
            ValueKind::String(text) => text.parse().ok(),
            _ => None,
        };
        let number = number
            .filter(|number| allowed.contains(number))
            .and_then(|number| number.try_into().ok());
        self.or_note(key, &value, number.ok_or(reason))
    }

    /// Reads a duration of 1 to 365 days.
    pub(super) fn days(&mut self, key: &str) -> Option<Duration> {
        let days: u64 = self.number(key, 1..=365)?;
        Some(Duration::from_secs(days.saturating_mul(SECONDS_PER_DAY)))
    }

    /// Reads a boolean.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.take(key, Allowed::Flag)?;
        let flag = match &value.kind {
            ValueKind::Boolean(flag) => Some(*flag),
            ValueKind::String(text) => text.parse().ok(),
            _ => None,
        };
        self.or_note(key, &value, flag.ok_or_else(|| "must be true or false".to_owned()))
    }

    /// Reads a text and converts it with `parse`, whose error is the reason of a problem.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(key, Allowed::Text)?;
        let parsed = as_text(&value).and_then(parse);
        self.or_note(key, &value, parsed)
    }

    /// Reads a secret text, which is never shown.
    pub(super) fn parsed_secret<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(key, Allowed::Secret)?;
        let parsed = as_text(&value).and_then(parse);
        let hidden = Value::new(value.origin().map(str::to_owned).as_ref(), ValueKind::Nil);
        self.or_note(key, &hidden, parsed)
    }

    /// Reads a list of at most `max_length` texts and converts each with `parse`; a single text is
    /// a list separated by commas.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        max_length: usize,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.take(key, Allowed::List(max_length))?;
        let texts = match &value.kind {
            ValueKind::Array(values) => values.iter().map(as_text).collect(),
            ValueKind::String(text) => {
                Ok(text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect())
            }
            _ => Err("must be a list of texts".to_owned()),
        };
        let parsed = texts.and_then(|texts: Vec<_>| {
            if texts.len() > max_length {
                return Err(format!("must have at most {max_length} entries"));
            }
            texts.into_iter().map(&parse).collect()
        });
        self.or_note(key, &value, parsed)
    }

    #[cfg(test)]
    pub(super) fn unread_keys(&self) -> Vec<&str> {
        self.values.keys().map(String::as_str).collect()
    }

    /// Removes the value of a key, which the default layer always has.
    fn take(&mut self, key: &str, allowed: Allowed) -> Option<Value> {
        let Some(value) = self.values.remove(key) else {
            let missing = Value::new(None, ValueKind::Nil);
            return self.or_note(key, &missing, Err("is missing".to_owned()));
        };
        let is_hidden = allowed == Allowed::Secret && !matches!(as_text(&value), Ok(""));
        self.settings.push(Setting {
            key: key.to_owned(),
            value: if is_hidden { HIDDEN.to_owned() } else { written(&value) },
            origin: origin_of(&value),
            allowed,
        });
        Some(value)
    }

    fn or_note<T>(&mut self, key: &str, value: &Value, outcome: Result<T, String>) -> Option<T> {
        outcome
            .map_err(|reason| {
                self.problems.push(Problem::BadValue {
                    key: key.to_owned(),
                    origin: origin_of(value),
                    found: shown(value),
                    reason,
                });
            })
            .ok()
    }

    fn note_unknown(&mut self, key: String, value: &Value) {
        let origin = origin_of(value);
        let suggestions = suggestions(&key, self.values.keys().map(String::as_str))
            .map(|known| written_in(&origin, known))
            .collect();
        self.problems.push(Problem::UnknownKey { key, origin, suggestions });
    }
}

fn as_text(value: &Value) -> Result<&str, String> {
    match &value.kind {
        ValueKind::String(text) => Ok(text),
        _ => Err("must be a text in quotes".to_owned()),
    }
}

fn origin_of(value: &Value) -> String {
    value.origin().unwrap_or("no file").to_owned()
}

/// Returns a value as it would be written, truncated if it is long; `None` if it is hidden.
fn shown(value: &Value) -> Option<String> {
    if value.kind == ValueKind::Nil {
        return None;
    }
    let text = written(value);
    let end = text.char_indices().nth(SHOWN_CHARS).map(|(end, _)| end);
    Some(match end.and_then(|end| text.get(..end)) {
        Some(start) => format!("{start}..."),
        None => text,
    })
}

/// Returns a value as it would be written in a file.
fn written(value: &Value) -> String {
    match &value.kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(values) => {
            format!("[{}]", values.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}
