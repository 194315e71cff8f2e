//! Rows of the table `comments`.

use diesel::prelude::*;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::text::CommentContent;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::comments;

#[derive(Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = comments, treat_none_as_default_value = false)]
pub(crate) struct CommentRow {
    pub(crate) id: DbId,
    post_id: Option<DbId>,
    market_id: Option<DbId>,
    author_id: DbId,
    content: String,
    created_at_us: i64,
    updated_at_us: i64,
}

impl TryFrom<CommentRow> for Comment {
    type Error = Failure;

    fn try_from(row: CommentRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "comments", id: row.id };
        let subject = match (row.post_id, row.market_id) {
            (Some(post), None) => Ok(CommentSubject::Post(post.into())),
            (None, Some(market)) => Ok(CommentSubject::Market(market.into())),
            _ => Err("it is about two things or none"),
        };
        Ok(Self {
            id: row.id.into(),
            subject: stored.convert("post_id", subject)?,
            author_id: row.author_id.into(),
            content: CommentContent::restore(row.content),
            created_at: stored.time("created_at_us", row.created_at_us)?,
            updated_at: stored.time("updated_at_us", row.updated_at_us)?,
        })
    }
}

impl From<&Comment> for CommentRow {
    fn from(comment: &Comment) -> Self {
        let (post_id, market_id) = match comment.subject {
            CommentSubject::Post(id) => (Some(id.into()), None),
            CommentSubject::Market(id) => (None, Some(id.into())),
        };
        Self {
            id: comment.id.into(),
            post_id,
            market_id,
            author_id: comment.author_id.into(),
            content: comment.content.as_str().to_owned(),
            created_at_us: comment.created_at.micros(),
            updated_at_us: comment.updated_at.micros(),
        }
    }
}
