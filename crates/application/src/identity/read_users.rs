//! Reads users and their sessions.

use std::collections::BTreeMap;

use foretell_domain::id::{SessionId, UserId};
use foretell_domain::post::Post;
use foretell_domain::user::{User, UserError};
use foretell_ports::page::PageRequest;
use foretell_ports::user::Session;

use super::Identity;
use crate::caller::Caller;
use crate::error::AppError;

/// Maximum number of posts embedded in a user: the newest.
pub const MAX_POSTS_WITH_USER: u32 = 20;

/// Maximum number of posts embedded in a list of users: a post has up to 50,000 characters, and
/// the whole response is in memory.
const MAX_POSTS_WITH_USERS: usize = 100;

/// Resources that can be embedded in users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserRelation {
    /// Their newest published posts.
    Posts,
}

/// Resources embedded in users; `None` was not requested.
#[derive(Debug, Clone, Default)]
pub struct RelatedToUsers {
    /// Newest published posts of each user who has any, newest first.
    pub posts: Option<BTreeMap<UserId, Vec<Post>>>,
}

impl Identity {
    /// Returns resources related to users, with one query for each kind.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn relate_to_users(
        &self,
        users: &[User],
        wanted: &[UserRelation],
    ) -> Result<RelatedToUsers, AppError> {
        let mut related = RelatedToUsers::default();
        if wanted.contains(&UserRelation::Posts) {
            let ids: Vec<_> = users.iter().map(|user| user.id).collect();
            let mut by_author: BTreeMap<UserId, Vec<Post>> = BTreeMap::new();
            for post in self.posts.list_newest_posts(&ids, posts_per_user(ids.len())).await? {
                by_author.entry(post.author_id).or_default().push(post);
            }
            related.posts = Some(by_author);
        }
        Ok(related)
    }

    /// Returns the user with this id, erased or not.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, [`AppError::Store`].
    pub async fn get_user(&self, id: UserId) -> Result<User, AppError> {
        let found = self.users.find_user(id).await?;
        found.ok_or(UserError::NotFound(id).into())
    }

    /// Returns a page of the caller's own live sessions, newest first. It requires a session.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, [`AppError::Store`].
    pub async fn list_sessions(
        &self,
        caller: &Caller,
        page: PageRequest<SessionId>,
    ) -> Result<Vec<Session>, AppError> {
        caller.session()?;
        Ok(self.users.list_sessions(caller.user.id, self.context.now(), page).await?)
    }

    /// Returns the number of the caller's live sessions. It requires a session.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, [`AppError::Store`].
    pub async fn count_sessions(&self, caller: &Caller) -> Result<i64, AppError> {
        caller.session()?;
        Ok(self.users.count_sessions(caller.user.id, self.context.now()).await?)
    }
}

/// Returns the number of posts embedded in each of this many users.
fn posts_per_user(users: usize) -> u32 {
    let share = MAX_POSTS_WITH_USERS / users.max(1);
    u32::try_from(share).unwrap_or(u32::MAX).clamp(1, MAX_POSTS_WITH_USER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_users_have_fewer_posts_each() {
        for (users, expected) in
            [(0, 20), (1, 20), (5, 20), (6, 16), (20, 5), (51, 1), (100, 1), (1_000, 1)]
        {
            assert_eq!(posts_per_user(users), expected, "{users}");
        }
    }
}
