//! Search for unreadable rows in all tables, for the operator of the server.

use diesel::prelude::*;
use foretell_domain::comment::Comment;
use foretell_domain::market::{Bet, Dispute, MarketRevision, Resolution, Settlement};
use foretell_domain::registration::Invitation;
use foretell_domain::transfer::Transfer;
use foretell_domain::user::User;
use foretell_ports::api_key::ApiKey;
use foretell_ports::error::{Chain, StoreError};
use foretell_ports::idempotency::StoredOutcome;
use foretell_ports::job::Job;
use foretell_ports::known_network::KnownNetwork;
use foretell_ports::ledger::AccountDetails;
use foretell_ports::market::Debt;
use foretell_ports::user::Session;
use foretell_ports::webhook::{Webhook, WebhookCursor};

use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::id::DbId;
use crate::idempotency::rows::OutcomeRow;
use crate::job::job_rows::JobRow;
use crate::ledger::account_rows::AccountRow;
use crate::ledger::accounts;
use crate::ledger::transfer_rows::TransferRow;
use crate::market::bet_rows::BetRow;
use crate::market::market_details::{self, incomplete};
use crate::market::positions;
use crate::market::resolution_rows::{DebtRow, DisputeRow, ResolutionRow};
use crate::market::revision_rows::RevisionRow;
use crate::market::settlement_rows::SettlementRow;
use crate::post::comment_rows::CommentRow;
use crate::post::posts;
use crate::repair;
use crate::schema;
use crate::store::Store;
use crate::user::api_keys::ApiKeyRow;
use crate::user::invitations::InvitationRow;
use crate::user::known_networks::KnownNetworkRow;
use crate::user::sessions::SessionRow;
use crate::user::user_rows::UserRow;
use crate::webhook::webhook_rows::{CursorRow, WebhookRow};

/// Number of rows in one query.
const BATCH: i64 = 500;

/// Maximum number of rows that are listed.
const MAX_LISTED: usize = 1_000;

/// An unreadable row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// Table.
    pub table: &'static str,
    /// First column that violates a rule, or the affected part of the row.
    pub column: &'static str,
    /// Key.
    pub id: String,
    /// The violated rule.
    pub problem: String,
    /// SQL that makes it readable; `None` if only a backup can restore the value.
    pub repair: Option<String>,
}

/// Unreadable rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The first 1,000 of them.
    pub rows: Vec<UnreadableRow>,
    /// Total number.
    pub total: u64,
    /// Number of rows that were read.
    pub read: u64,
}

impl Store {
    /// Reads every row of every table like the server, in batches.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn inspect(&self) -> Result<Inspection, StoreError> {
        let is_postgres = self.is_postgres();
        self.read("inspect", move |connection| {
            let mut inspector = Inspector { is_postgres, found: Inspection::default() };
            inspector.inspect(connection)?;
            Ok(inspector.found)
        })
        .await
    }
}

struct Inspector {
    is_postgres: bool,
    found: Inspection,
}

/// Reads all rows of a table in the order of an id and converts each.
// By key and not by offset, so that each query reads only its own rows.
macro_rules! walk {
    ($inspector:expr, $connection:expr, $table:ident.$key:ident, $row:ty => $value:ty) => {{
        let mut after: Option<DbId> = None;
        loop {
            let rows: Vec<$row> = on!($connection, |c, Db| {
                let query = schema::$table::table
                    .order(schema::$table::$key)
                    .limit(BATCH)
                    .select(<$row>::as_select())
                    .into_boxed::<Db>();
                match after {
                    None => query.load(c),
                    Some(after) => query.filter(schema::$table::$key.gt(after)).load(c),
                }
            })?;
            let Some(last) = rows.last() else { break };
            after = Some(last.$key);
            for row in rows {
                $inspector.note(<$value>::try_from(row))?;
            }
        }
    }};
}

