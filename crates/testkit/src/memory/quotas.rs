//! Counts for quotas, in memory.

use foretell_domain::id::UserId;
use foretell_domain::market::Phase;
use foretell_domain::post::PostStatus;
use foretell_domain::quota::Quota;
use foretell_ports::error::StoreError;
use foretell_ports::quota::QuotaTx;

use super::api_keys;
use super::table::rejected;
use super::tables::Tables;
use super::tx::{LockedRows, MemoryTx};
use super::users::accounts_of;

impl QuotaTx for MemoryTx<'_> {
    fn count_for_quota(&mut self, user: UserId, quota: Quota) -> Result<u32, StoreError> {
        self.step(|tables, locked| {
            check_lock(tables, locked, user, quota)?;
            let of_status = |status| {
                let is_theirs = |post: &&_| is_post_of(post, user, status);
                tables.posts.range(..).map(|(_, post)| post).filter(is_theirs).count()
            };
            let count = match quota {
                Quota::PublishedPosts => of_status(PostStatus::Published),
                Quota::Drafts => of_status(PostStatus::Draft),
                Quota::Comments => tables
                    .comments
                    .range(..)
                    .filter(|(_, comment)| comment.author_id == user)
                    .count(),
                Quota::OpenMarkets => {
                    let records = tables.markets.range(..).map(|(_, row)| row.market.record());
                    let is_open = |record: &&foretell_domain::market::MarketRecord| {
                        record.creator_id == user && record.phase == Phase::Open
                    };
                    records.filter(is_open).count()
                }
                Quota::ApiKeys => api_keys::ids_of(tables, user).len(),
            };
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
    }
}

fn is_post_of(post: &foretell_domain::post::Post, author: UserId, status: PostStatus) -> bool {
    post.author_id == author && post.body.status == status
}

/// Rejects a count that another unit might change.
fn check_lock(
    tables: &Tables,
    locked: &LockedRows,
    user: UserId,
    quota: Quota,
) -> Result<(), StoreError> {
    if quota != Quota::OpenMarkets {
        return locked.check_user(user);
    }
    let mut accounts = accounts_of(tables, user);
    if accounts.any(|account| locked.accounts.contains(&account)) {
        return Ok(());
    }
    Err(rejected(format!("no account of {user:?} is locked")))
}
