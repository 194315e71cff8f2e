//! Many clients of a few users, which send commands of all kinds and record the results.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use foretell_tests::{Answer, Chance, Client, Server, money, sleep_briefly};
use futures::future::join_all;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::command::Command;
use super::seed::Seed;

/// Number of concurrent clients.
pub(super) const CLIENTS: usize = 32;
/// Number of users.
const USERS: usize = 8;
/// Minimum number of markets kept open.
const OPEN_MARKETS: usize = 3;

/// Errors that concurrent clients may get.
const REFUSALS: [&str; 5] = [
    "INSUFFICIENT_FUNDS",
    "INSUFFICIENT_SHARES",
    "MARKET_CLOSED",
    "TRADE_TOO_SMALL",
    "TRADE_TOO_LARGE",
];

/// A command that was sent, and its result.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) command: Command,
    pub(super) result: SendResult,
}

/// Result of a command, as its sender knows it.
#[derive(Debug)]
pub(super) enum SendResult {
    /// Executed or rejected, permanently.
    Acknowledged(Box<Answer>),
    /// The server responded that it is unavailable. It may have executed it nevertheless.
    TurnedAway,
    /// No response, for this reason.
    Unanswered(String),
    /// The request was incomplete.
    Incomplete,
}

/// The users, and the markets that they know to be open.
#[derive(Clone)]
pub(super) struct Crowd {
    pub(super) users: Vec<Client>,
    markets: Arc<Mutex<Vec<OpenMarket>>>,
}

struct OpenMarket {
    market: Value,
    creator: usize,
}

impl Crowd {
    /// Registers the users and creates the first markets.
    pub(super) async fn gather(server: &Server) -> Self {
        let names: Vec<_> = (0..USERS).map(|n| format!("user{n}")).collect();
        let users = join_all(names.iter().map(|name| server.register(name))).await;
        let mut markets = Vec::new();
        for (creator, user) in users.iter().enumerate().take(OPEN_MARKETS) {
            let market = user.post("/markets", Command::opening(creator).body).await.data(201);
            markets.push(OpenMarket { market, creator });
        }
        Self { users, markets: Arc::new(Mutex::new(markets)) }
    }

    /// Switches to the new address of the server.
    pub(super) fn move_to(&mut self, origin: &str) {
        self.users = self.users.iter().map(|user| user.moved_to(origin)).collect();
    }

    /// Makes all clients send until they are stopped, or get no response.
    pub(super) fn start(&self, seed: &Seed, part: usize) -> Load {
        let (counts, progress) = watch::channel(Progress::default());
        let counts = Arc::new(counts);
        let is_over = Arc::new(AtomicBool::new(false));
        let start = |n| {
            let client = LoadClient {
                user: n % USERS,
                crowd: self.clone(),
                chance: seed.chance(part * CLIENTS + n),
                counts: Arc::clone(&counts),
                is_over: Arc::clone(&is_over),
            };
            tokio::spawn(client.send_on())
        };
        Load { tasks: (0..CLIENTS).map(start).collect(), progress, is_over }
    }

    /// Returns a command that is valid, or nearly.
    pub(super) fn choose(&self, user: usize, chance: &mut Chance) -> Command {
        let own = &self.users[user];
        // Sometimes more than any user has.
        let most = if chance.below(20) == 0 { 10_000_000 } else { 1_500 };
        let minor = 1 + i64::try_from(chance.below(most)).unwrap();
        match chance.below(20) {
            0..7 => Command::payment(user, own, self.other(user, chance), minor),
            7..9 => {
                let to: Vec<_> = (0..2 + chance.below(3))
                    .map(|n| {
                        (self.other(user, chance), if n == 1 { minor } else { 1 + minor % 100 })
                    })
                    .collect();
                Command::batch(user, own, &to)
            }
            9..15 => match self.market_of_others(user, chance) {
                Some(market) => Command::bet(user, &market, chance.below(2), minor),
                None => Command::payment(user, own, self.other(user, chance), minor),
            },
            15..18 => {
                let shares = if chance.below(2) == 0 { "all".to_owned() } else { money(minor) };
                Command::sale(user, &self.any_market(chance), chance.below(2), &shares)
            }
            _ => self.open_or_resolve(user, chance),
        }
    }

    /// Remembers a market that was created, according to the response.
    pub(super) fn learn(&self, command: &Command, answer: &Answer) {
        if command.path == "/markets" && answer.status == 201 {
            let (market, creator) = (answer.body["data"].clone(), command.user);
            self.markets.lock().unwrap().push(OpenMarket { market, creator });
        }
    }

    fn other(&self, user: usize, chance: &mut Chance) -> &Client {
        &self.users[(user + 1 + chance.below(USERS - 1)) % USERS]
    }

    fn any_market(&self, chance: &mut Chance) -> Value {
        let markets = self.markets.lock().unwrap();
        markets[chance.below(markets.len())].market.clone()
    }