/// Reads all rows of a table with a composite key, grouped by one id.
macro_rules! walk_groups {
    ($connection:expr, $table:ident.$key:ident, |$id:ident| $inspect:expr) => {{
        let mut after: Option<DbId> = None;
        loop {
            let next: Option<DbId> = on!($connection, |c, Db| {
                let query = schema::$table::table
                    .order(schema::$table::$key)
                    .limit(1)
                    .select(schema::$table::$key)
                    .into_boxed::<Db>();
                match after {
                    None => query.first(c).optional(),
                    Some(after) => query.filter(schema::$table::$key.gt(after)).first(c).optional(),
                }
            })?;
            let Some($id) = next else { break };
            $inspect;
            after = next;
        }
    }};
}

impl Inspector {
    fn inspect(&mut self, connection: &mut Connection<'_>) -> Result<(), Failure> {
        self.note(accounts::find_currency(connection))?;
        walk!(self, connection, users.id, UserRow => User);
        walk!(self, connection, sessions.id, SessionRow => Session);
        walk!(self, connection, api_keys.id, ApiKeyRow => ApiKey);
        walk!(self, connection, invitations.id, InvitationRow => Invitation);
        walk!(self, connection, accounts.id, AccountRow => AccountDetails);
        walk!(self, connection, transfers.id, TransferRow => Transfer);
        walk!(self, connection, bets.id, BetRow => Bet);
        walk!(self, connection, settlements.market_id, SettlementRow => Settlement);
        walk!(self, connection, market_debts.transfer_id, DebtRow => Debt);
        walk!(self, connection, comments.id, CommentRow => Comment);
        walk!(self, connection, jobs.id, JobRow => Job);
        walk!(self, connection, webhooks.id, WebhookRow => Webhook);
        self.markets(connection)?;
        self.posts(connection)?;
        walk_groups!(connection, positions.market_id, |market| self
            .positions(connection, market)?);
        walk_groups!(connection, market_revisions.market_id, |market| self
            .revisions(connection, market)?);
        walk_groups!(connection, market_resolutions.market_id, |market| self
            .resolutions(connection, market)?);
        walk_groups!(connection, webhook_places.webhook_id, |webhook| self
            .cursors(connection, webhook)?);
        walk_groups!(connection, known_networks.user_id, |user| self
            .known_networks(connection, user)?);
        walk_groups!(connection, idempotency_keys.user_id, |user| self
            .outcomes(connection, user)?);
        Ok(())
    }

