//! Behaviour of clients: each scenario writes one request after another for one connection.

use std::io::Write as _;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use foretell_tests::Chance;

use crate::load::Requests;
use crate::seed::{self, Kind};
use crate::world::{Person, World};

/// Number of markets that the bets over many markets are spread over.
const MANY_MARKETS: u64 = 1_000;

/// Number of markets that are read repeatedly: fewer than the server caches.
const CACHED_MARKETS: u64 = 100;

/// Number of requests of the mixed load per bet.
const MIXED_TURNS: u64 = 11;

/// Number of rows of a page of a list.
pub(crate) const PAGE_ROWS: u64 = 20;

/// Number of the last page of the markets of the smallest database.
const DEEP_PAGE: u64 = 50;

/// Behaviour of the clients of one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// Transfers from random signed-in users to random accounts of others.
    RandomTransfers,
    /// Transfers into one account.
    HotTransfers,
    /// Bets on one market.
    OneMarket,
    /// Bets on a thousand markets.
    ManyMarkets,
    /// One bet per ten reads of the same market.
    Mixed,
    /// Repeated reads of a hundred markets, whose responses are cached.
    CachedMarket,
    /// Reads of one market after another.
    GetMarket,
    /// The first page of the list of markets.
    FirstPage,
    /// A late page of the list of markets.
    DeepPage,
    /// A page halfway through the walk over all markets.
    Halfway,
    /// The first page of a market's bets.
    Bets,
    /// The first page of the statement of the caller's own account.
    Statement,
    /// The smallest response of the server.
    Livez,
}

impl Scenario {
    /// Returns its name in a table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::RandomTransfers => "transfers, random accounts",
            Self::HotTransfers => "transfers, one hot account",
            Self::OneMarket => "bets, one market",
            Self::ManyMarkets => "bets, 1,000 markets",
            Self::Mixed => "mixed, 1 bet to 10 reads",
            Self::CachedMarket => "GET market, cached",
            Self::GetMarket => "GET market, any",
            Self::FirstPage => "GET markets, page 1",
            Self::DeepPage => "GET markets, page 50",
            Self::Halfway => "GET markets, v2, halfway",
            Self::Bets => "GET bets of a market",
            Self::Statement => "GET statement",
            Self::Livez => "GET /livez",
        }
    }

    /// Returns `true` if it moves money.
    pub(crate) const fn writes(self) -> bool {
        matches!(
            self,
            Self::RandomTransfers
                | Self::HotTransfers
                | Self::OneMarket
                | Self::ManyMarkets
                | Self::Mixed
        )
    }

    /// Returns the requests of connection `number`.
    pub(crate) fn requests(self, world: &Rc<World>, number: usize) -> Requests {
        let mut client = Client { world: Rc::clone(world), chance: Chance::new(number as u64) };
        let mut turn = number as u64;
        Box::new(move |request: &mut Vec<u8>| {
            turn += 1;
            client.write(self, turn, request);
        })
    }
}

/// Client of one connection.
struct Client {
    world: Rc<World>,
    chance: Chance,
}

impl Client {
    fn write(&mut self, scenario: Scenario, turn: u64, request: &mut Vec<u8>) {
        let size = self.world.size;
        match scenario {
            Scenario::RandomTransfers => {
                // The payees are users who do not send, so that no one pays themselves.
                let first = self.world.people.len() as u64 + 1;
                let to = first + self.below(size.people + 1 - first);
                self.pay(request, to);
            }
            Scenario::HotTransfers => self.pay(request, size.people),
            Scenario::OneMarket => self.bet(request, 0),
            Scenario::ManyMarkets => {
                let market = self.below(MANY_MARKETS.min(size.markets));
                self.bet(request, market);
            }
            Scenario::Mixed if turn.is_multiple_of(MIXED_TURNS) => self.bet(request, 0),
            Scenario::Mixed => get(request, &market_path(0)),
            Scenario::CachedMarket => {
                let market = self.below(CACHED_MARKETS.min(size.markets));
                get(request, &market_path(market));
            }
            Scenario::GetMarket => {
                let market = self.below(size.markets);
                get(request, &market_path(market));
            }
            Scenario::FirstPage => get(request, &format!("/api/v1/markets?limit={PAGE_ROWS}")),
            Scenario::DeepPage => {
                get(request, &format!("/api/v1/markets?limit={PAGE_ROWS}&page={DEEP_PAGE}"));
            }
            Scenario::Halfway => get(request, &self.world.halfway),
            Scenario::Bets => {
                let market = self.below(size.markets);
                get(request, &format!("{}/bets?limit={PAGE_ROWS}", market_path(market)));
            }
            Scenario::Statement => {
                let person = self.person().clone();
                let path =
                    format!("/api/v1/accounts/{}/transfers?limit={PAGE_ROWS}", person.account_id);
                head(request, "GET", &path, Some(&person.token));
                request.extend_from_slice(b"\r\n");
            }
            Scenario::Livez => get(request, "/livez"),
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.chance.below(usize::try_from(end).unwrap_or(usize::MAX)) as u64
    }

    fn person(&mut self) -> &Person {
        let index = self.chance.below(self.world.people.len());
        &self.world.people[index]
    }

    fn pay(&mut self, request: &mut Vec<u8>, to: u64) {
        let Person { account_id, token } = self.person();
        let to = seed::id(Kind::Account, to);
        let body =
            format!(r#"{{"fromAccountId":"{account_id}","toAccountId":"{to}","amount":"0.01"}}"#);
        post(request, "/api/v1/transfers", token, &body);
    }

    fn bet(&mut self, request: &mut Vec<u8>, market: u64) {
        let kind = [Kind::FirstOption, Kind::SecondOption][self.chance.below(2)];
        let body = format!(r#"{{"optionId":"{}","amount":"0.05"}}"#, seed::id(kind, market));
        post(request, &format!("{}/bets", market_path(market)), &self.person().token, &body);
    }
}

fn market_path(market: u64) -> String {
    format!("/api/v1/markets/{}", seed::id(Kind::Market, market))
}

pub(crate) fn get(request: &mut Vec<u8>, path: &str) {
    head(request, "GET", path, None);
    request.extend_from_slice(b"\r\n");
}

pub(crate) fn post(request: &mut Vec<u8>, path: &str, token: &str, body: &str) {
    static NEXT_KEY: AtomicU64 = AtomicU64::new(1);
    let (process, key) = (std::process::id(), NEXT_KEY.fetch_add(1, Ordering::Relaxed));
    head(request, "POST", path, Some(token));
    let written = write!(
        request,
        "Idempotency-Key: {process:x}-{key:x}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    written.expect("a Vec takes all that is written to it");
}

fn head(request: &mut Vec<u8>, method: &str, path: &str, token: Option<&str>) {
    let written = write!(request, "{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    let written = written.and_then(|()| match token {
        Some(token) => write!(request, "Authorization: Bearer {token}\r\n"),
        None => Ok(()),
    });
    written.expect("a Vec takes all that is written to it");
}
