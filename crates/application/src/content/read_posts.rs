//! Reads posts with related resources, and tags; visible to everyone, except drafts.

use std::collections::BTreeMap;

use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{PostId, UserId};
use foretell_domain::policy;
use foretell_domain::post::{Post, PostError, PostStatus};
use foretell_domain::user::User;
use foretell_ports::page::PageRequest;
use foretell_ports::post::PostFilter;

use super::Content;
use crate::Caller;
use crate::error::AppError;

/// Maximum number of comments embedded in a post: its newest.
pub const MAX_COMMENTS_WITH_POST: u32 = 20;

/// Resources that can be embedded in posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PostRelation {
    /// Their authors.
    Author,
    /// Their newest comments.
    Comments,
}

/// Resources embedded in posts; `None` was not requested.
#[derive(Debug, Clone, Default)]
pub struct RelatedToPosts {
    /// The authors.
    pub authors: Option<BTreeMap<UserId, User>>,
    /// Newest comments of each post that has any, newest first.
    pub comments: Option<BTreeMap<PostId, Vec<Comment>>>,
}

impl Content {
    /// Returns a page of the posts that match a filter, newest first. Of drafts, only the caller's
    /// own.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_posts(
        &self,
        caller: Option<&Caller>,
        filter: &PostFilter,
        page: PageRequest<PostId>,
    ) -> Result<Vec<Post>, AppError> {
        match visible(caller, filter) {
            Some(filter) => Ok(self.posts.list_posts(&filter, page).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the number of these posts: changes by other processes in the last seconds may be
    /// missing.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_posts(
        &self,
        caller: Option<&Caller>,
        filter: &PostFilter,
    ) -> Result<i64, AppError> {
        match visible(caller, filter) {
            Some(filter) => {
                let count = self.posts.count_posts(&filter);
                Ok(self.post_totals.get(filter.clone(), self.context.now(), count).await?)
            }
            None => Ok(0),
        }
    }

    /// Returns a post that the caller may see; any other is reported as not found.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, [`AppError::Store`].
    pub async fn get_post(&self, caller: Option<&Caller>, id: PostId) -> Result<Post, AppError> {
        let found = self.posts.find_post(id).await?;
        let actor = caller.map(Caller::actor);
        let visible = found.filter(|post| policy::can_see_post(actor, post.authorship()));
        visible.ok_or(PostError::NotFound(id).into())
    }

    /// Returns resources related to posts that the caller may see, with one query for each kind.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn relate_to_posts(
        &self,
        posts: &[Post],
        wanted: &[PostRelation],
    ) -> Result<RelatedToPosts, AppError> {
        let mut related = RelatedToPosts::default();
        if wanted.contains(&PostRelation::Author) {
            let ids: Vec<_> = posts.iter().map(|post| post.author_id).collect();
            let users = self.users.find_users(&ids).await?;
            related.authors = Some(users.into_iter().map(|user| (user.id, user)).collect());
        }
        if wanted.contains(&PostRelation::Comments) {
            let ids: Vec<_> = posts.iter().map(|post| post.id).collect();
            let comments = self.posts.list_newest_comments(&ids, MAX_COMMENTS_WITH_POST).await?;
            related.comments = Some(by_post(comments));
        }
        Ok(related)
    }
}

/// Restricts a filter to posts that the caller may see; `None` if there are none.
pub(crate) fn visible(caller: Option<&Caller>, filter: &PostFilter) -> Option<PostFilter> {
    if filter.status == PostStatus::Published {
        return Some(filter.clone());
    }
    let own = caller.map(|caller| caller.user.id)?;
    let is_own = filter.author_id.is_none_or(|author| author == own);
    is_own.then(|| PostFilter { author_id: Some(own), ..filter.clone() })
}

fn by_post(comments: Vec<Comment>) -> BTreeMap<PostId, Vec<Comment>> {
    let mut posts: BTreeMap<PostId, Vec<Comment>> = BTreeMap::new();
    for comment in comments {
        if let CommentSubject::Post(post) = comment.subject {
            posts.entry(post).or_default().push(comment);
        }
    }
    posts
}
