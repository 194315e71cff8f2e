//! Authorization policies: pure functions that use cases call.

use thiserror::Error;

use crate::account::Account;
use crate::id::UserId;
use crate::post::{Authorship, PostStatus};
use crate::scope::{Scope, Scopes};
use crate::user::Role;

/// The user or process for whom something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Actor {
    /// The authenticated user who makes a request.
    User {
        /// The user.
        id: UserId,
        /// Role at the time of the request.
        role: Role,
    },
    /// The process itself. Time or an earlier decision has decided what it does, such as closing
    /// an ended market, so it needs no permission and no policy gives it one.
    System,
}

impl Actor {
    /// Returns the user; `None` for the process itself.
    pub const fn user_id(self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(id),
            Self::System => None,
        }
    }

    /// Returns `true` if the actor is this user.
    pub fn is_user(self, user: UserId) -> bool {
        match self {
            Self::User { id, .. } => id == user,
            Self::System => false,
        }
    }

    /// Returns `true` if the actor is a user with this role or a higher one.
    fn has_role(self, least: Role) -> bool {
        match self {
            Self::User { role, .. } => role >= least,
            Self::System => false,
        }
    }
}

/// Reason why an authenticated actor is not allowed to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Denied {
    /// Only admins are allowed.
    #[error("this is reserved to admins")]
    AdminsOnly,
    /// Only the market's creator, moderators and admins are allowed.
    #[error("this is reserved to the market's creator, moderators and admins")]
    NotTheCreator,
    /// Only those who hold or have held shares of the market are allowed.
    #[error("this is reserved to those who hold or have held shares of the market")]
    NotAHolder,
    /// Only the proposer, and moderators and admins without a part in the market, are allowed.
    #[error("this is reserved to the proposer and to staff without a part in the market")]
    NotAJudge,
    /// Only the users themselves are allowed.
    #[error("this is reserved to the user themselves")]
    NotTheUser,
    /// The API key lacks this scope.
    #[error("the API key lacks the scope `{0}`")]
    LacksScope(Scope),
    /// Only sessions are allowed: an API key must not create more credentials.
    #[error("this takes a session, not an API key")]
    SessionsOnly,
    /// Only the author, moderators and admins are allowed.
    #[error("this is reserved to the author, moderators and admins")]
    NotTheAuthor,
}

/// Returns `true` if the actor may move money out of an account: only its owner may.
pub fn can_spend_from(actor: Actor, account: &Account) -> bool {
    account.owner().is_some_and(|owner| actor.is_user(owner))
}

/// Returns `true` if the actor may see an account and its transfers: its owner and admins may.
pub fn can_see_account(actor: Actor, owner: Option<UserId>) -> bool {
    actor.has_role(Role::Admin) || owner.is_some_and(|owner| actor.is_user(owner))
}

/// Allows a market's creator, moderators and admins to change, close, resolve, cancel and delete
/// it.
///
/// # Errors
/// [`Denied::NotTheCreator`] for everyone else.
pub fn may_manage_market(actor: Actor, creator: UserId) -> Result<(), Denied> {
    if actor.is_user(creator) || actor.has_role(Role::Moderator) {
        Ok(())
    } else {
        Err(Denied::NotTheCreator)
    }
}

/// Returns `true` if the actor is a moderator or an admin without a part in a market: neither its
/// creator nor with a stake, which means that they hold or have held its shares.
pub fn is_uninvolved_staff(actor: Actor, creator: UserId, has_stake: bool) -> bool {
    actor.has_role(Role::Moderator) && !actor.is_user(creator) && !has_stake
}

/// Allows admins to mint money, reverse transfers and audit the ledger.
///
/// # Errors
/// [`Denied::AdminsOnly`] for everyone else.
pub fn may_administer(actor: Actor) -> Result<(), Denied> {
    if actor.has_role(Role::Admin) { Ok(()) } else { Err(Denied::AdminsOnly) }
}

/// Allows users what nobody else may do for them, such as deleting their account.
///
/// # Errors
/// [`Denied::NotTheUser`] for everyone else, including moderators and admins.
pub fn may_dispose_of_user(actor: Actor, user: UserId) -> Result<(), Denied> {
    if actor.is_user(user) { Ok(()) } else { Err(Denied::NotTheUser) }
}

/// Returns `true` if the actor may see a user's email address and status: the user, moderators and
/// admins may.
pub fn can_see_contact(actor: Actor, user: UserId) -> bool {
    actor.is_user(user) || actor.has_role(Role::Moderator)
}

/// Checks that the scopes of a credential include the one needed.
///
/// # Errors
/// [`Denied::LacksScope`] if it is missing.
pub fn may_use(granted: Scopes, needed: Scope) -> Result<(), Denied> {
    if granted.contains(needed) { Ok(()) } else { Err(Denied::LacksScope(needed)) }
}

