//! Preconditions: the versions that the client has cached, and the version that a change expects.

use actix_web::http::header::{
    EntityTag, Header as _, HeaderMap, HeaderValue, IF_MATCH, IfNoneMatch,
};
use foretell_application::ExpectedVersion;

use super::{RequestPart, Validation};
use crate::error::ApiError;
use crate::validation::{FieldErrorCode, invalid};

/// Header `If-None-Match`: entity tags of the client's cached bodies. An invalid value counts as
/// absent.
pub(crate) struct KnownTags(Option<IfNoneMatch>);

impl KnownTags {
    /// Returns `true` if the client has the body with this tag.
    pub(crate) fn include(&self, tag: &EntityTag) -> bool {
        match &self.0 {
            Some(IfNoneMatch::Any) => true,
            // Weak comparison, as RFC 9110 requires for `If-None-Match`; `If-Match` below requires
            // strong comparison.
            Some(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
            None => false,
        }
    }

    /// Returns `true` if the client has the body with this tag; the header value is parsed only if
    /// the client has any.
    pub(crate) fn include_written(&self, tag: &HeaderValue) -> bool {
        let read = || tag.to_str().ok()?.parse().ok();
        self.0.is_some() && read().is_some_and(|tag| self.include(&tag))
    }
}

from_head!(KnownTags, |request| Self(IfNoneMatch::parse(request).ok()));

/// Header `If-Match`: the versions that a change expects, by their entity tags; any version without
/// it. An invalid value is a validation error, since it must not be ignored.
pub(crate) struct IfMatch(Result<ExpectedVersion, garde::Error>);

from_head!(IfMatch, |request| {
    let error = || invalid(FieldErrorCode::Format, "must be entity tags such as \"1\", or *");
    Self(read(request.headers()).ok_or_else(error))
});

impl RequestPart for IfMatch {
    type Value = ExpectedVersion;

    fn extract(self, validation: &mut Validation) -> Result<Option<ExpectedVersion>, ApiError> {
        Ok(validation.value_of("If-Match", self.0))
    }
}

fn read(headers: &HeaderMap) -> Option<ExpectedVersion> {
    if !headers.contains_key(IF_MATCH) {
        return Some(ExpectedVersion::Any);
    }
    let mut versions = Vec::new();
    for value in headers.get_all(IF_MATCH) {
        let text = value.to_str().ok()?.trim();
        if text == "*" {
            return Some(ExpectedVersion::Any);
        }
        let tags = entity_tags(text)?;
        versions.extend(tags.into_iter().filter_map(version_of));
    }
    Some(ExpectedVersion::OneOf(versions))
}

/// Returns the tags of a list, each as written; `None` if the list is invalid.
fn entity_tags(list: &str) -> Option<Vec<&str>> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        let opaque = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let prefix_bytes = rest.len() - opaque.len();
        let (tag, after) = rest.split_at_checked(prefix_bytes + opaque.find('"')? + 1)?;
        tags.push(tag);
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(tags);
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

/// Returns the version of a tag: the part after a hyphen distinguishes bodies of one version. A
/// weak or foreign tag has no version: nothing matches it.
fn version_of(tag: &str) -> Option<i64> {
    let text = tag.strip_prefix('"')?.strip_suffix('"')?;
    let number = text.split('-').next()?;
    // "+1" and "01" are different tags from "1".
    number.parse().ok().filter(|version: &i64| version.to_string() == number)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn check(values: &[&str], expected: Option<&ExpectedVersion>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers
                .append(HeaderName::from_static("if-match"), HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(read(&headers).as_ref(), expected, "{values:?}");
    }

    fn check_one_of(values: &[&str], versions: &[i64]) {
        check(values, Some(&ExpectedVersion::OneOf(versions.to_vec())));
    }

    #[test]
    fn if_match_lists_expected_versions() {
        check(&[], Some(&ExpectedVersion::Any));
        check(&["*"], Some(&ExpectedVersion::Any));
        check_one_of(&["\"1\""], &[1]);
        check_one_of(&["\"1\", \"22\" ,\"3-ended\""], &[1, 22, 3]);
        check_one_of(&["\"1\"", "\"2\""], &[1, 2]);
    }

    #[test]
    fn weak_and_foreign_tags_match_nothing() {
        check_one_of(&["W/\"1\""], &[]);
        check_one_of(&["\"abc\", \"a,b\", \"\", \"2\", \"+3\", \"04\""], &[2]);
    }

    #[test]
    fn invalid_tag_list_is_rejected() {
        for value in ["", "1", "\"1", "\"1\" \"2\"", "\"1\",", ",\"1\"", "'1'", "w/\"1\""] {
            check(&[value], None);
        }
    }
}
