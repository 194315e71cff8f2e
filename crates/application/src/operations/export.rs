//! Exports all data of a kind, row by row: only one page is in memory at a time.

use std::io;

use foretell_domain::comment::Comment;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::market::Bet;
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_domain::user::User;
use foretell_ports::error::StoreError;
use foretell_ports::known_network::KnownNetwork;
use foretell_ports::ledger::AccountDetails;
use foretell_ports::market::{MarketDetails, MarketFilter, MarketSort};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::portfolio::BetKey;
use foretell_ports::post::PostFilter;
use foretell_ports::user::Session;
use thiserror::Error;

use super::Operations;

/// Number of rows in one query.
const ROWS: u32 = 500;

/// Data to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// All markets, newest first.
    Markets,
    /// All bets and sales, market by market, newest first in each.
    Bets,
    /// All transfers, by descending id.
    Transfers,
    /// All data of a user: the profile, accounts with their transfers, bets, posts, comments,
    /// sessions and known networks.
    User(UserId),
}

/// A row of an export.
#[derive(Debug, Clone, Copy)]
pub enum ExportRow<'a> {
    /// A market.
    Market(&'a MarketDetails),
    /// A bet or sale.
    Bet(&'a Bet),
    /// A transfer.
    Transfer(&'a Transfer),
    /// A transfer from the perspective of this account's owner.
    TransferOf(AccountId, &'a Transfer),
    /// A user.
    User(&'a User),
    /// An account.
    Account(&'a AccountDetails),
    /// A post.
    Post(&'a Post),
    /// A comment.
    Comment(&'a Comment),
    /// A session, live or ended.
    Session(&'a Session),
    /// A network from which the user has signed in.
    KnownNetwork(&'a KnownNetwork),
}

/// Reason why an export failed.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The user does not exist.
    #[error("there is no such user")]
    NoUser,
    /// Reading failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing failed.
    #[error("the rows cannot be written")]
    Write(#[from] io::Error),
}

/// Receiver of the rows, one by one.
pub type ExportSink<'a> = dyn FnMut(ExportRow<'_>) -> io::Result<()> + Send + 'a;

impl Operations {
    /// Passes all rows of an export to `sink`. Concurrent changes may be included or not.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn export(
        &self,
        export: Export,
        sink: &mut ExportSink<'_>,
    ) -> Result<(), ExportError> {
        match export {
            Export::Markets => {
                self.walk_markets(async |market| Ok(sink(ExportRow::Market(market))?)).await
            }
            Export::Bets => self.export_bets(sink).await,
            Export::Transfers => {
                let list = async |page| self.ledger.list_transfers(page).await;
                walk(
                    list,
                    |transfer| transfer.id,
                    async |transfer| Ok(sink(ExportRow::Transfer(transfer))?),
                )
                .await
            }
            Export::User(user) => self.export_user(user, sink).await,
        }
    }

    async fn export_bets(&self, sink: &mut ExportSink<'_>) -> Result<(), ExportError> {
        self.walk_markets(async |market| {
            let market = market.market.id();
            let list = async |page| Ok(self.markets.page_bets(market, page).await?.rows);
            walk(list, |bet| bet.fill.sequence, async |bet| Ok(sink(ExportRow::Bet(bet))?)).await
        })
        .await
    }

    async fn walk_markets(
        &self,
        each: impl AsyncFnMut(&MarketDetails) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let (filter, sort) = (MarketFilter::default(), MarketSort::Newest);
        let list = async |page| self.markets.list_markets(&filter, sort, page).await;
        walk(list, |market| sort.key_of(market), each).await
    }

    async fn export_user(&self, id: UserId, sink: &mut ExportSink<'_>) -> Result<(), ExportError> {
        let user = self.users.find_user(id).await?.ok_or(ExportError::NoUser)?;
        sink(ExportRow::User(&user))?;
        for account in self.ledger.list_accounts(id).await? {
            sink(ExportRow::Account(&account))?;
            let account = account.account.id();
            let list = async |page| Ok(self.ledger.page_transfers(account, page).await?.rows);
            let version_of = |transfer: &Transfer| transfer.side_of(account).version;
            walk(list, version_of, async |transfer| {
                Ok(sink(ExportRow::TransferOf(account, transfer))?)
            })
            .await?;
        }
        let list = async |page| self.markets.list_bets_of(id, page).await;
        walk(list, |bet| BetKey::from(bet), async |bet| Ok(sink(ExportRow::Bet(bet))?)).await?;
        for status in [PostStatus::Published, PostStatus::Draft] {
            let filter = PostFilter { status, author_id: Some(id), tag: None };
            let list = async |page| self.posts.list_posts(&filter, page).await;
            walk(list, |post| post.id, async |post| Ok(sink(ExportRow::Post(post))?)).await?;
        }
        let list = async |page| self.posts.list_comments_of(id, page).await;
        walk(list, |comment| comment.id, async |comment| Ok(sink(ExportRow::Comment(comment))?))
            .await?;
        let list = async |page| self.users.list_sessions(id, Timestamp::from_micros(0), page).await;
        walk(list, |session| session.id, async |session| Ok(sink(ExportRow::Session(session))?))
            .await?;
        for known in self.users.list_known_networks(id).await? {
            sink(ExportRow::KnownNetwork(&known))?;
        }
        Ok(())
    }
}

/// Reads a list to its end, page by page.
async fn walk<T, K>(
    list: impl AsyncFn(PageRequest<K>) -> Result<Vec<T>, StoreError>,
    key_of: impl Fn(&T) -> K,
    mut each: impl AsyncFnMut(&T) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut start = PageStart::First;
    loop {
        let rows = list(PageRequest { start, limit: ROWS }).await?;
        for row in &rows {
            each(row).await?;
        }
        match rows.last() {
            Some(end) if rows.len() >= ROWS as usize => start = PageStart::After(key_of(end)),
            _ => return Ok(()),
        }
    }
}
