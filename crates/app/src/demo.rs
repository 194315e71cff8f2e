//! `foretell demo`: fills an empty database with demo users, markets in every state, and bets.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use foretell_application::writer::{Decision, Mint, Receipt};
use foretell_application::{
    Application, Caller, Credential, MarketOpening, Registration, TradeTarget,
};
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::market::{BuyOrder, Evidence, MarketTexts, Quantity, SellOrder};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::text::{Category, Email, MarketDescription, MarketName, OptionName, UserName};
use foretell_domain::user::Role;
use foretell_ports::secret::{NewPassword, Tokens as _};
use foretell_security::SessionTokens;
use secrecy::ExposeSecret as _;

use crate::cli::say;
use crate::config::Settings;
use crate::wiring;

const DAY_S: i64 = 86_400;

/// Names of the users; the first one is the admin.
const PEOPLE: [&str; 10] =
    ["Ada", "Bela", "Chidi", "Dana", "Emeka", "Farah", "Goran", "Hana", "Ines", "Jonas"];

/// A demo market.
struct Plan {
    name: &'static str,
    description: &'static str,
    category: &'static str,
    /// Options with their initial probabilities in percent; zeros mean equal.
    options: &'static [(&'static str, u32)],
    days: i64,
    subsidy: &'static str,
    bets: usize,
    end: End,
}

/// Final state of a demo market.
enum End {
    Open,
    Closed,
    Winner(usize),
    Halves(usize, usize),
    Cancelled,
}

const PLANS: [Plan; 8] = [
    Plan {
        name: "Will the coalition agree on a budget before the summer break?",
        description: "Resolves to Yes if the budget passes its final reading before the summer \
            recess begins.",
        category: "politics",
        options: &[("Yes", 60), ("No", 40)],
        days: 120,
        subsidy: "200",
        bets: 24,
        end: End::Open,
    },
    Plan {
        name: "Who wins the next cup final?",
        description: "Resolves to the team that lifts the cup, extra time and penalties included.",
        category: "sports",
        options: &[
            ("Harbour City", 35),
            ("Northern Rovers", 30),
            ("Dynamo Hill", 20),
            ("Anyone else", 15),
        ],
        days: 45,
        subsidy: "150",
        bets: 30,
        end: End::Open,
    },
    Plan {
        name: "Which film opens at number one next month?",
        description: "By takings of the first weekend, as the trade press reports them.",
        category: "entertainment",
        options: &[("The Long Tide", 0), ("Paper Moons", 0), ("Second Sun", 0)],
        days: 20,
        subsidy: "80",
        bets: 12,
        end: End::Open,
    },
    Plan {
        name: "Will the largest coin end the year above its price of today?",
        description: "By the closing price of the last day of the year, in UTC.",
        category: "crypto",
        options: &[("Above", 50), ("Below", 50)],
        days: 60,
        subsidy: "120",
        bets: 20,
        end: End::Closed,
    },
    Plan {
        name: "Does the city elect a new mayor in the first round?",
        description: "Resolves to Yes if one candidate gets more than half of the votes in the \
            first round.",
        category: "politics",
        options: &[("Yes", 25), ("No", 75)],
        days: 10,
        subsidy: "100",
        bets: 18,
        end: End::Winner(1),
    },
    Plan {
        name: "Which of the two clubs finishes higher in the league?",
        description: "By the final table; level on points counts as a half for each.",
        category: "sports",
        options: &[("Harbour City", 0), ("Northern Rovers", 0)],
        days: 10,
        subsidy: "100",
        bets: 16,
        end: End::Halves(0, 1),
    },
    Plan {
        name: "Will the open-air festival sell out?",
        description: "Resolves to Yes if the organisers announce that no tickets are left before \
            the first day.",
        category: "entertainment",
        options: &[("Yes", 70), ("No", 30)],
        days: 30,
        subsidy: "60",
        bets: 10,
        end: End::Cancelled,
    },
    Plan {
        name: "How many upgrades will the network ship this year?",
        description: "By the number of upgrades activated on the main network before the year \
            ends.",
        category: "crypto",
        options: &[("None", 20), ("One", 45), ("Two", 25), ("Three or more", 10)],
        days: 90,
        subsidy: "100",
        bets: 14,
        end: End::Winner(2),
    },
];

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let application = wiring::start(settings).await?;
    if application.queries.users.has_users().await? {
        bail!("the database {} is not empty: demo requires an empty one", settings.database.url);
    }
    let (password, _) = SessionTokens.issue();
    let people = register(&application, &NewPassword::new(&password)?).await?;
    let mut chance = Chance(7);
    for plan in &PLANS {
        play(&application, &people, plan, &mut chance).await.with_context(|| plan.name)?;
    }
    let report = application.queries.ledger.audit().await?;
    application.operations.drain().await;
    if !report.is_sound() {
        bail!("the ledger is not sound: {report:?}");
    }
    say(format_args!(
        "{} users, {} markets, {} bets and sales",
        PEOPLE.len(),
        report.markets,
        report.bets
    ));
    say("sign in as ada@example.org (the admin) or any other first name at example.org, all with \
         the password");
    say(password.expose_secret());
    Ok(ExitCode::SUCCESS)
}

