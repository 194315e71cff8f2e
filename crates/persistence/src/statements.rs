//! Tests of the statements that repositories send: each is prepared once per connection, and lists
//! and lookups use indexes.

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::{Arc, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection as _};
use diesel::{Connection as _, PgConnection, SqliteConnection};
use foretell_domain::account::Account;
use foretell_domain::id::{
    AccountId, ApiKeyId, JobId, MarketId, PostId, SessionId, UserId, WebhookId,
};
use foretell_domain::job::{JobLane, JobTask};
use foretell_domain::market::{
    Bet, Fill, FillRecord, Holding, Market, MarketRecord, Payout, Settlement, SettlementTerms,
    TradeSide,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::quota::Quota;
use foretell_domain::shares::Shares;
use foretell_domain::user::User;
use foretell_domain::webhook::WebhookEvents;
use foretell_ports::job::{Lease, LeaseRequest, NewJob};
use foretell_ports::known_network::KnownNetwork;
use foretell_ports::market::{PaidSet, PositionKey, PriceWindow, WantedHolding};
use foretell_ports::page::{NumberedPage, PageRequest, PageStart};
use foretell_ports::secret::TokenHash;
use foretell_ports::unit::Locked;
use foretell_ports::vector::{Embedding, StoredVector, TextId, VectorCursor};
use foretell_ports::webhook::{MarketChange, WebhookCursor};
use foretell_testkit::builders::Factory;
use foretell_testkit::clock::START;

use crate::connection::Connection;
use crate::dialect::look_up::Others;
use crate::error::Failure;
use crate::idempotency;
use crate::job::jobs;
use crate::ledger::{accounts, transfers};
use crate::market::{bets, market_details, markets, positions, settlements};
use crate::quotas;
use crate::user::{api_keys, known_networks, sessions, users};
use crate::vectors;
use crate::webhook::webhooks;

mod cancel;
mod content;
#[path = "../tests/it/databases.rs"]
mod databases;
mod markets_in_order;
mod plans;
mod portfolio;
#[path = "statements/quotas.rs"]
mod quota_plans;
mod search;
mod text_index;

use databases::{Database, Kind};
use plans::{KEPT, plan, reads_all, sorts};

/// Statements sent to a connection, and those that it caches.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<(Vec<String>, Vec<String>)>>);

impl Instrumentation for Log {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let mut log = self.0.lock().unwrap();
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let query = query.to_string();
                let sql = query.split(" -- binds").next().unwrap_or_default();
                if !sql.starts_with("EXPLAIN") && sql != KEPT {
                    log.0.push(sql.to_owned());
                }
            }
            InstrumentationEvent::CacheQuery { sql, .. } => log.1.push(sql.to_owned()),
            _ => {}
        }
    }
}

/// A connection to a new database, with the log of its statements.
struct Observed {
    connection: Either,
    log: Log,
    _database: Database,
}

enum Either {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Observed {
    async fn new(kind: Kind) -> Self {
        let database = Database::new(kind);
        database.open().await;
        let log = Log::default();
        let url = database.url();
        let mut connection = match kind {
            Kind::Sqlite => Either::Sqlite(SqliteConnection::establish(&url).unwrap()),
            Kind::Postgres => Either::Postgres(PgConnection::establish(&url).unwrap()),
        };
        match &mut connection {
            Either::Sqlite(c) => {
                c.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                crate::cancel::query::define_go_on(c).unwrap();
                c.set_instrumentation(log.clone());
            }
            Either::Postgres(c) => c.set_instrumentation(log.clone()),
        }
        Self { connection, log, _database: database }
    }

    fn run<T>(&mut self, work: impl FnOnce(&mut Connection<'_>) -> Result<T, Failure>) -> T {
        let result = match &mut self.connection {
            Either::Sqlite(c) => work(&mut Connection::Sqlite(c)),
            Either::Postgres(c) => work(&mut Connection::Postgres(c)),
        };
        result.expect("the statements are sound")
    }

    /// Returns the distinct statements since the last call.
    fn sent(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.log.0.lock().unwrap().0).into_iter().collect()
    }

    /// Clears the log, and returns the number of statements.
    fn forget(&self) -> usize {
        std::mem::take(&mut self.log.0.lock().unwrap().0).len()
    }

