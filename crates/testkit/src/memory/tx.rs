//! The running unit: its locks, and its state.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use foretell_domain::id::{
    AccountId, CommentId, InvitationId, MarketId, PostId, UserId, WebhookId,
};
use foretell_ports::error::StoreError;

use super::table::rejected;
use super::tables::Tables;

/// A unit that runs on the store.
pub(super) struct MemoryTx<'a> {
    tables: &'a RwLock<Tables>,
    locked: LockedRows,
    is_failed: bool,
}

/// Rows that the unit has locked or inserted.
#[derive(Default)]
pub(super) struct LockedRows {
    pub(super) accounts: BTreeSet<AccountId>,
    pub(super) markets: BTreeSet<MarketId>,
    pub(super) users: BTreeSet<UserId>,
    pub(super) posts: BTreeSet<PostId>,
    pub(super) comments: BTreeSet<CommentId>,
    pub(super) webhooks: BTreeSet<WebhookId>,
    pub(super) invitations: BTreeSet<InvitationId>,
}

impl LockedRows {
    pub(super) fn check_account(&self, id: AccountId) -> Result<(), StoreError> {
        if self.accounts.contains(&id) {
            Ok(())
        } else {
            Err(rejected(format!("{id:?} is not locked")))
        }
    }

    pub(super) fn check_market(&self, id: MarketId) -> Result<(), StoreError> {
        if self.markets.contains(&id) {
            Ok(())
        } else {
            Err(rejected(format!("{id:?} is not locked")))
        }
    }

    pub(super) fn check_user(&self, id: UserId) -> Result<(), StoreError> {
        if self.users.contains(&id) {
            Ok(())
        } else {
            Err(rejected(format!("{id:?} is not locked")))
        }
    }

    pub(super) fn check_post(&self, id: PostId) -> Result<(), StoreError> {
        if self.posts.contains(&id) {
            Ok(())
        } else {
            Err(rejected(format!("{id:?} is not locked")))
        }
    }

    pub(super) fn check_comment(&self, id: CommentId) -> Result<(), StoreError> {
        if self.comments.contains(&id) {
            Ok(())
        } else {
            Err(rejected(format!("{id:?} is not locked")))
        }
    }

    pub(super) fn check_invitation(&self, id: InvitationId) -> Result<(), StoreError> {
        if self.invitations.contains(&id) {
            Ok(())
        } else {
            Err(rejected(format!("{id:?} is not locked")))
        }
    }

    pub(super) fn check_webhook(&self, id: WebhookId) -> Result<(), StoreError> {
        if self.webhooks.contains(&id) {
            Ok(())
        } else {
            Err(rejected(format!("{id:?} is not locked")))
        }
    }
}

impl<'a> MemoryTx<'a> {
    pub(super) fn begin(tables: &'a RwLock<Tables>) -> Self {
        Self { tables, locked: LockedRows::default(), is_failed: false }
    }

    /// Checks that nothing was rejected, so that the unit can be committed.
    pub(super) fn check_sound(&self) -> Result<(), StoreError> {
        if self.is_failed { Err(rejected("the unit went on after a refusal")) } else { Ok(()) }
    }

    /// Runs one step of the unit. After a failed step all others fail, as in Postgres.
    pub(super) fn step<T>(
        &mut self,
        step: impl FnOnce(&mut Tables, &mut LockedRows) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.check_sound()?;
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let result = step(&mut tables, &mut self.locked);
        self.is_failed = result.is_err();
        result
    }
}
