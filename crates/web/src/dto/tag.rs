//! Request and response types of tags.

use foretell_domain::tag::{Tag, Tags};
use foretell_ports::post::TagCount;
use serde::Serialize;
use utoipa::ToSchema;

use super::parsed::{Distinct, validated};

/// Returns the tags of a validated field.
pub(crate) fn tags(given: Distinct<Tag>) -> Tags {
    validated(Tags::new(given.into_values()).ok())
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