/// Returns `true` if the actor, if any, may see a post and its comments: only the author may see a
/// draft.
pub fn can_see_post(actor: Option<Actor>, post: Authorship) -> bool {
    post.status == PostStatus::Published || actor.is_some_and(|actor| actor.is_user(post.author_id))
}

/// Allows a post's author, moderators and admins to change and delete it. Check [`can_see_post`]
/// first.
///
/// # Errors
/// [`Denied::NotTheAuthor`] for everyone else.
pub fn may_edit_post(actor: Actor, author: UserId) -> Result<(), Denied> {
    if actor.is_user(author) || actor.has_role(Role::Moderator) {
        Ok(())
    } else {
        Err(Denied::NotTheAuthor)
    }
}

/// Allows a comment's author, moderators and admins to change and delete it.
///
/// # Errors
/// [`Denied::NotTheAuthor`] for everyone else.
pub fn may_edit_comment(actor: Actor, author: UserId) -> Result<(), Denied> {
    may_edit_post(actor, author)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AccountId;

    const CREATOR: UserId = UserId::from_u128(1);
    const OTHER: UserId = UserId::from_u128(2);

    /// Checks the permissions of an actor, of `spend`, `see`, `manage`, `administer`, `contact` and
    /// `dispose`; the last two concern the creator's user.
    fn check(actor: Actor, expected: &[&str]) {
        let account = Account::user(AccountId::from_u128(3), CREATOR);
        let may = [
            ("spend", can_spend_from(actor, &account)),
            ("see", can_see_account(actor, account.owner())),
            ("manage", may_manage_market(actor, CREATOR).is_ok()),
            ("administer", may_administer(actor).is_ok()),
            ("contact", can_see_contact(actor, CREATOR)),
            ("dispose", may_dispose_of_user(actor, CREATOR).is_ok()),
        ];
        let may: Vec<_> =
            may.into_iter().filter(|(_, allowed)| *allowed).map(|(what, _)| what).collect();
        assert_eq!(may, expected, "{actor:?}");
    }

    #[test]
    fn roles_have_exactly_these_permissions() {
        let user = |id, role| Actor::User { id, role };
        check(user(CREATOR, Role::User), &["spend", "see", "manage", "contact", "dispose"]);
        check(user(OTHER, Role::User), &[]);
        check(user(OTHER, Role::Moderator), &["manage", "contact"]);
        check(user(OTHER, Role::Admin), &["see", "manage", "administer", "contact"]);
        check(Actor::System, &[]);
    }

    #[test]
    fn key_is_limited_to_its_scopes() {
        let check = |granted: &[Scope], needed, expected| {
            assert_eq!(
                may_use(Scopes::new(granted.iter().copied()).unwrap(), needed),
                expected,
                "{granted:?} {needed:?}"
            );
        };
        for scope in Scope::ALL {
            check(&Scope::ALL, scope, Ok(()));
            check(&[scope], scope, Ok(()));
        }
        check(&[Scope::Manage], Scope::Read, Err(Denied::LacksScope(Scope::Read)));
        check(&[Scope::Read, Scope::Trade], Scope::Manage, Err(Denied::LacksScope(Scope::Manage)));
    }

    #[test]
    fn account_without_owner_rejects_spending() {
        let admin = Actor::User { id: OTHER, role: Role::Admin };
        for actor in [admin, Actor::System] {
            assert!(!can_spend_from(actor, &Account::treasury()), "{actor:?}");
        }
        assert!(can_see_account(admin, None) && !can_see_account(Actor::System, None));
    }

    /// Checks the permissions for a post or comment of [`CREATOR`], of `draft`, `published`, `edit
    /// post` and `edit comment`.
    fn check_content(actor: Option<Actor>, expected: &[&str]) {
        let sees = |status| can_see_post(actor, Authorship { author_id: CREATOR, status });
        let may = [
            ("draft", sees(PostStatus::Draft)),
            ("published", sees(PostStatus::Published)),
            ("edit post", actor.is_some_and(|actor| may_edit_post(actor, CREATOR).is_ok())),
            ("edit comment", actor.is_some_and(|actor| may_edit_comment(actor, CREATOR).is_ok())),
        ];
        let may: Vec<_> =
            may.into_iter().filter(|(_, allowed)| *allowed).map(|(what, _)| what).collect();
        assert_eq!(may, expected, "{actor:?}");
    }

    #[test]
    fn drafts_are_visible_to_author_only() {
        let user = |id, role| Actor::User { id, role };
        check_content(None, &["published"]);
        check_content(Some(Actor::System), &["published"]);
        check_content(
            Some(user(CREATOR, Role::User)),
            &["draft", "published", "edit post", "edit comment"],
        );
        check_content(Some(user(OTHER, Role::User)), &["published"]);
        check_content(
            Some(user(OTHER, Role::Moderator)),
            &["published", "edit post", "edit comment"],
        );
        check_content(Some(user(OTHER, Role::Admin)), &["published", "edit post", "edit comment"]);
    }
}
