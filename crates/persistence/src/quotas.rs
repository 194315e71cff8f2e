//! Counts for quotas, each from an index that contains nothing else of the user.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use foretell_domain::id::UserId;
use foretell_domain::quota::Quota;
use foretell_ports::error::StoreError;
use foretell_ports::quota::QuotaTx;

use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::prepared::prepared;
use crate::tx::UnitTx;

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    owned: i64,
}

/// Returns the statement of a quota. The phase and the status are literals, so that a generic plan
/// can use a partial index.
const fn statement(quota: Quota) -> &'static str {
    match quota {
        Quota::PublishedPosts => {
            "SELECT count(*) AS owned FROM posts WHERE author_id = ? AND status = 'published'"
        }
        Quota::Drafts => {
            "SELECT count(*) AS owned FROM posts WHERE author_id = ? AND status = 'draft'"
        }
        Quota::Comments => "SELECT count(*) AS owned FROM comments WHERE author_id = ?",
        Quota::OpenMarkets => {
            "SELECT count(*) AS owned FROM market_states WHERE creator_id = ? AND phase = 'open'"
        }
        Quota::ApiKeys => "SELECT count(*) AS owned FROM api_keys WHERE user_id = ?",
    }
}

/// Returns the number of a user's resources in this quota.
pub(crate) fn count(
    connection: &mut Connection<'_>,
    user: UserId,
    quota: Quota,
) -> Result<u32, Failure> {
    let count = prepared(statement(quota)).bind::<Id, _>(DbId::from(user));
    let row: CountRow = on!(connection, |c| count.get_result(c))?;
    Ok(u32::try_from(row.owned).unwrap_or(u32::MAX))
}

impl QuotaTx for UnitTx<'_, '_> {
    fn count_for_quota(&mut self, user: UserId, quota: Quota) -> Result<u32, StoreError> {
        self.step(|c| count(c, user, quota))
    }
}
