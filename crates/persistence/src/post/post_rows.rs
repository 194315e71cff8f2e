//! Rows of the table `posts`.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use foretell_domain::post::{Authorship, Post, PostBody, PostStatus};
use foretell_domain::tag::{Tag, Tags};
use foretell_domain::text::{PostContent, PostTitle};

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::posts;

#[derive(Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = posts, treat_none_as_default_value = false)]
pub(crate) struct PostRow {
    pub(crate) id: DbId,
    author_id: DbId,
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) status: String,
    pub(crate) version: i64,
    created_at_us: i64,
    pub(crate) updated_at_us: i64,
}

impl PostRow {
    /// Returns the post with its tags, in any order.
    pub(crate) fn into_post(self, tags: Vec<Tag>) -> Result<Post, Failure> {
        let stored = StoredRow { table: "posts", id: self.id };
        let body = PostBody {
            title: PostTitle::restore(self.title),
            content: PostContent::restore(self.content),
            tags: stored.convert("tags", Tags::new(tags))?,
            status: stored.named("status", PostStatus::from_name(&self.status))?,
        };
        Ok(Post {
            id: self.id.into(),
            author_id: self.author_id.into(),
            body,
            version: self.version,
            created_at: stored.time("created_at_us", self.created_at_us)?,
            updated_at: stored.time("updated_at_us", self.updated_at_us)?,
        })
    }
}

impl From<&Post> for PostRow {
    fn from(post: &Post) -> Self {
        Self {
            id: post.id.into(),
            author_id: post.author_id.into(),
            title: post.body.title.as_str().to_owned(),
            content: post.body.content.as_str().to_owned(),
            status: post.body.status.as_str().to_owned(),
            version: post.version,
            created_at_us: post.created_at.micros(),
            updated_at_us: post.updated_at.micros(),
        }
    }
}

/// A post and its tags, one tag per line.
#[derive(QueryableByName)]
pub(crate) struct TaggedRow {
    #[diesel(embed)]
    pub(crate) post: PostRow,
    #[diesel(sql_type = Nullable<Text>)]
    tags: Option<String>,
}

impl TryFrom<TaggedRow> for Post {
    type Error = Failure;

    fn try_from(row: TaggedRow) -> Result<Self, Failure> {
        let texts = row.tags.as_deref().unwrap_or_default().lines();
        let tags: Vec<_> = texts.map(Tag::restore).collect();
        row.post.into_post(tags)
    }
}

/// Columns of a post that decide its visibility.
#[derive(Queryable, Selectable)]
#[diesel(table_name = posts)]
pub(crate) struct AuthorshipRow {
    id: DbId,
    author_id: DbId,
    status: String,
}

impl TryFrom<AuthorshipRow> for Authorship {
    type Error = Failure;

    fn try_from(row: AuthorshipRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "posts", id: row.id };
        let status = stored.named("status", PostStatus::from_name(&row.status))?;
        Ok(Self { author_id: row.author_id.into(), status })
    }
}
