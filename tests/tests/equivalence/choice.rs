//! Random steps: every command, by anyone, on any known resource, valid and invalid.

use foretell_application::writer::{BatchMode, Burn, Decision, Mint, Payment, PaymentBatch};
use foretell_application::{Caller, Credential, MarketOpening, Registration, TradeTarget};
use foretell_domain::id::{AccountId, ClientId, MarketId, OptionId, TransferId};
use foretell_domain::market::{BuyOrder, MarketRecord, MarketTexts, Quantity, SellOrder};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::text::{
    AvatarUrl, Category, Email, MarketDescription, MarketName, Memo, OptionName, UserName,
};
use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;
use foretell_testkit::clock::START;
use foretell_testkit::{Factory, new_password};
use foretell_tests::Chance;

use super::action::{Action, Force, Step};
use super::state::State;

/// Roles of the first users; a user of each role exists from the start.
const FIRST: [Role; 6] =
    [Role::Admin, Role::Moderator, Role::User, Role::User, Role::User, Role::User];

impl State {
    /// Returns the next step of a history.
    pub(super) fn next_step(&mut self, chance: &mut Chance) -> Step {
        if let Some(role) = FIRST.get(self.steps.len()) {
            return self.registering(*role, chance);
        }
        let what = chance.below(100);
        // One step in ten repeats an earlier one, one in a hundred reuses the key of another.
        if what < 10 {
            return self.steps[chance.below(self.steps.len())].clone();
        }
        if what < 13 || self.markets.is_empty() && what < 40 {
            return if what == 10 {
                self.registering(Role::User, chance)
            } else {
                self.opening(chance)
            };
        }
        let key = if what == 13 { pick(&self.steps, chance).key.clone() } else { self.new_key() };
        let (caller, action) = self.action(chance);
        Step { caller, key, action }
    }

    /// Returns a decision of this market by an admin.
    pub(super) fn decision(&mut self, market: MarketId, chance: &mut Chance) -> Step {
        let record = self.markets.iter().find(|state| state.id == market).unwrap();
        let action = Action::Decide(market, decision_of(record, chance));
        Step { caller: self.users[0].clone(), key: self.new_key(), action }
    }

    fn action(&mut self, chance: &mut Chance) -> (Caller, Action) {
        let caller = self.trader(chance);
        // Sometimes another user tries an operation for admins.
        let admin = if chance.below(10) > 0 { self.users[0].clone() } else { caller.clone() };
        match chance.below(100) {
            0..30 => (caller, self.bet(chance)),
            30..50 => self.sale(caller, chance),
            50..65 => (caller.clone(), Action::Pay(self.payment(chance, &caller))),
            65..75 => {
                let mode =
                    if chance.below(2) == 0 { BatchMode::Atomic } else { BatchMode::Independent };
                let payments =
                    (0..=chance.below(7)).map(|_| self.payment(chance, &caller)).collect();
                (caller, Action::PayBatch(PaymentBatch::new(mode, payments).unwrap()))
            }
            75..80 => (
                admin,
                Action::Mint(Mint { to: self.account(chance), amount: some_amount(chance, 3_000) }),
            ),
            80..88 => {
                let of =
                    pick_some(&self.transfers, chance).copied().unwrap_or_else(|| self.new_id());
                (
                    admin,
                    Action::Reverse(of, if chance.below(2) == 0 { Force::No } else { Force::Yes }),
                )
            }
            89 => {
                let reason = Memo::new("a mistake").unwrap();
                let (from, amount) = (self.account(chance), some_amount(chance, 500));
                (admin, Action::Burn(Burn { from, amount, reason }))
            }
            88 => self.dispute(caller, chance),
            90 => match chance.below(3) {
                0 => (admin, Action::EndProposal(self.proposed(chance))),
                _ => self.dispute(caller, chance),
            },
            91..93 => (admin, Action::Undo(self.decided_market(chance))),
            93 => (caller, Action::Close(self.market(chance).0)),
            94 => (admin, Action::Delete(self.market(chance).0)),
            _ => {
                let Some(record) = pick_some(&self.markets, chance) else {
                    return (caller, Action::Close(self.market(chance).0));
                };
                let creator = self.users.iter().find(|user| user.user.id == record.creator_id);
                // Those with a part in the market propose, which others then want to change.
                let proposed = self
                    .proposed
                    .last()
                    .and_then(|last| self.markets.iter().find(|market| market.id == *last));
                let (by, record) = match chance.below(4) {
                    0 => (admin, record),
                    1 => (caller, record),
                    2 => (creator.cloned().unwrap_or(caller), record),
                    _ => (creator.cloned().unwrap_or(caller), proposed.unwrap_or(record)),
                };
                (by, Action::Decide(record.id, decision_of(record, chance)))
            }
        }
    }

