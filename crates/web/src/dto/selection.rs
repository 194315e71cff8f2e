//! Selection of fields and embedded resources: `?fields=id,title` and `?expand=author`.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::validation::{FieldErrorCode, ValidationErrors};

/// A response object whose top-level fields can be selected.
pub(crate) trait Selectable {
    /// Names of its fields, including those that are present only on request.
    const FIELDS: &'static [&'static str];
}

/// Selected fields of each object: all by default.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Option<Vec<&'static str>>);

impl Fields {
    /// Parses the fields of a `T` in the parameter `fields`.
    pub(crate) fn read<T: Selectable>(given: Option<&str>, errors: &mut ValidationErrors) -> Option<Self> {
        let Some(given) = given else { return Some(Self(None)) };
        names(given, "fields", T::FIELDS.iter().map(|name| (*name, *name)), errors).map(Some).map(Self)
    }

    /// Returns `true` if no field is left out.
    pub(crate) const fn are_all(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the object with these fields only.
    pub(crate) fn of<T: Serialize>(&self, object: T) -> Selected<'_, T> {
        Selected { fields: self.0.as_deref(), object }
    }
}

/// Parses the relations in the parameter `expand`, each once; none without it.
pub(crate) fn expanded<R: Copy + PartialEq>(
    given: Option<&str>,
    known: &[(&'static str, R)],
    errors: &mut ValidationErrors,
) -> Option<Vec<R>> {
    given.map_or(Some(Vec::new()), |given| names(given, "expand", known.iter().copied(), errors))
}

/// Returns the value of each name in a list, or a validation error of the parameter.
fn names<R: PartialEq>(
    given: &str,
    parameter: &str,
    known: impl Iterator<Item = (&'static str, R)> + Clone,
    errors: &mut ValidationErrors,
) -> Option<Vec<R>> {
    let mut found = Vec::new();
    for name in given.split(',') {
        let Some((_, value)) = known.clone().find(|(known, _)| *known == name) else {
            let known: Vec<_> = known.map(|(name, _)| name).collect();
            let message = format!("must be names among {}, separated by commas", known.join(", "));
            errors.add(parameter, FieldErrorCode::Invalid, message);
            return None;
        };
        if !found.contains(&value) {
            found.push(value);
        }
    }
    Some(found)
}

/// An object with some of its fields. With all of them it is serialized directly, without
/// additional cost.
#[derive(Debug)]
pub(crate) struct Selected<'a, T> {
    fields: Option<&'a [&'static str]>,
    object: T,
}

impl<T: Serialize> Serialize for Selected<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = self.fields else { return self.object.serialize(serializer) };
        match serde_json::to_value(&self.object).map_err(S::Error::custom)? {
            Value::Object(object) => {
                serializer.collect_map(object.iter().filter(|(name, _)| fields.contains(&name.as_str())))
            }
            value => value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Pair {
        one: u8,
        two: [u8; 2],
    }

    impl Selectable for Pair {
        const FIELDS: &'static [&'static str] = &["one", "two", "three"];
    }

    fn check(given: Option<&str>, expected: Option<&Value>) {
        let mut errors = ValidationErrors::default();
        let fields = Fields::read::<Pair>(given, &mut errors);
        let written = fields.map(|fields| json!(fields.of(Pair { one: 1, two: [2, 3] })));
        assert_eq!(written.as_ref(), expected, "{given:?}");
        assert_eq!(errors.is_empty(), expected.is_some(), "{given:?}");
    }

    #[test]
    fn object_has_selected_fields() {
        check(None, Some(&json!({ "one": 1, "two": [2, 3] })));
        check(Some("two"), Some(&json!({ "two": [2, 3] })));
        check(Some("two,one,two"), Some(&json!({ "one": 1, "two": [2, 3] })));
        check(Some("three"), Some(&json!({})));
    }

    #[test]
    fn unknown_names_are_rejected() {
        for given in ["", "one,", "One", "one, two", "four", "two.0"] {
            check(Some(given), None);
        }
    }

    #[test]
    fn repeated_relation_is_rejected() {
        let mut errors = ValidationErrors::default();
        let known = [("a", 'A'), ("b", 'B')];
        assert_eq!(expanded(None, &known, &mut errors), Some(vec![]));
        assert_eq!(expanded(Some("b,a,b"), &known, &mut errors), Some(vec!['B', 'A']));
        assert!(errors.is_empty());
        assert_eq!(expanded(Some("b,c"), &known, &mut errors), None);
        assert!(!errors.is_empty());
    }
}
