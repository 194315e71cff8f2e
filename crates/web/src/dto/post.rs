//! Response types of posts.

use foretell_application::{PostRelation, RelatedToPosts};
use foretell_domain::id::{PostId, UserId};
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::tag::Tag;
use serde::Serialize;
use utoipa::ToSchema;

use super::comment::CommentView;
use super::selection::{Relation, Selectable};
use super::text::Text;
use super::time::Time;
use super::user::UserView;
use crate::openapi::names::Id;

/// Resources that can be embedded in a post, by their names in `expand`.
impl Relation for PostRelation {
    const ALL: &'static [(&'static str, Self)] =
        &[("author", Self::Author), ("comments", Self::Comments)];
}

/// A post. Title and content are plain text: clients must escape them before showing them as HTML.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostView<'a> {
    #[schema(value_type = Id)]
    id: Text<PostId>,
    #[schema(value_type = Id)]
    author_id: Text<UserId>,
    title: &'a str,
    content: &'a str,
    published: bool,
    tags: Vec<&'a str>,
    version: i64,
    created_at: Time,
    updated_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<UserView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<Vec<CommentView<'a>>>,
}

impl Selectable for PostView<'_> {
    const FIELDS: &'static [&'static str] = &[
        "id",
        "authorId",
        "title",
        "content",
        "published",
        "tags",
        "version",
        "createdAt",
        "updatedAt",
        "author",
        "comments",
    ];
}

impl<'a> PostView<'a> {
    /// Creates the response for a post without embedded resources.
    pub(crate) fn new(post: &'a Post) -> Self {
        let body = &post.body;
        Self {
            id: Text(post.id),
            author_id: Text(post.author_id),
            title: body.title.as_str(),
            content: body.content.as_str(),
            published: body.status == PostStatus::Published,
            tags: body.tags.iter().map(Tag::as_str).collect(),
            version: post.version,
            created_at: Time(post.created_at),
            updated_at: Time(post.updated_at),
            author: None,
            comments: None,
        }
    }

    /// Creates the response for a post with embedded resources.
    pub(crate) fn with(post: &'a Post, related: &'a RelatedToPosts) -> Self {
        let authors = related.authors.as_ref();
        let comments = related.comments.as_ref();
        let of_post =
            |comments: Option<&'a Vec<_>>| comments.into_iter().flatten().map(CommentView::from);
        Self {
            author: authors.and_then(|authors| authors.get(&post.author_id)).map(UserView::public),
            comments: comments.map(|comments| of_post(comments.get(&post.id)).collect()),
            ..Self::new(post)
        }
    }
}

/// Returns the status for the field `published`.
pub(crate) const fn status_of(published: bool) -> PostStatus {
    if published { PostStatus::Published } else { PostStatus::Draft }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use foretell_testkit::Factory;

    use super::*;

    #[test]
    fn every_field_is_selectable() {
        let make = Factory::new(1);
        let author = make.user();
        let post = make.post(author.id, PostStatus::Published, &["a"]);
        let comment = make.comment(author.id, post.id);
        let related = RelatedToPosts {
            authors: Some(BTreeMap::from([(author.id, author)])),
            comments: Some(BTreeMap::from([(post.id, vec![comment])])),
        };
        let written = serde_json::to_value(PostView::with(&post, &related)).unwrap();
        let names: BTreeSet<_> = written.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, PostView::FIELDS.iter().copied().collect());
        assert!(PostRelation::ALL.iter().all(|(name, _)| names.contains(name)));
    }
}