    /// Usually by a user who has bought something in the market.
    fn dispute(&mut self, caller: Caller, chance: &mut Chance) -> (Caller, Action) {
        let market = self.proposed(chance);
        let holder = self.buyers.iter().find(|(_, bought, _)| *bought == market);
        (holder.map_or(caller, |(buyer, ..)| buyer.clone()), Action::Dispute(market))
    }

    /// Returns a market whose outcome was proposed, if there is one.
    fn proposed(&mut self, chance: &mut Chance) -> MarketId {
        let recent = &self.proposed[self.proposed.len().saturating_sub(3)..];
        pick_some(recent, chance).copied().unwrap_or_else(|| self.market(chance).0)
    }

    /// Returns a market that was decided, if there is one.
    fn decided_market(&mut self, chance: &mut Chance) -> MarketId {
        let recent = &self.decisions[self.decisions.len().saturating_sub(3)..];
        pick_some(recent, chance).copied().unwrap_or_else(|| self.market(chance).0)
    }

    /// Returns a user other than the first one, who never trades and so can decide every market.
    fn trader(&self, chance: &mut Chance) -> Caller {
        pick(self.users.get(1..).filter(|users| !users.is_empty()).unwrap_or(&self.users), chance)
            .clone()
    }

    /// Returns the registration of a new user, valid or not.
    pub(super) fn registering(&mut self, role: Role, chance: &mut Chance) -> Step {
        self.made += 1;
        // Sometimes the email address is in use, in capitals.
        let number = if chance.below(4) == 0 && self.users.len() > 4 { 2 } else { self.made };
        let registration = Registration {
            email: Email::new(&format!("USER-{number}@example.com")).unwrap(),
            name: UserName::new(format!("Üser {number}")).unwrap(),
            password: new_password("correct horse"),
            avatar: (number % 2 == 0).then(|| AvatarUrl::new("https://example.com/a.png").unwrap()),
            role,
        };
        // A registration has no caller and no key.
        let user = Factory::new(9).user();
        let caller =
            Caller { user, account_id: AccountId::from_u128(0), credential: Credential::Process };
        Step { caller, key: self.new_key(), action: Action::Register(Box::new(registration)) }
    }

    /// Returns the creation of a market, valid or not.
    pub(super) fn opening(&mut self, chance: &mut Chance) -> Step {
        let count = 2 + chance.below(4);
        let names = (1..=count).map(|number| OptionName::new(format!("Option {number}")).unwrap());
        let category = Category::new(["politics", "sports"][chance.below(2)]).unwrap();
        let texts = MarketTexts::new(
            MarketName::new(format!("Market {}?", self.made)).unwrap(),
            MarketDescription::new("By the word of\nthe weather service; “quoted”.").unwrap(),
            category,
            names.collect(),
        );
        let caller = self.trader(chance);
        let opening = MarketOpening {
            texts: texts.unwrap(),
            probabilities: probabilities(count, chance),
            ends_at: START.plus_seconds(i64::try_from(chance.below(20_000)).unwrap()),
            subsidy: some_amount(chance, 4_000),
        };
        Step { caller, key: self.new_key(), action: Action::Open(opening) }
    }

    fn payment(&mut self, chance: &mut Chance, caller: &Caller) -> Payment {
        let from = if chance.below(15) == 0 { self.account(chance) } else { caller.account_id };
        let client_id = self.client_id(chance);
        let memo = ["lunch", "für Ελένη 🙂", "a b 'c' \"d\""][chance.below(3)];
        let memo = (chance.below(3) == 0).then(|| Memo::new(memo).unwrap());
        Payment {
            client_id,
            from,
            to: self.account(chance),
            amount: some_amount(chance, 25_000),
            memo,
        }
    }

    fn bet(&mut self, chance: &mut Chance) -> Action {
        let (market_id, option_id) = self.market(chance);
        let amount =
            if chance.below(40) == 0 { i64::MAX } else { some_amount(chance, 6_000).minor() };
        let order = BuyOrder {
            option_id,
            amount: Amount::new(amount).unwrap(),
            min_shares: (chance.below(8) == 0).then(|| some_shares(chance)),
            max_price: (chance.below(8) == 0).then(|| some_probability(chance)),
        };
        Action::Bet(TradeTarget { market_id, client_id: self.client_id(chance) }, order)
    }

