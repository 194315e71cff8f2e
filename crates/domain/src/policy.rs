//! Policies: who may do what, as pure functions that use cases call.

use thiserror::Error;

use crate::account::Account;
use crate::id::UserId;
use crate::post::{Authorship, PostStatus};
use crate::scope::{Scope, Scopes};
use crate::user::Role;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Actor {
    /// The user.
    pub user_id: UserId,
    /// Their role when the request came in.
    pub role: Role,
}

/// The actor is known but may not do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Denied {
    /// Only admins do this.
    #[error("this is reserved to admins")]
    AdminsOnly,
    /// Only the market's creator, moderators and admins do this.
    #[error("this is reserved to the market's creator, moderators and admins")]
    NotTheCreator,
    /// Only the user themselves does this.
    #[error("this is reserved to the user themselves")]
    NotTheUser,
    /// The API key was not given this scope.
    #[error("the API key lacks the scope `{0}`")]
    LacksScope(Scope),
    /// Only who has signed in does this: an API key must not make itself at home.
    #[error("this takes a session, not an API key")]
    SessionsOnly,
    /// Only the author, moderators and admins do this.
    #[error("this is reserved to the author, moderators and admins")]
    NotTheAuthor,
}

/// Whether the actor may move money out of an account: only its owner may.
pub fn can_spend_from(actor: Actor, account: &Account) -> bool {
    account.owner() == Some(actor.user_id)
}

/// Whether the actor may see an account and its transfers: its owner and admins may.
pub fn can_see_account(actor: Actor, owner: Option<UserId>) -> bool {
    actor.role == Role::Admin || owner == Some(actor.user_id)
}

/// Lets a market's creator, moderators and admins change, close, resolve, cancel and delete it.
///
/// # Errors
/// [`Denied::NotTheCreator`] for everyone else.
pub fn may_manage_market(actor: Actor, creator: UserId) -> Result<(), Denied> {
    if actor.user_id == creator || actor.role >= Role::Moderator {
        Ok(())
    } else {
        Err(Denied::NotTheCreator)
    }
}

/// Lets admins mint money, reverse transfers and audit the ledger.
///
/// # Errors
/// [`Denied::AdminsOnly`] for everyone else.
pub fn may_administer(actor: Actor) -> Result<(), Denied> {
    if actor.role == Role::Admin { Ok(()) } else { Err(Denied::AdminsOnly) }
}

/// Lets users do with themselves what nobody may do for them, such as being deleted.
///
/// # Errors
/// [`Denied::NotTheUser`] for everyone else, the staff too.
pub fn may_dispose_of_user(actor: Actor, user: UserId) -> Result<(), Denied> {
    if actor.user_id == user { Ok(()) } else { Err(Denied::NotTheUser) }
}

/// Whether the actor may see a user's mail address and status: they themselves and the staff may.
pub fn can_see_contact(actor: Actor, user: UserId) -> bool {
    actor.user_id == user || actor.role >= Role::Moderator
}

/// Lets who presents a credential with some scopes do what takes this one.
///
/// # Errors
/// [`Denied::LacksScope`] without it.
pub fn may_use(granted: Scopes, needed: Scope) -> Result<(), Denied> {
    if granted.contains(needed) { Ok(()) } else { Err(Denied::LacksScope(needed)) }
}

/// Whether somebody, signed in or not, may see a post and its comments: a draft is for its author alone.
pub fn can_see_post(actor: Option<Actor>, post: Authorship) -> bool {
    post.status == PostStatus::Published || actor.is_some_and(|actor| actor.user_id == post.author_id)
}

/// Lets a post's author, moderators and admins change and delete it. What they cannot see they do not get at.
///
/// # Errors
/// [`Denied::NotTheAuthor`] for everyone else.
pub fn may_edit_post(actor: Actor, author: UserId) -> Result<(), Denied> {
    if actor.user_id == author || actor.role >= Role::Moderator { Ok(()) } else { Err(Denied::NotTheAuthor) }
}

