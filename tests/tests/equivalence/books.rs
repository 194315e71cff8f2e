//! All readable data of a world, checked for consistency and against another world.

use std::fmt::Debug;

use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Side, Transfer};
use foretell_ports::ledger::{AccountDetails, AuditReport};
use foretell_ports::market::{MarketFilter, MarketSort, PriceWindow};
use foretell_ports::page::{MAX_PAGE_ROWS, NumberedPage, Page};
use foretell_testkit::clock::START;
use foretell_tests::Chance;

use super::choice::moment;
use super::state::State;
use super::world::{Kind, World};

/// All readable data of a world at one time.
pub(super) struct Books {
    accounts: Vec<Account>,
    audit: AuditReport,
    /// Results, one line per query, for comparison.
    lines: Vec<String>,
}

/// An account with its statement, newest transfer first.
struct Account {
    details: AccountDetails,
    statement: Vec<Transfer>,
}

impl Books {
    /// Reads everything about known resources.
    pub(super) async fn read(world: &World, state: &State) -> Self {
        let mut books = Self {
            accounts: Vec::new(),
            audit: world.ledger.audit().await.unwrap(),
            lines: vec![],
        };
        books.read_accounts(world, state).await;
        books.read_users(world, state).await;
        for market in &state.markets {
            books.read_market(world, market.id).await;
        }
        books.read_lists(world).await;
        for id in &state.transfers {
            books.note("transfer", world.ledger.find_transfer(*id, None).await.unwrap());
        }
        for id in &state.bets {
            books.note("bet", world.markets.find_bet(*id, None).await.unwrap());
        }
        books
    }

    /// Checks that the audit is sound and that statements, running balances and balances agree.
    pub(super) fn check(&self, kind: Kind) {
        assert!(self.audit.is_sound(), "{kind:?}: {:?}", self.audit);
        let sum: i64 =
            self.accounts.iter().map(|account| account.details.account.balance().minor()).sum();
        assert_eq!(
            (sum, i64::try_from(self.accounts.len()).unwrap()),
            (0, self.audit.accounts),
            "{kind:?}"
        );
        let sides: usize = self.accounts.iter().map(|account| account.statement.len()).sum();
        assert_eq!(
            i64::try_from(sides).unwrap(),
            2 * self.audit.transfers,
            "{kind:?}: each row has two sides"
        );
        for account in &self.accounts {
            account.check(kind);
        }
    }

    /// Checks that another world has the same data.
    pub(super) fn check_same(&self, kind: Kind, other: &Self) {
        for (line, expected) in self.lines.iter().zip(&other.lines) {
            assert_eq!(line, expected, "{kind:?} on the left");
        }
        assert_eq!(
            (self.lines.len(), &self.audit),
            (other.lines.len(), &other.audit),
            "{kind:?} on the left"
        );
    }

    fn note(&mut self, what: &str, found: impl Debug) {
        self.lines.push(format!("{what}: {found:?}"));
    }

    async fn read_accounts(&mut self, world: &World, state: &State) {
        let now = world.nodes[0].now();
        // The same times in every world.
        let mut chance = Chance::new(now.micros().unsigned_abs());
        for id in state.accounts() {
            let details = world.ledger.find_account(id).await.unwrap().expect("a state account");
            let statement = statement(world, id).await;
            self.note("account", details);
            self.note("statement", &statement);
            for at in [moment(&mut chance, now), START, now] {
                let balance = world.ledger.balance_at(id, at).await.unwrap();
                self.note("balance at", (id, at, balance));
                assert_eq!(
                    balance.minor(),
                    balance_at(&statement, id, at),
                    "{:?}: {id} at {at:?}",
                    world.kind
                );
            }
            self.accounts.push(Account { details, statement });
        }
        self.note("currency", world.ledger.find_currency().await.unwrap());
    }

    async fn read_users(&mut self, world: &World, state: &State) {
        for user in &state.users {
            self.note("user", world.users.find_user(user.user.id).await.unwrap());
            self.note("credentials", world.users.find_credentials(&user.user.email).await.unwrap());
            self.note("accounts", world.ledger.list_accounts(user.user.id).await.unwrap());
        }
    }

