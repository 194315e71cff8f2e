//! Creates, changes and deletes posts.

use foretell_domain::event::DomainEvent;
use foretell_domain::id::{PostId, UserId};
use foretell_domain::policy::{self, Actor};
use foretell_domain::post::{Post, PostBody, PostEdit, PostError, PostStatus};
use foretell_domain::quota::{Quota, Quotas};
use foretell_ports::unit::{Locked, Tx};

use super::Content;
use crate::Caller;
use crate::error::AppError;
use crate::expected_version::ExpectedVersion;

impl Content {
    /// Stores a new post of the caller.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `Quota`, [`AppError::Store`].
    pub async fn write_post(&self, caller: &Caller, body: PostBody) -> Result<Post, AppError> {
        let id = PostId::from_u128(self.context.next_id());
        let (author_id, now) = (caller.user.id, self.context.now());
        let post = Post { id, author_id, body, version: 1, created_at: now, updated_at: now };
        let (stored, quotas) = (post.clone(), self.quotas);
        let projection = self.context.projector.prepare().await;
        let work = move |tx: &mut dyn Tx, _| {
            check_quota(tx, &quotas, author_id, stored.body.status)?;
            tx.insert_post(&stored)?;
            Ok(projection.write(tx, &[DomainEvent::PostWritten(id)], now)?)
        };
        let written = self.context.run_as_only(caller, "write_post", work).await;
        self.post_totals.forget();
        written?;
        Ok(post)
    }

    /// Changes a post. For its author and, once it is published, moderators and admins. An edit
    /// that changes nothing does not increment the version. An author who changes the status needs
    /// room in the quota of the new one; a moderator who unpublishes a post does not.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, also for another user's draft, `NotTheAuthor` or
    /// `Quota`; [`AppError::Stale`] if the post has another version than expected;
    /// [`AppError::Store`].
    pub async fn edit_post(
        &self,
        caller: &Caller,
        id: PostId,
        edit: PostEdit,
        expected: ExpectedVersion,
    ) -> Result<Post, AppError> {
        let now = self.context.now();
        let projection = self.context.projector.prepare().await;
        let quotas = self.quotas;
        let work = move |tx: &mut dyn Tx, actor: Actor| {
            let mut post = lock_to_change(tx, actor, id)?;
            expected.check(post.version)?;
            let before = post.body.status;
            if post.edit(edit.clone(), now) {
                let status = post.body.status;
                if status != before && actor.is_user(post.author_id) {
                    check_quota(tx, &quotas, post.author_id, status)?;
                }
                tx.save_post(&post)?;
                projection.write(tx, &[DomainEvent::PostWritten(id)], now)?;
            }
            Ok(post.into_inner())
        };
        let edited = self.context.run_as_only(caller, "edit_post", work).await;
        // It may have been published, or have other tags.
        self.post_totals.forget();
        edited
    }

    /// Deletes a post with all comments on it. For everyone who may change it.
    ///
    /// # Errors
    /// The errors of changing it, except [`AppError::Stale`].
    pub async fn delete_post(&self, caller: &Caller, id: PostId) -> Result<(), AppError> {
        let work = move |tx: &mut dyn Tx, actor| {
            let post = lock_to_change(tx, actor, id)?;
            Ok(tx.delete_post(post)?)
        };
        let deleted = self.context.run_as(caller, "delete_post", work).await;
        self.post_totals.forget();
        deleted
    }
}

/// Checks that an author, whom the unit has locked exclusively, may have one more post of this
/// status.
fn check_quota(
    tx: &mut dyn Tx,
    quotas: &Quotas,
    author: UserId,
    status: PostStatus,
) -> Result<(), AppError> {
    let quota = Quota::of_post(status);
    Ok(quotas.check(quota, tx.count_for_quota(author, quota)?)?)
}

/// Locks a post that the actor may change.
fn lock_to_change(tx: &mut dyn Tx, actor: Actor, id: PostId) -> Result<Locked<Post>, AppError> {
    let found = tx.lock_post(id)?;
    let visible = found.filter(|post| policy::can_see_post(Some(actor), post.authorship()));
    let post = visible.ok_or(PostError::NotFound(id))?;
    policy::may_edit_post(actor, post.author_id)?;
    Ok(post)
}
