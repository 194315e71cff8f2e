//! Leaderboard of traders by profit; visible to everyone.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use foretell_domain::id::UserId;
use foretell_domain::user::User;
use foretell_ports::error::StoreError;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::portfolio::Profit;

use super::Trading;
use crate::error::AppError;
use crate::trading::leaderboards::{MAX_RANKED, Period};

/// Cursor on a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankKey {
    /// Profit of the trader, in minor units.
    pub profit_minor: i64,
    /// Trader, ascending by id among equals.
    pub user_id: UserId,
}

/// A trader on a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankedTrader {
    /// Rank, from 1.
    pub rank: i64,
    /// The trader and the profit.
    pub profit: Profit,
}

impl RankedTrader {
    /// Returns the cursor of the trader.
    pub const fn key(&self) -> RankKey {
        RankKey { profit_minor: self.profit.profit_minor, user_id: self.profit.user_id }
    }
}

impl Trading {
    /// Returns a page of the leaderboard of a period, the highest profit first, and the number of
    /// entries, 10,000 at most. Trades of the last seconds may be missing.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn get_leaderboard(
        &self,
        period: Period,
        page: PageRequest<RankKey>,
    ) -> Result<(Vec<RankedTrader>, i64), AppError> {
        let ledger = Arc::clone(&self.ledger);
        let rank = |since| async move { ledger.rank_profits(since, MAX_RANKED).await };
        let board = self.leaderboards.get(period, self.context.now(), rank).await;
        // The same error for all callers that waited for the result; they may try again.
        let own = |shared| StoreError::Unavailable(Box::new(shared));
        let board = board.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(own))?;
        let skipped = match page.start {
            PageStart::First => 0,
            PageStart::Offset(rows) => usize::try_from(rows).unwrap_or(usize::MAX),
            PageStart::After(key) => {
                let last = place(key.profit_minor, key.user_id);
                board.partition_point(|profit| place(profit.profit_minor, profit.user_id) <= last)
            }
        };
        let ranked =
            (1..).zip(board.iter()).map(|(rank, profit)| RankedTrader { rank, profit: *profit });
        let rows = ranked.skip(skipped).take(page.limit as usize).collect();
        Ok((rows, i64::try_from(board.len()).unwrap_or(i64::MAX)))
    }

    /// Returns the users of a page of a leaderboard, with one query.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn relate_to_ranks(
        &self,
        ranks: &[RankedTrader],
    ) -> Result<BTreeMap<UserId, User>, AppError> {
        let ids: Vec<_> = ranks.iter().map(|ranked| ranked.profit.user_id).collect();
        let users = self.users.find_users(&ids).await?;
        Ok(users.into_iter().map(|user| (user.id, user)).collect())
    }
}

/// Sort key that ascends along a leaderboard.
const fn place(profit_minor: i64, user_id: UserId) -> (Reverse<i64>, UserId) {
    (Reverse(profit_minor), user_id)
}
