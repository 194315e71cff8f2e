//! Preconditions: which versions of something the client has, and which one a change is meant for.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{EntityTag, Header as _, HeaderMap, HeaderValue, IF_MATCH, IfNoneMatch};
use actix_web::{FromRequest, HttpRequest};
use foretell_application::ExpectedVersion;

use super::{InputContext, Part};
use crate::faults::{FaultCode, Faults};

/// The header `If-None-Match`: the bodies that the client has. One that cannot be read says nothing.
pub(crate) struct KnownTags(Option<IfNoneMatch>);

impl KnownTags {
    /// Whether the client has the body of this tag.
    pub(crate) fn include(&self, tag: &EntityTag) -> bool {
        match &self.0 {
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
            None => false,
        }
    }

    /// The same for a tag as it stands in a header, which is read only where the client has any.
    pub(crate) fn include_written(&self, tag: &HeaderValue) -> bool {
        let read = || tag.to_str().ok()?.parse().ok();
        self.0.is_some() && read().is_some_and(|tag| self.include(&tag))
    }
}

impl FromRequest for KnownTags {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(IfNoneMatch::parse(request).ok())))
    }
}

/// The header `If-Match`: the versions that a change is meant for, by their entity tags; any without it. One
/// that cannot be read is a fault, since it must not be passed over.
pub(crate) struct IfMatch(Option<ExpectedVersion>);

impl FromRequest for IfMatch {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(read(request.headers()))))
    }
}

impl Part for IfMatch {
    type Value = ExpectedVersion;

    fn take(self, faults: &mut Faults, _: &InputContext<'_>) -> Option<ExpectedVersion> {
        if self.0.is_none() {
            faults.add("If-Match", FaultCode::Format, "must be entity tags such as \"1\", or *");
        }
        self.0
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

/// The tags of a list, each as it stands there; `None` for what is no list of tags.
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

/// The version that a tag stands for: what comes after a hyphen tells bodies of one version apart. A weak tag
/// stands for none, nor does one that was never given out: nothing matches them.
fn version_of(tag: &str) -> Option<i64> {
    let text = tag.strip_prefix('"')?.strip_suffix('"')?;
    let number = text.split('-').next()?;
    // "+1" and "01" are other tags than "1".
    number.parse().ok().filter(|version: &i64| version.to_string() == number)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn check(values: &[&str], expected: Option<&ExpectedVersion>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HeaderName::from_static("if-match"), HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(read(&headers).as_ref(), expected, "{values:?}");
    }

    fn check_one_of(values: &[&str], versions: &[i64]) {
        check(values, Some(&ExpectedVersion::OneOf(versions.to_vec())));
    }

    #[test]
    fn a_change_is_meant_for_the_versions_that_it_names() {
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
    fn what_is_no_list_of_tags_is_a_fault() {
        for value in ["", "1", "\"1", "\"1\" \"2\"", "\"1\",", ",\"1\"", "'1'", "w/\"1\""] {
            check(&[value], None);
        }
    }
}
