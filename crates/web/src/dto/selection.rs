//! Selection of fields and embedded resources: `?fields=id,title` and `?expand=author`.

use std::marker::PhantomData;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::field_value::FieldValue;
use crate::validation::{FieldErrorCode, invalid};

/// A response object whose top-level fields can be selected.
pub(crate) trait Selectable {
    /// Names of its fields, including those that are present only on request.
    const FIELDS: &'static [&'static str];
}

/// A kind of resource that can be embedded in a response object.
pub(crate) trait Relation: Copy + PartialEq + 'static {
    /// All kinds, with their names in `expand`.
    const ALL: &'static [(&'static str, Self)];
}

/// Selected fields of each object of type `T`: all by default.
#[derive(Debug)]
pub(crate) struct Fields<T> {
    names: Option<Vec<&'static str>>,
    object: PhantomData<fn() -> T>,
}

impl<T> Default for Fields<T> {
    fn default() -> Self {
        Self { names: None, object: PhantomData }
    }
}

/// The parameter `fields`.
impl<T: Selectable> FieldValue for Fields<T> {
    fn parse(text: &str) -> Result<Self, garde::Error> {
        let names = listed(text, T::FIELDS.iter().map(|name| (*name, *name)))?;
        Ok(Self { names: Some(names), object: PhantomData })
    }
}

/// The parameter `expand`: each relation once.
impl<R: Relation> FieldValue for Vec<R> {
    fn parse(text: &str) -> Result<Self, garde::Error> {
        listed(text, R::ALL.iter().copied())
    }
}

impl<T> Fields<T> {
    /// Returns `true` if no field is left out.
    pub(crate) const fn are_all(&self) -> bool {
        self.names.is_none()
    }

    /// Returns the object with these fields only.
    pub(crate) fn of<O: Serialize>(&self, object: O) -> Selected<'_, O> {
        Selected { fields: self.names.as_deref(), object }
    }
}

/// Returns the value of each name in a list, without repetitions.
fn listed<R: PartialEq>(
    given: &str,
    known: impl Iterator<Item = (&'static str, R)> + Clone,
) -> Result<Vec<R>, garde::Error> {
    let mut found = Vec::new();
    for name in given.split(',') {
        let Some((_, value)) = known.clone().find(|(known, _)| *known == name) else {
            let known: Vec<_> = known.map(|(name, _)| name).collect();
            let message = format!("must be names among {}, separated by commas", known.join(", "));
            return Err(invalid(FieldErrorCode::Invalid, message));
        };
        if !found.contains(&value) {
            found.push(value);
        }
    }
    Ok(found)
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
            Value::Object(object) => serializer
                .collect_map(object.iter().filter(|(name, _)| fields.contains(&name.as_str()))),
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

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Part {
        A,
        B,
    }

    impl Relation for Part {
        const ALL: &'static [(&'static str, Self)] = &[("a", Self::A), ("b", Self::B)];
    }

    fn check(given: &str, expected: Option<&Value>) {
        let fields = Fields::<Pair>::parse(given);
        let written = fields.ok().map(|fields| json!(fields.of(Pair { one: 1, two: [2, 3] })));
        assert_eq!(written.as_ref(), expected, "{given:?}");
    }

    #[test]
    fn object_has_selected_fields() {
        let all = Fields::<Pair>::default();
        assert_eq!(json!(all.of(Pair { one: 1, two: [2, 3] })), json!({ "one": 1, "two": [2, 3] }));
        check("two", Some(&json!({ "two": [2, 3] })));
        check("two,one,two", Some(&json!({ "one": 1, "two": [2, 3] })));
        check("three", Some(&json!({})));
    }

    #[test]
    fn unknown_names_are_rejected() {
        for given in ["", "one,", "One", "one, two", "four", "two.0"] {
            check(given, None);
        }
        assert!(Vec::<Part>::parse("b,c").is_err());
    }

    #[test]
    fn repeated_relation_is_embedded_once() {
        let letters = Vec::<Part>::parse("b,a,b").unwrap();
        assert_eq!(letters, [Part::B, Part::A]);
    }
}
