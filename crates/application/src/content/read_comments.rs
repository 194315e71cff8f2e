//! Reads comments on subjects that the caller may see.

use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::CommentId;
use foretell_domain::post::PostError;
use foretell_ports::page::PageRequest;

use super::Content;
use crate::Caller;
use crate::error::AppError;
use crate::markets::read_markets::get_market;

impl Content {
    /// Returns a page of the comments on a post or market, newest first.
    ///
    /// # Errors
    /// As for the post or market itself.
    pub async fn list_comments(
        &self,
        caller: Option<&Caller>,
        subject: CommentSubject,
        page: PageRequest<CommentId>,
    ) -> Result<Vec<Comment>, AppError> {
        self.check_visible(caller, subject).await?;
        Ok(self.posts.list_comments(subject, page).await?)
    }

    /// Returns a comment whose subject the caller may see; any other is reported as not found.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `CommentNotFound`, [`AppError::Store`].
    pub async fn get_comment(
        &self,
        caller: Option<&Caller>,
        id: CommentId,
    ) -> Result<Comment, AppError> {
        let not_found = || AppError::from(PostError::CommentNotFound(id));
        let comment = self.posts.find_comment(id).await?.ok_or_else(not_found)?;
        match self.check_visible(caller, comment.subject).await {
            Err(AppError::Refused(_)) => Err(not_found()),
            checked => checked.map(|()| comment),
        }
    }

    async fn check_visible(
        &self,
        caller: Option<&Caller>,
        subject: CommentSubject,
    ) -> Result<(), AppError> {
        match subject {
            CommentSubject::Post(id) => self.get_post(caller, id).await.map(drop),
            CommentSubject::Market(id) => get_market(&*self.markets, id).await.map(drop),
        }
    }
}