    async fn read_market(&mut self, world: &World, id: MarketId) {
        let (markets, now) = (&world.markets, world.nodes[0].now());
        self.note("market", markets.find_market(id).await.unwrap());
        self.note("settlement", markets.find_settlement(id).await.unwrap());
        let page = NumberedPage::new(1, MAX_PAGE_ROWS).unwrap();
        self.note("resolutions", markets.list_resolutions(id, page.into()).await.unwrap());
        self.note("disputes", markets.list_disputes(id, &[1, 2, 3], 100).await.unwrap());
        self.note(
            "bets",
            all_pages(async |page| markets.page_bets(id, page.into()).await.unwrap()).await,
        );
        self.note(
            "positions",
            all_pages(async |page| markets.page_positions(id, page).await.unwrap()).await,
        );
        let window = PriceWindow { market_id: id, from: START, to: now };
        self.note("prices", markets.list_prices(window, 0, 1_000).await.unwrap());
        self.note("prices before", markets.find_prices_before(id, now).await.unwrap());
    }

    async fn read_lists(&mut self, world: &World) {
        let now = world.nodes[0].now();
        let filters = [
            MarketFilter::default(),
            MarketFilter { category: Some("sports".to_owned()), ..MarketFilter::default() },
            MarketFilter {
                phase: Some((foretell_domain::market::Phase::Closed, now)),
                ..MarketFilter::default()
            },
            MarketFilter {
                phase: Some((foretell_domain::market::Phase::Open, now)),
                ..MarketFilter::default()
            },
        ];
        for filter in filters {
            self.note("total", world.markets.count_markets(&filter).await.unwrap());
            for sort in [MarketSort::Newest, MarketSort::Closing, MarketSort::Volume] {
                for page in 1..=2 {
                    let page = NumberedPage::new(page, 3).unwrap();
                    let found =
                        world.markets.list_markets(&filter, sort, page.into()).await.unwrap();
                    self.note("page", found);
                }
            }
        }
        let page = NumberedPage::new(1, MAX_PAGE_ROWS).unwrap();
        self.note("debts", world.markets.list_debts(page.into()).await.unwrap());
        self.note("proposals", world.markets.list_proposals(page.into()).await.unwrap());
        self.note("unsettled", world.markets.list_unsettled(None, 100).await.unwrap());
    }
}

impl Account {
    /// Checks that the statement leads from zero to the balance, version by version.
    fn check(&self, kind: Kind) {
        let account = self.details.account;
        let (mut balance, mut version) = (0, 0);
        for row in self.statement.iter().rev() {
            let (side, change) = side_of(row, account.id());
            (balance, version) = (balance + change, version + 1);
            let expected = (balance, version);
            assert_eq!((side.balance_after.minor(), side.version), expected, "{kind:?}: {row:?}");
        }
        assert_eq!(
            (account.balance().minor(), account.version()),
            (balance, version),
            "{kind:?}: {account:?}"
        );
    }
}

/// Returns this account's side of a transfer, and its change.
fn side_of(row: &Transfer, account: AccountId) -> (Side, i64) {
    if row.debit.account_id == account {
        (row.debit, -row.amount.minor())
    } else {
        assert_eq!(row.credit.account_id, account, "a statement holds rows of its account only");
        (row.credit, row.amount.minor())
    }
}

fn balance_at(statement: &[Transfer], account: AccountId, at: Timestamp) -> i64 {
    let last = statement.iter().find(|row| row.created_at <= at);
    last.map_or(0, |row| side_of(row, account).0.balance_after.minor())
}

/// Returns all transfers of an account, newest first.
pub(super) async fn statement(world: &World, account: AccountId) -> Vec<Transfer> {
    all_pages(async |page| world.ledger.page_transfers(account, page.into()).await.unwrap()).await
}

async fn all_pages<T>(read: impl AsyncFn(NumberedPage) -> Page<T>) -> Vec<T> {
    let mut rows = Vec::new();
    for number in 1.. {
        let page = read(NumberedPage::new(number, MAX_PAGE_ROWS).unwrap()).await;
        rows.extend(page.rows);
        if rows.len() >= usize::try_from(page.total).unwrap() {
            assert_eq!(
                rows.len(),
                usize::try_from(page.total).unwrap(),
                "the pages have as many rows as they say"
            );
            break;
        }
    }
    rows
}