    /// Usually by a user who has bought something.
    fn sale(&mut self, caller: Caller, chance: &mut Chance) -> (Caller, Action) {
        let recent = &self.buyers[self.buyers.len().saturating_sub(12)..];
        let (caller, market_id, option_id) = match pick_some(recent, chance) {
            Some(bought) if chance.below(5) > 0 => bought.clone(),
            _ => {
                let (market, option) = self.market(chance);
                (caller, market, option)
            }
        };
        let quantity = if chance.below(3) == 0 {
            Quantity::All
        } else {
            Quantity::Shares(some_shares(chance))
        };
        let min_proceeds = (chance.below(8) == 0).then(|| some_amount(chance, 2_000));
        let order = SellOrder { option_id, quantity, min_proceeds };
        (caller, Action::Sell(TradeTarget { market_id, client_id: self.client_id(chance) }, order))
    }

    /// Usually a new one, sometimes one used before.
    fn client_id(&mut self, chance: &mut Chance) -> Option<ClientId> {
        match chance.below(12) {
            0..3 => {
                self.client_ids.push(self.chosen.client());
                self.client_ids.last().copied()
            }
            3 => pick_some(&self.client_ids, chance).copied(),
            _ => None,
        }
    }

    /// Usually a user's account, sometimes a house account or an absent one.
    fn account(&self, chance: &mut Chance) -> AccountId {
        match chance.below(30) {
            0 => *pick(&self.accounts(), chance),
            1 => self.chosen.account(),
            _ => pick(&self.users, chance).account_id,
        }
    }

    /// Returns a market with one of its options, usually an undecided one.
    fn market(&self, chance: &mut Chance) -> (MarketId, OptionId) {
        let undecided: Vec<_> =
            self.markets.iter().filter(|record| !self.decided.contains(&record.id)).collect();
        let any: Vec<_> = self.markets.iter().collect();
        match pick_some(if chance.below(10) > 0 { &undecided } else { &any }, chance) {
            Some(record) if chance.below(40) > 0 => {
                let options = if chance.below(60) > 0 { record } else { &self.markets[0] };
                (record.id, pick(&options.options, chance).id)
            }
            _ => (self.chosen.market(), self.chosen.option()),
        }
    }

    fn new_key(&mut self) -> String {
        self.made += 1;
        format!("key-{}", self.made)
    }

    fn new_id(&self) -> TransferId {
        self.chosen.transfer()
    }
}

fn pick<'a, T>(items: &'a [T], chance: &mut Chance) -> &'a T {
    &items[chance.below(items.len())]
}

fn pick_some<'a, T>(items: &'a [T], chance: &mut Chance) -> Option<&'a T> {
    if items.is_empty() { None } else { Some(pick(items, chance)) }
}

/// One unit as often as a large amount.
fn some_amount(chance: &mut Chance, most: usize) -> Amount {
    let most = [1, 30, most / 10, most][chance.below(4)];
    Amount::new(i64::try_from(1 + chance.below(most)).unwrap()).unwrap()
}

fn some_shares(chance: &mut Chance) -> Shares {
    Shares::new(some_amount(chance, 3_000).minor()).unwrap()
}

fn some_probability(chance: &mut Chance) -> Probability {
    let thousandths = u32::try_from(1 + chance.below(998)).unwrap();
    Probability::new(f64::from(thousandths) / 1_000.0).unwrap()
}

/// None, all, or some of them, which is rejected.
fn probabilities(count: usize, chance: &mut Chance) -> Vec<Option<Probability>> {
    let mut probabilities = vec![None; count];
    if chance.below(3) > 0 {
        return probabilities;
    }
    let first = some_probability(chance);
    let other = (1.0 - first.get()) / f64::from(u32::try_from(count - 1).unwrap());
    probabilities.fill(Some(Probability::new(other).unwrap()));
    probabilities[0] = Some(first);
    if chance.below(5) == 0 {
        probabilities[count - 1] = None;
    }
    probabilities
}

/// Returns a winner, a split or a cancellation, and rarely a split with a wrong sum.
fn decision_of(record: &MarketRecord, chance: &mut Chance) -> Decision {
    let (first, last) = (record.options[0].id, record.options[record.options.len() - 1].id);
    let part = u16::try_from(chance.below(10_001)).unwrap();
    match chance.below(3) {
        0 => Decision::Winner(pick(&record.options, chance).id),
        1 => Decision::Split(vec![(last, 10_000 - part), (first, part)]),
        _ => Decision::Cancel,
    }
}

/// Returns the time between two steps.
pub(super) fn pause_micros(chance: &mut Chance) -> i64 {
    let most = [1, 1, 1_000, 100_000_000][chance.below(4)];
    i64::try_from(chance.below(most)).unwrap()
}

/// Returns a time in a history, for reading a balance at that time.
pub(super) fn moment(chance: &mut Chance, now: Timestamp) -> Timestamp {
    let since = usize::try_from(now.micros() - START.micros()).unwrap() + 2;
    Timestamp::from_micros(START.micros() - 1 + i64::try_from(chance.below(since)).unwrap())
}
