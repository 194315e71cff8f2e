//! Request and response types of tags.

use std::collections::HashSet;

use foretell_domain::tag::{MAX_TAGS, Tag, Tags, TagsError};
use foretell_ports::post::TagCount;
use serde::Serialize;
use utoipa::ToSchema;

use crate::validation::{FieldErrorCode, ValidationErrors};

/// Parses the tags of a post, and adds all validation errors.
pub(crate) fn read_tags(texts: &[String], errors: &mut ValidationErrors) -> Option<Tags> {
    if texts.len() > MAX_TAGS {
        errors.add("tags", FieldErrorCode::Length, TagsError::TooMany.to_string());
    }
    let mut known = HashSet::new();
    let tags = texts.iter().enumerate().map(|(index, text)| {
        let field = format!("tags[{index}]");
        let tag = errors.check(&field, Tag::new(text))?;
        if !known.insert(tag.clone()) {
            errors.add(&field, FieldErrorCode::Repeated, TagsError::Repeated { index }.to_string());
        }
        Some(tag)
    });
    // All tags are parsed before the first invalid one ends it, so that all errors are reported.
    let tags: Vec<_> = tags.collect();
    Tags::new(tags.into_iter().collect::<Option<Vec<_>>>()?).ok()
}

/// A tag and its number of published posts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagView<'a> {
    tag: &'a str,
    post_count: i64,
}

impl<'a> From<&'a TagCount> for TagView<'a> {
    fn from(count: &'a TagCount) -> Self {
        Self { tag: count.tag.as_str(), post_count: count.post_count }
    }
}