    /// Makes Postgres use indexes in order only: rows from a bitmap scan would have to be sorted.
    fn forbid_bitmaps(&mut self) {
        if let Either::Postgres(c) = &mut self.connection {
            c.batch_execute("SET enable_bitmapscan = off").unwrap();
        }
    }
}

/// Runs everything that a batch of commands does, on a market of its own, and then every query
/// about it.
fn batch_and_queries(c: &mut Connection<'_>, make: &Factory) -> Result<(), Failure> {
    let (user, password) = (make.user(), make.password());
    users::insert_once(c, &user, &password)?;
    networks(c, &user)?;
    let (mut from, mut to) = (Account::treasury(), make.account(user.id));
    accounts::insert_once(c, &[from, to], START)?;
    let stored = accounts::lock(c, &[from.id()].into())?;
    from = *stored[0];
    let paid = [make.payment(&mut from, &mut to, 5), make.payment(&mut from, &mut to, 5)];
    transfers::insert(c, &paid)?;
    transfers::find_all(c, &[paid[0].id, paid[1].id])?;
    transfers::find_reversed(c, &[paid[0].id, paid[1].id])?;
    accounts::lock(c, &[from.id(), to.id()].into())?;
    accounts::save(c, &[&Locked::assume(from), &Locked::assume(to)])?;
    let outcomes = [make.outcome(user.id, "one"), make.outcome(user.id, "two")];
    idempotency::find(c, &[outcomes[0].key.clone(), outcomes[1].key.clone()])?;
    idempotency::insert(c, &outcomes)?;
    let new = make.market(&to).build();
    markets::insert(c, from_ref(&new))?;
    let id = new.market.id();
    let mut locked = markets::lock(c, &[id].into())?;
    trade(c, make, &to, &locked[0])?;
    let record = locked[0].record().clone();
    *locked[0] = Market::restore(MarketRecord { bet_count: 2, ..record }).unwrap();
    markets::save(c, &locked.iter().collect::<Vec<_>>(), START)?;
    queries(c, to.id(), id)?;
    vectors_and_queries(c, id)?;
    content::posts_and_queries(c, make, &user, id)
}

fn networks(c: &mut Connection<'_>, user: &User) -> Result<(), Failure> {
    let network = [192, 0, 2, 1].into();
    known_networks::record(c, user.id, KnownNetwork { network, last_used_at: START }, 10)?;
    known_networks::find(c, &user.email, network)?;
    known_networks::list(c, user.id)?;
    known_networks::delete_all_of(c, user.id, Some(network))?;
    known_networks::delete_all_of(c, user.id, None)?;
    Ok(())
}

fn vectors_and_queries(c: &mut Connection<'_>, market: MarketId) -> Result<(), Failure> {
    let embedding = Embedding::quantize(&[1.0, 0.5]);
    let of =
        |text| StoredVector { text, version: 1, embedding: embedding.clone(), written_at: START };
    let vectors = [of(TextId::Market(market)), of(TextId::Post(PostId::from_u128(1)))];
    vectors::save(c, "a model", &vectors)?;
    vectors::list(c, "a model", VectorCursor::BEGIN, 10)?;
    vectors::list_market_ids(c, None, 10)?;
    vectors::list_post_ids(c, None, 10)?;
    Ok(())
}

fn trade(
    c: &mut Connection<'_>,
    make: &Factory,
    account: &Account,
    market: &Locked<Market>,
) -> Result<(), Failure> {
    let market_id = market.id();
    let prices = market.probabilities();
    let bet = |sequence| Bet {
        id: make.ids().bet(),
        client_id: None,
        market_id,
        user_id: account.owner().unwrap(),
        account_id: account.id(),
        transfer_id: make.ids().transfer(),
        option_id: market.record().options[0].id,
        fill: Fill::restore(FillRecord {
            option_index: 0,
            side: TradeSide::Buy,
            cash: Amount::new(5).unwrap(),
            fee: Balance::ZERO,
            shares: Shares::ZERO,
            prices_before: prices.clone(),
            prices_after: vec![Probability::default(); prices.len()],
            sequence,
            market_version: sequence + 1,
        })
        .unwrap(),
        created_at: START,
    };
    let bets = [bet(1), bet(2)];
    bets::find_all(c, &[bets[0].id, bets[1].id])?;
    bets::insert(c, &bets)?;
    let option_count = market.record().options.len();
    let wanted = WantedHolding { market_id, account_id: account.id(), option_count };
    let other = WantedHolding { account_id: AccountId::FEES, ..wanted };
    positions::find_holdings(c, &[wanted, other])?;
    let holding = Holding::empty(market_id, account.id(), option_count);
    positions::save(c, &[(&holding, 0), (&holding, 1)])?;
    positions::list_holdings_after(c, market, None, 10)?;
    let terms = SettlementTerms::Refunds { available: Balance::ZERO, stakes: Balance::ZERO };
    let settlement = Settlement::begin(market_id, terms, account.owner().unwrap(), START);
    settlements::insert(c, &settlement)?;
    settlements::find(c, market_id)?;
    let payout = |account_id| Payout { account_id, amount: Amount::new(1).unwrap() };
    let payouts = vec![payout(account.id()), payout(AccountId::FEES)];
    settlements::insert_payouts(c, &PaidSet { market_id, payouts, at: START })
}

fn queries(c: &mut Connection<'_>, account: AccountId, market: MarketId) -> Result<(), Failure> {
    let page = NumberedPage::new(2, 20).unwrap();
    accounts::find(c, account)?;
    accounts::list(c, UserId::from_u128(1))?;
    transfers::balance_at(c, account, START)?;
    transfers::page(c, account, page.into())?;
    sessions::find(c, TokenHash([0; 32]))?;
    people(c)?;
    bets::page(c, market, page.into())?;
    bets::list_newest(c, &[market], 5)?;
    bets::find_prices_before(c, market, START)?;
    let window = PriceWindow { market_id: market, from: START, to: START.plus_seconds(1) };
    bets::list_prices(c, window, 5, 10)?;
    positions::page(c, market, page)?;
    positions::list(c, market, Some(PositionKey { account_id: account, option_index: 1 }), 10)?;
    settlements::list_unsettled(c, Some(market), 10)?;
    idempotency::purge(c, START, 10)?;
    market_details::find(c, market)?;
    market_details::get(c, market)?;
    background(c, market)?;
    portfolio::queries(c, account, market)
}

fn background(c: &mut Connection<'_>, market: MarketId) -> Result<(), Failure> {
    let webhook = WebhookId::from_u128(1);
    let cursor = WebhookCursor { sequence: 0, phase: None };
    let events = WebhookEvents::ALL;
    let lease = Lease { job: JobId::from_u128(1), number: 1 };
    jobs::lease(c, &LeaseRequest { lane: JobLane::Main, now: START, until: START, limit: 5 })?;
    let once = Some("a name".to_owned());
    jobs::schedule(c, &NewJob { once, ..Factory::new(9).job(JobTask::PurgeJobs) })?;
    jobs::delete_named(c, &["a name".to_owned()])?;
    for quota in Quota::ALL {
        quotas::count(c, UserId::from_u128(1), quota)?;
    }
    sessions::end_oldest(c, UserId::from_u128(1), START, 5)?;
    jobs::has_due(c, JobLane::Main, START)?;
    jobs::extend(c, lease, START)?;
    jobs::finish(c, lease, START)?;
    jobs::reschedule(c, lease, START, None)?;
    jobs::dead_letter(c, lease, START, "")?;
    jobs::purge(c, START, 5)?;
    sessions::purge(c, START, 5)?;
    known_networks::purge(c, START, 5)?;
    webhooks::has_enabled(c)?;
    webhooks::find(c, webhook)?;
    webhooks::lock(c, webhook)?;
    webhooks::add_cursors(c, &[MarketChange { market_id: market, before: cursor, events }])?;
    webhooks::find_cursor(c, webhook, market)?;
    webhooks::delete_cursor(c, webhook, market)
}

fn people(c: &mut Connection<'_>) -> Result<(), Failure> {
    let (user, session, key) =
        (UserId::from_u128(1), SessionId::from_u128(1), ApiKeyId::from_u128(1));
    users::lock(c, user, Others::None)?;
    users::lock(c, user, Others::ActiveAdmins)?;
    sessions::delete_all_of(c, user, None)?;
    sessions::delete_all_of(c, user, Some(session))?;
    sessions::count(c, user, START)?;
    api_keys::find(c, TokenHash([0; 32]))?;
    api_keys::count_of(c, user)?;
    api_keys::delete(c, user, key)?;
    api_keys::delete_all_of(c, user)?;
    api_keys::record_use(c, key, START)?;
    users::count(c)?;
    for start in [PageStart::Offset(5), PageStart::After(user)] {
        users::list(c, PageRequest { start, limit: 20 })?;
    }
    for start in [PageStart::Offset(5), PageStart::After(session)] {
        sessions::list(c, user, START, PageRequest { start, limit: 20 })?;
    }
    for start in [PageStart::Offset(5), PageStart::After(key)] {
        api_keys::list(c, user, PageRequest { start, limit: 20 })?;
    }
    Ok(())
}

async fn check_prepared_once(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    let make = Factory::new(1);
    observed.run(|c| batch_and_queries(c, &make));
    let first = observed.sent();
    let kept: Vec<_> = std::mem::take(&mut observed.log.0.lock().unwrap().1);
    let distinct: BTreeSet<_> = kept.iter().cloned().collect();
    assert_eq!(kept.len(), distinct.len(), "no statement is prepared twice: {kept:#?}");
    let lost: Vec<_> = first.iter().filter(|sql| !distinct.contains(*sql)).collect();
    assert!(lost.is_empty(), "{kind:?} prepares these anew each time: {lost:#?}");
    observed.run(|c| batch_and_queries(c, &make));
    let again = observed.log.0.lock().unwrap().1.clone();
    assert!(again.is_empty(), "{kind:?} prepares these again: {again:#?}");
    assert_eq!(observed.sent(), first, "the texts do not vary");
}

#[tokio::test]
async fn every_statement_is_prepared_once_on_sqlite() {
    check_prepared_once(Kind::Sqlite).await;
}

#[tokio::test]
async fn every_statement_is_prepared_once_on_postgres() {
    check_prepared_once(Kind::Postgres).await;
}

async fn check_index_use(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    let make = Factory::new(1);
    observed.run(|c| batch_and_queries(c, &make));
    for sql in observed.sent() {
        let plan = plan(&mut observed.connection, &sql);
        assert!(!reads_all(&plan), "{kind:?} reads a whole table for {sql}\n{plan}");
    }
}

#[tokio::test]
async fn no_statement_scans_a_table_on_sqlite() {
    check_index_use(Kind::Sqlite).await;
}

#[tokio::test]
async fn no_statement_scans_a_table_on_postgres() {
    check_index_use(Kind::Postgres).await;
}

/// Queries that sort on purpose: an index by shares would be written with every bet, tags are
/// counted when they are read, the oldest of few accounts is selected at authentication, and a user
/// has few networks.
const SORTED: [&str; 5] = [
    "shares_units` DESC",
    "shares_units\" DESC",
    "COUNT(*) DESC",
    "_hash",
    "SELECT network FROM known_networks",
];

async fn check_lists_are_not_sorted(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    observed.forbid_bitmaps();
    let make = Factory::new(1);
    observed.run(|c| batch_and_queries(c, &make));
    let sent = observed.sent();
    let is_known = |sql: &str| SORTED.iter().any(|known| sql.contains(known));
    let is_list =
        |sql: &&String| sql.contains("ORDER BY") && sql.contains("LIMIT") && !is_known(sql);
    let lists: Vec<_> = sent.iter().filter(is_list).collect();
    assert!(lists.len() > 20, "{lists:#?}");
    for sql in lists {
        let plan = plan(&mut observed.connection, sql);
        assert!(!sorts(&plan), "{kind:?} sorts {sql}\n{plan}");
    }
}

#[tokio::test]
async fn lists_are_sorted_by_index_on_sqlite() {
    check_lists_are_not_sorted(Kind::Sqlite).await;
}

#[tokio::test]
async fn lists_are_sorted_by_index_on_postgres() {
    check_lists_are_not_sorted(Kind::Postgres).await;
}