    /// Returns a market that another user has opened: creators who have traded only propose.
    fn market_of_others(&self, user: usize, chance: &mut Chance) -> Option<Value> {
        let markets = self.markets.lock().unwrap();
        let others: Vec<_> = markets.iter().filter(|market| market.creator != user).collect();
        (!others.is_empty()).then(|| others[chance.below(others.len())].market.clone())
    }

    /// Each market is resolved by one command only, so that its state tells the result of that
    /// command.
    fn open_or_resolve(&self, user: usize, chance: &mut Chance) -> Command {
        let mut markets = self.markets.lock().unwrap();
        if markets.len() <= OPEN_MARKETS {
            return Command::opening(user);
        }
        let chosen = chance.below(markets.len());
        let OpenMarket { market, creator } = markets.swap_remove(chosen);
        Command::resolution(creator, &market, chance.below(2))
    }
}

/// Number of responses to clients.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    acknowledged: usize,
    turned_away: usize,
}

/// Running clients.
pub(super) struct Load {
    tasks: Vec<JoinHandle<Vec<Sent>>>,
    progress: watch::Receiver<Progress>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    /// Waits until so many commands have been acknowledged since the start.
    pub(super) async fn reach(&self, acknowledged: usize) {
        self.wait_for(|progress| progress.acknowledged >= acknowledged).await;
    }

    /// Waits until so many more commands have been acknowledged.
    pub(super) async fn wait_for_others(&self, acknowledged: usize) {
        let so_far = self.progress.borrow().acknowledged;
        self.reach(so_far + acknowledged).await;
    }

    /// Waits until clients have been rejected so many more times.
    pub(super) async fn wait_for_turned_away(&self, times: usize) {
        let so_far = self.progress.borrow().turned_away;
        self.wait_for(|progress| progress.turned_away >= so_far + times).await;
    }

    async fn wait_for(&self, condition: impl FnMut(&Progress) -> bool) {
        let mut progress = self.progress.clone();
        assert!(
            progress.wait_for(condition).await.is_ok(),
            "the clients went away before it came to that"
        );
    }

    /// Lets each client finish its current command, and returns all commands sent.
    pub(super) async fn stop(self) -> Vec<Sent> {
        self.is_over.store(true, Ordering::Relaxed);
        join_all(self.tasks).await.into_iter().flat_map(Result::unwrap).collect()
    }

    /// Stops the clients, and checks that each command got a response.
    pub(super) async fn stop_answered(self) -> Vec<Sent> {
        let sent = self.stop().await;
        let unanswered = sent.iter().filter_map(|sent| match &sent.result {
            SendResult::Unanswered(reason) => Some((&sent.command, reason)),
            _ => None,
        });
        let unanswered: Vec<_> = unanswered.collect();
        assert!(unanswered.is_empty(), "nobody is left without an answer: {unanswered:?}");
        sent
    }
}

/// A running client.
struct LoadClient {
    user: usize,
    crowd: Crowd,
    chance: Chance,
    counts: Arc<watch::Sender<Progress>>,
    is_over: Arc<AtomicBool>,
}

impl LoadClient {
    async fn send_on(mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        let mut is_answered = true;
        while is_answered && !self.is_over.load(Ordering::Relaxed) {
            let command = self.crowd.choose(self.user, &mut self.chance);
            let result = self.send(&command).await;
            is_answered = !matches!(result, SendResult::Unanswered(_));
            all.push(Sent { command, result });
        }
        all
    }

    /// Sends a command, and again under its key while the server is unavailable.
    async fn send(&self, command: &Command) -> SendResult {
        let client = &self.crowd.users[command.user];
        loop {
            let answer =
                client.try_post_once(&command.path, &command.key, command.body.clone()).await;
            let result = match answer {
                Ok(answer) => send_result(answer),
                Err(error) => SendResult::Unanswered(format!("{error:?}")),
            };
            match &result {
                SendResult::Acknowledged(answer) => {
                    self.crowd.learn(command, answer);
                    self.counts.send_modify(|counts| counts.acknowledged += 1);
                    return result;
                }
                SendResult::TurnedAway => self.counts.send_modify(|counts| counts.turned_away += 1),
                SendResult::Unanswered(_) | SendResult::Incomplete => return result,
            }
            if self.is_over.load(Ordering::Relaxed) {
                return result;
            }
            sleep_briefly().await;
        }
    }
}

/// Classifies a response; an unexpected one fails the test.
pub(super) fn send_result(answer: Answer) -> SendResult {
    match answer.status {
        200 | 201 => SendResult::Acknowledged(Box::new(answer)),
        503 => {
            answer.refused(503, "UNAVAILABLE");
            SendResult::TurnedAway
        }
        _ => {
            let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
            assert!(
                REFUSALS.contains(&code.as_str()),
                "{} was answered {:#}",
                answer.asked,
                answer.body
            );
            SendResult::Acknowledged(Box::new(answer.refused(409, &code)))
        }
    }
}