async fn register(
    application: &Application,
    password: &NewPassword,
) -> anyhow::Result<Vec<Caller>> {
    let mut people = Vec::new();
    for name in PEOPLE {
        let registration = Registration {
            email: Email::new(&format!("{name}@example.org"))?,
            name: UserName::new(name)?,
            password: password.clone(),
            avatar: None,
            role: if people.is_empty() { Role::Admin } else { Role::User },
        };
        let (user, registered) = application.identity.register_user(registration).await?;
        let credential = Credential::Process;
        people.push(Caller { user, account_id: registered.account_id, credential });
    }
    let admin = people.first().context("there is an admin")?;
    for (n, person) in people.iter().enumerate() {
        let mint = Mint { to: person.account_id, amount: major(application, "2000")? };
        done(application.ledger.mint(admin, format!("demo-mint-{n}"), mint).await?)?;
    }
    Ok(people)
}

/// Creates a market, makes trades, and ends it as planned.
async fn play(
    application: &Application,
    people: &[Caller],
    plan: &Plan,
    chance: &mut Chance,
) -> anyhow::Result<()> {
    // The admin decides, and whoever has traded in a market could only propose.
    let (admin, traders) = people.split_first().context("there is an admin")?;
    let creator = chance.pick(traders)?;
    let opening = opening(application, plan)?;
    let opened = done(application.markets.open_market(creator, chance.key(), opening).await?)?;
    let market = opened.record.id;
    let options: Vec<_> = opened.record.options.iter().map(|option| option.id).collect();
    for n in 0..plan.bets {
        let trader = chance.pick(traders)?;
        let option = *chance.pick(&options)?;
        let target = TradeTarget { market_id: market, client_id: None };
        let amount = Amount::new(500 + i64::from(chance.below(6_000)))?;
        let order = BuyOrder { option_id: option, amount, min_shares: None, max_price: None };
        done(application.trading.place_bet(trader, chance.key(), target, order).await?)?;
        if n % 7 == 6 {
            let order =
                SellOrder { option_id: option, quantity: Quantity::All, min_proceeds: None };
            done(application.trading.sell_shares(trader, chance.key(), target, order).await?)?;
        }
    }
    end(application, admin, market, &options, &plan.end, chance).await
}

async fn end(
    application: &Application,
    admin: &Caller,
    market: MarketId,
    options: &[OptionId],
    end: &End,
    chance: &mut Chance,
) -> anyhow::Result<()> {
    let option = |index: usize| options.get(index).copied().context("the plan names an option");
    let decision = match end {
        End::Open => return Ok(()),
        End::Closed => {
            done(application.markets.close_market(admin, chance.key(), market).await?)?;
            return Ok(());
        }
        End::Winner(index) => Decision::Winner(option(*index)?),
        End::Halves(one, other) => {
            Decision::Split(vec![(option(*one)?, 5_000), (option(*other)?, 5_000)])
        }
        End::Cancelled => Decision::Cancel,
    };
    let (key, evidence) = (chance.key(), Evidence::default());
    done(application.markets.decide_market(admin, key, market, decision, evidence).await?)?;
    Ok(())
}

fn opening(application: &Application, plan: &Plan) -> anyhow::Result<MarketOpening> {
    let names: Result<Vec<_>, _> =
        plan.options.iter().map(|(name, _)| OptionName::new(*name)).collect();
    let probability = |percent: u32| match percent {
        0 => Ok(None),
        percent => Probability::new(f64::from(percent) / 100.0).map(Some),
    };
    let probabilities: Result<Vec<_>, _> =
        plan.options.iter().map(|(_, percent)| probability(*percent)).collect();
    Ok(MarketOpening {
        texts: MarketTexts::new(
            MarketName::new(plan.name)?,
            MarketDescription::new(plan.description)?,
            Category::new(plan.category)?,
            names?,
        )?,
        probabilities: probabilities?,
        ends_at: application.now().plus_seconds(plan.days * DAY_S),
        subsidy: major(application, plan.subsidy)?,
    })
}

fn major(application: &Application, text: &str) -> anyhow::Result<Amount> {
    Ok(application.settings().currency.parse_amount(text)?)
}

fn done<T>(receipt: Receipt<T>) -> anyhow::Result<T> {
    Ok(receipt.result?)
}

/// Random choices that are the same in every run.
struct Chance(u64);

impl Chance {
    /// Returns a number from 0 to below `bound`; the generator is splitmix64.
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((bits >> 32) % u64::from(bound.max(1))).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> anyhow::Result<&'a T> {
        let bound = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items.get(self.below(bound) as usize).context("there is something to pick from")
    }

    /// Returns an idempotency key for the next command, unique within a run.
    fn key(&mut self) -> String {
        self.below(1);
        format!("demo-{:016x}", self.0)
    }
}
