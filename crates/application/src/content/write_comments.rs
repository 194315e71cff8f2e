//! Creates, changes and deletes comments.

use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::CommentId;
use foretell_domain::market::MarketError;
use foretell_domain::policy::{self, Actor};
use foretell_domain::post::PostError;
use foretell_domain::quota::Quota;
use foretell_domain::text::CommentContent;
use foretell_ports::post::LockedSubject;
use foretell_ports::unit::{Locked, Tx};

use super::Content;
use crate::Caller;
use crate::error::AppError;

impl Content {
    /// Creates a comment on a post or a market that the caller may see.
    ///
    /// # Errors
    /// [`AppError::Refused`] with the `NotFound` of the subject or `Quota`; [`AppError::Store`].
    pub async fn write_comment(
        &self,
        caller: &Caller,
        subject: CommentSubject,
        content: CommentContent,
    ) -> Result<Comment, AppError> {
        let id = CommentId::from_u128(self.context.next_id());
        let (author_id, now) = (caller.user.id, self.context.now());
        let comment = Comment { id, subject, author_id, content, created_at: now, updated_at: now };
        let (stored, quotas) = (comment.clone(), self.quotas);
        let work = move |tx: &mut dyn Tx, actor: Actor| {
            if !can_see(actor, tx.lock_subject(subject)?) {
                return Err(subject_not_found(subject));
            }
            quotas.check(Quota::Comments, tx.count_for_quota(author_id, Quota::Comments)?)?;
            Ok(tx.insert_comment(&stored)?)
        };
        self.context.run_as_only(caller, "write_comment", work).await?;
        Ok(comment)
    }

    /// Changes the text of a comment; `None` leaves it unchanged. For its author, moderators and
    /// admins, if they may see its subject.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `CommentNotFound` or `NotTheAuthor`, [`AppError::Store`].
    pub async fn edit_comment(
        &self,
        caller: &Caller,
        id: CommentId,
        content: Option<CommentContent>,
    ) -> Result<Comment, AppError> {
        let now = self.context.now();
        let subject = self.subject_of(id).await?;
        let work = move |tx: &mut dyn Tx, actor| {
            let mut comment = lock_to_change(tx, actor, (id, subject))?;
            if content.clone().is_some_and(|content| comment.edit(content, now)) {
                tx.save_comment(&comment)?;
            }
            Ok(comment.into_inner())
        };
        self.context.run_as(caller, "edit_comment", work).await
    }

    /// Deletes a comment. For everyone who may change it.
    ///
    /// # Errors
    /// The errors of changing it.
    pub async fn delete_comment(&self, caller: &Caller, id: CommentId) -> Result<(), AppError> {
        let subject = self.subject_of(id).await?;
        let work = move |tx: &mut dyn Tx, actor| {
            let comment = lock_to_change(tx, actor, (id, subject))?;
            Ok(tx.delete_comment(comment)?)
        };
        self.context.run_as(caller, "delete_comment", work).await
    }

    /// Returns the subject of a comment, which never changes: the unit locks it before the comment.
    async fn subject_of(&self, id: CommentId) -> Result<CommentSubject, AppError> {
        let found = self.posts.find_comment(id).await?;
        Ok(found.ok_or(PostError::CommentNotFound(id))?.subject)
    }
}

fn can_see(actor: Actor, subject: Option<LockedSubject>) -> bool {
    subject.is_some_and(|subject| match subject {
        LockedSubject::Post(authorship) => policy::can_see_post(Some(actor), authorship),
        LockedSubject::Market => true,
    })
}

/// Returns the error for a subject that does not exist, or that the caller may not see.
fn subject_not_found(subject: CommentSubject) -> AppError {
    match subject {
        CommentSubject::Post(id) => PostError::NotFound(id).into(),
        CommentSubject::Market(id) => MarketError::NotFound(id).into(),
    }
}

/// Locks a comment that the actor may change.
fn lock_to_change(
    tx: &mut dyn Tx,
    actor: Actor,
    (id, subject): (CommentId, CommentSubject),
) -> Result<Locked<Comment>, AppError> {
    let is_visible = can_see(actor, tx.lock_subject(subject)?);
    let found = if is_visible { tx.lock_comment(id)? } else { None };
    let comment = found.ok_or(PostError::CommentNotFound(id))?;
    policy::may_edit_comment(actor, comment.author_id)?;
    Ok(comment)
}
