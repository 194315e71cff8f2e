//! Filter of lists and searches of posts.

use foretell_domain::id::UserId;
use foretell_domain::post::PostStatus;
use foretell_domain::tag::Tag;
use foretell_ports::post::PostFilter;

use crate::dto::parsed::{Parsed, optional};

/// Returns the filter of a list or a search: of published posts unless another status is given.
pub(super) fn filter_of(
    status: Option<Parsed<PostStatus>>,
    author_id: Option<Parsed<UserId>>,
    tag: Option<Parsed<Tag>>,
) -> PostFilter {
    let status = optional(status).unwrap_or(PostStatus::Published);
    PostFilter { status, author_id: optional(author_id), tag: optional(tag) }
}