    /// Counts a row, and records why it is unreadable.
    fn note<T>(&mut self, row: Result<T, Failure>) -> Result<(), Failure> {
        self.found.read += 1;
        match row {
            Ok(_) => Ok(()),
            Err(Failure::Corrupt { table, column, id, cause }) => {
                self.found.total += 1;
                if self.found.rows.len() < MAX_LISTED {
                    // All are counted, but the memory for their list is bounded.
                    let problem = Chain(&*cause).to_string();
                    let repair = repair::statement(self.is_postgres, table, column, &id);
                    self.found.rows.push(UnreadableRow { table, column, id, problem, repair });
                }
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Inspects the markets with their states and options.
    fn markets(&mut self, connection: &mut Connection<'_>) -> Result<(), Failure> {
        let mut after = DbId::NIL;
        loop {
            let markets = schema::markets::table.filter(schema::markets::id.gt(after));
            let ids = markets.order(schema::markets::id).limit(BATCH).select(schema::markets::id);
            let ids: Vec<DbId> = on!(connection, |c| ids.load(c))?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            let mut found = market_details::find_all(connection, &ids)?.into_iter().peekable();
            for id in ids {
                match found.next_if(|(found, _)| *found == id) {
                    Some((_, market)) => self.note(market)?,
                    // The query joins all tables, so it does not find a market whose state or
                    // options are missing.
                    None => self.note::<()>(Err(incomplete(id)))?,
                }
            }
        }
    }

    /// Inspects the posts with their tags.
    fn posts(&mut self, connection: &mut Connection<'_>) -> Result<(), Failure> {
        let mut after = DbId::NIL;
        loop {
            let posts = schema::posts::table.filter(schema::posts::id.gt(after));
            let ids = posts.order(schema::posts::id).limit(BATCH).select(schema::posts::id);
            let ids: Vec<DbId> = on!(connection, |c| ids.load(c))?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            for (_, post) in posts::find_all(connection, &ids)? {
                self.note(post)?;
            }
        }
    }

    /// Inspects the positions of one market.
    fn positions(&mut self, connection: &mut Connection<'_>, market: DbId) -> Result<(), Failure> {
        let options =
            schema::market_options::table.filter(schema::market_options::market_id.eq(market));
        let option_count: i64 = on!(connection, |c| options.count().get_result(c))?;
        let mut after = (DbId::NIL, i32::MIN);
        loop {
            let rows = positions::load_after(connection, market, after, BATCH)?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = last.key();
            for row in rows {
                self.note(positions::listed_of(option_count, row))?;
            }
        }
    }

    /// Inspects the revisions of one market, of which there are few.
    fn revisions(&mut self, connection: &mut Connection<'_>, market: DbId) -> Result<(), Failure> {
        use schema::market_revisions::{market_id, table};
        let rows: Vec<RevisionRow> = on!(connection, |c| {
            table.filter(market_id.eq(market)).select(RevisionRow::as_select()).load(c)
        })?;
        for row in rows {
            self.note(MarketRevision::try_from(row))?;
        }
        Ok(())
    }

    /// Inspects the resolutions of one market, of which there are few, and their disputes.
    fn resolutions(
        &mut self,
        connection: &mut Connection<'_>,
        market: DbId,
    ) -> Result<(), Failure> {
        use schema::{market_disputes, market_resolutions};
        let rows: Vec<ResolutionRow> = on!(connection, |c| {
            let rows = market_resolutions::table.filter(market_resolutions::market_id.eq(market));
            rows.select(ResolutionRow::as_select()).load(c)
        })?;
        for row in rows {
            self.note(Resolution::try_from(row))?;
        }
        let rows: Vec<DisputeRow> = on!(connection, |c| {
            let rows = market_disputes::table.filter(market_disputes::market_id.eq(market));
            rows.select(DisputeRow::as_select()).load(c)
        })?;
        for row in rows {
            self.note(Dispute::try_from(row))?;
        }
        Ok(())
    }

    /// Inspects the cursors of one webhook in all markets.
    fn cursors(&mut self, connection: &mut Connection<'_>, webhook: DbId) -> Result<(), Failure> {
        use schema::webhook_places::{market_id, table, webhook_id};
        let mut after = DbId::NIL;
        loop {
            let rows: Vec<CursorRow> = on!(connection, |c| {
                let rows = table.filter(webhook_id.eq(webhook)).filter(market_id.gt(after));
                rows.order(market_id).limit(BATCH).select(CursorRow::as_select()).load(c)
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.market_id;
            for row in rows {
                self.note(WebhookCursor::try_from(row))?;
            }
        }
    }

    /// Inspects the known networks of one user, of which there are few.
    fn known_networks(
        &mut self,
        connection: &mut Connection<'_>,
        user: DbId,
    ) -> Result<(), Failure> {
        use schema::known_networks::{table, user_id};
        let rows: Vec<KnownNetworkRow> = on!(connection, |c| {
            table.filter(user_id.eq(user)).select(KnownNetworkRow::as_select()).load(c)
        })?;
        for row in rows {
            self.note(KnownNetwork::try_from(row))?;
        }
        Ok(())
    }

    /// Inspects the outcomes stored under one user's idempotency keys.
    fn outcomes(&mut self, connection: &mut Connection<'_>, user: DbId) -> Result<(), Failure> {
        use schema::idempotency_keys::{key, table, user_id};
        let mut after = String::new();
        loop {
            let rows: Vec<OutcomeRow> = on!(connection, |c| {
                let rows = table.filter(user_id.eq(user)).filter(key.gt(after.as_str()));
                rows.order(key).limit(BATCH).select(OutcomeRow::as_select()).load(c)
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.key);
            for row in rows {
                self.note(StoredOutcome::try_from(row))?;
            }
        }
    }
}