/// Lets a comment's author, moderators and admins change and delete it.
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

    /// What an actor may do, of `spend`, `see`, `manage`, `administer`, `contact` and `dispose`; the last two
    /// with the creator's user.
    fn check(user_id: UserId, role: Role, expected: &[&str]) {
        let actor = Actor { user_id, role };
        let account = Account::user(AccountId::from_u128(3), CREATOR);
        let may = [
            ("spend", can_spend_from(actor, &account)),
            ("see", can_see_account(actor, account.owner())),
            ("manage", may_manage_market(actor, CREATOR).is_ok()),
            ("administer", may_administer(actor).is_ok()),
            ("contact", can_see_contact(actor, CREATOR)),
            ("dispose", may_dispose_of_user(actor, CREATOR).is_ok()),
        ];
        let may: Vec<_> = may.into_iter().filter(|(_, allowed)| *allowed).map(|(what, _)| what).collect();
        assert_eq!(may, expected, "{actor:?}");
    }

    #[test]
    fn each_role_may_do_exactly_this() {
        check(CREATOR, Role::User, &["spend", "see", "manage", "contact", "dispose"]);
        check(OTHER, Role::User, &[]);
        check(OTHER, Role::Moderator, &["manage", "contact"]);
        check(OTHER, Role::Admin, &["see", "manage", "administer", "contact"]);
    }

    #[test]
    fn a_key_does_what_its_scopes_say() {
        let check = |granted: &[Scope], needed, expected| {
            assert_eq!(
                may_use(granted.iter().copied().collect(), needed),
                expected,
                "{granted:?} {needed:?}"
            );
        };
        for scope in Scope::ALL {
            check(&Scope::ALL, scope, Ok(()));
            check(&[scope], scope, Ok(()));
            check(&[], scope, Err(Denied::LacksScope(scope)));
        }
        check(&[Scope::Manage], Scope::Read, Err(Denied::LacksScope(Scope::Read)));
        check(&[Scope::Read, Scope::Trade], Scope::Manage, Err(Denied::LacksScope(Scope::Manage)));
    }

    #[test]
    fn nobody_spends_from_accounts_without_an_owner() {
        let admin = Actor { user_id: OTHER, role: Role::Admin };
        assert!(!can_spend_from(admin, &Account::treasury()));
        assert!(can_see_account(admin, None));
    }

    /// What somebody may do with a post or comment of [`CREATOR`], of `draft`, `published`, `edit post` and
    /// `edit comment`.
    fn check_content(somebody: Option<(UserId, Role)>, expected: &[&str]) {
        let actor = somebody.map(|(user_id, role)| Actor { user_id, role });
        let sees = |status| can_see_post(actor, Authorship { author_id: CREATOR, status });
        let may = [
            ("draft", sees(PostStatus::Draft)),
            ("published", sees(PostStatus::Published)),
            ("edit post", actor.is_some_and(|actor| may_edit_post(actor, CREATOR).is_ok())),
            ("edit comment", actor.is_some_and(|actor| may_edit_comment(actor, CREATOR).is_ok())),
        ];
        let may: Vec<_> = may.into_iter().filter(|(_, allowed)| *allowed).map(|(what, _)| what).collect();
        assert_eq!(may, expected, "{actor:?}");
    }

    #[test]
    fn drafts_are_for_their_author_and_edits_for_the_staff_too() {
        check_content(None, &["published"]);
        check_content(Some((CREATOR, Role::User)), &["draft", "published", "edit post", "edit comment"]);
        check_content(Some((OTHER, Role::User)), &["published"]);
        check_content(Some((OTHER, Role::Moderator)), &["published", "edit post", "edit comment"]);
        check_content(Some((OTHER, Role::Admin)), &["published", "edit post", "edit comment"]);
    }
}
