//! The types that embedders store are the same after serde wrote and read them, and those with
//! rules are checked when they are read.

use std::fmt::Debug;

use foretell_domain::account::{Account, AccountRecord};
use foretell_domain::comment::Comment;
use foretell_domain::id::{
    AccountId, CommentId, MarketId, OptionId, PostId, TransferId, UserId, WebhookId,
};
use foretell_domain::job::{JobLane, JobTask};
use foretell_domain::market::{
    BuyOrder, Dispute, Evidence, Holding, Market, MarketOutcome, MarketRecord, MarketRevision,
    MarketTexts, Opening, Resolution, Settlement, SettlementTerms, TradingDesk,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::post::{Post, PostBody, PostStatus};
use foretell_domain::quota::Quotas;
use foretell_domain::scope::{Scope, Scopes};
use foretell_domain::tag::{Tag, Tags};
use foretell_domain::text::{
    Category, Clarification, CommentContent, Email, EvidenceText, EvidenceUrl, MarketDescription,
    MarketName, OptionName, PostContent, PostTitle, Reason, UserName,
};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{TransferKind, TransferOrder, transfer};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_domain::webhook::{WebhookEvent, WebhookEvents, WebhookStatus, WebhookUrl};
use serde::Serialize;
use serde::de::DeserializeOwned;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const END: Timestamp = Timestamp::from_micros(2_000_000);
const CREATOR: UserId = UserId::from_u128(6);
const TRADER: UserId = UserId::from_u128(7);

fn amount(minor: i64) -> Amount {
    Amount::new(minor).unwrap()
}

/// Checks that a value is the same after it was written and read.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!(&read, value, "{json}");
}

/// Checks that a type does not accept this text.
fn is_rejected<T: DeserializeOwned + Debug>(json: &str) {
    let read = serde_json::from_str::<T>(json);
    assert!(read.is_err(), "{json}: {read:?}");
}

fn opening() -> Opening {
    Opening {
        id: MarketId::from_u128(5),
        creator_id: CREATOR,
        creator_account_id: AccountId::from_u128(6),
        ends_at: END,
        subsidy: amount(10_000),
        fee_bps: 25,
        options: vec![(OptionId::from_u128(1), None), (OptionId::from_u128(2), None)],
    }
}

fn funded(id: u128, owner: UserId, minor: i64) -> Account {
    let (mut treasury, mut account) =
        (Account::treasury(), Account::user(AccountId::from_u128(id), owner));
    let order =
        TransferOrder::new(TransferId::from_u128(id), TransferKind::Mint, amount(minor), NOW);
    transfer(&mut treasury, &mut account, order).unwrap();
    account
}

#[test]
fn trade_and_everything_it_changes_round_trip() {
    let market = Market::open(opening(), NOW).unwrap();
    let (mut creator, mut pot) = (funded(6, CREATOR, 20_000), Account::pot(market.id()));
    let id = TransferId::from_u128(20);
    let order = TransferOrder::new(id, TransferKind::Subsidy, amount(10_000), NOW);
    round_trip(&transfer(&mut creator, &mut pot, order.about(market.id())).unwrap());
    let trader = funded(7, TRADER, 500);
    let holding = Holding::empty(market.id(), trader.id(), 2);
    let desk = TradingDesk::new(market, pot, trader, holding).unwrap();
    let option_id = OptionId::from_u128(1);
    let order = BuyOrder { option_id, amount: amount(100), min_shares: None, max_price: None };
    let (desk, trade) = desk.buy(&order, TransferId::from_u128(21), NOW).unwrap();
    round_trip(&trade.fill);
    round_trip(&trade.transfer);
    let (market, pot, trader, holding) = desk.into_parts();
    round_trip(&market);
    round_trip(&pot);
    round_trip(&trader);
    round_trip(&Account::treasury());
    round_trip(&holding);
    round_trip(&holding.positions[0]);
    let (decided, terms) = market.resolve(vec![10_000, 0]).unwrap();
    round_trip(&decided);
    round_trip(&terms);
    let settlement = Settlement::begin(decided.id(), terms, CREATOR, NOW);
    round_trip(&settlement);
    for payout in settlement.payouts(&[holding]) {
        round_trip(&payout);
    }
    let (available, stakes) = (Balance::from_minor(1), Balance::from_minor(2));
    round_trip(&SettlementTerms::Refunds { available, stakes });
    let mut undone = settlement;
    undone.undo(NOW).unwrap();
    round_trip(&undone);
}

#[test]
fn resolutions_and_disputes_round_trip() {
    let evidence = Evidence {
        text: EvidenceText::new("3 mm at noon").ok(),
        url: EvidenceUrl::new("https://example.org/rain").ok(),
    };
    let (market, reason) = (opening().id, Reason::new("a mistake").unwrap());
    let outcome = MarketOutcome::Payouts { basis_points: vec![0, 10_000] };
    let mut made = Resolution::decide(market, 1, outcome, evidence, CREATOR, NOW);
    round_trip(&made);
    made.undo(CREATOR, reason.clone(), NOW).unwrap();
    round_trip(&made);
    round_trip(&Dispute {
        market_id: market,
        number: 1,
        user_id: CREATOR,
        reason,
        created_at: NOW,
    });
}

#[test]
fn markets_and_their_history_round_trip() {
    round_trip(&opening());
    let texts = MarketTexts::new(
        MarketName::new("Will it rain?").unwrap(),
        MarketDescription::new("At noon, on the roof.").unwrap(),
        Category::new("weather").unwrap(),
        ["Yes", "No"].map(|name| OptionName::new(name).unwrap()).to_vec(),
    )
    .unwrap();
    round_trip(&texts);
    let market = Market::open(opening(), NOW).unwrap();
    let opened = MarketRevision::of(&market, &texts, CREATOR, NOW);
    let clarification = Clarification::new("Drizzle counts.").ok();
    let clarified = MarketRevision { number: 2, clarification, ..opened.clone() };
    for revision in [opened, clarified] {
        round_trip(&revision);
        round_trip(&revision.kind());
    }
}

#[test]
fn users_and_their_texts_round_trip() {
    round_trip(&User {
        id: TRADER,
        email: Email::new("ann@example.org").unwrap(),
        name: UserName::new("Ann").unwrap(),
        avatar: None,
        role: Role::Moderator,
        status: UserStatus::Suspended,
        created_at: NOW,
        updated_at: END,
        version: 3,
    });
    let tags = Tags::new([Tag::new("rain").unwrap(), Tag::new("weather").unwrap()]).unwrap();
    let body = PostBody {
        title: PostTitle::new("Rain").unwrap(),
        content: PostContent::new("It will.").unwrap(),
        tags,
        status: PostStatus::Draft,
    };
    let id = PostId::from_u128(3);
    let post = Post { id, author_id: TRADER, body, version: 2, created_at: NOW, updated_at: END };
    round_trip(&post);
    round_trip(&post.authorship());
    let content = CommentContent::new("It did not.").unwrap();
    for subject in [id.into(), MarketId::from_u128(5).into()] {
        let (id, content) = (CommentId::from_u128(4), content.clone());
        let (created_at, updated_at) = (NOW, END);
        round_trip(&Comment { id, subject, author_id: TRADER, content, created_at, updated_at });
    }
}

#[test]
fn jobs_webhooks_and_settings_round_trip() {
    let (market, user) = (MarketId::from_u128(5), TRADER);
    let webhook = WebhookId::from_u128(8);
    for task in [
        JobTask::CloseMarket(market),
        JobTask::DecisionMail { market, user },
        JobTask::Webhook { webhook, market },
        JobTask::EmbedAll,
    ] {
        round_trip(&task);
        round_trip(&task.kind());
    }
    JobLane::ALL.iter().for_each(round_trip);
    for set in [WebhookEvents::ALL, WebhookEvents::TRADES, WebhookEvents::STATUSES] {
        round_trip(&set);
    }
    WebhookEvent::ALL.iter().for_each(round_trip);
    round_trip(&WebhookStatus::Disabled);
    round_trip(&WebhookUrl::new("https://example.org/hook").unwrap());
    round_trip(&Scopes::ALL);
    round_trip(&Scopes::new([Scope::Read]).unwrap());
    round_trip(&Quotas::default());
}

#[test]
fn values_that_break_their_rules_are_rejected() {
    is_rejected::<Scopes>("[]");
    is_rejected::<WebhookEvents>("[]");
    let account: AccountRecord =
        serde_json::from_str(&serde_json::to_string(&Account::treasury()).unwrap()).unwrap();
    let overdrawn =
        AccountRecord { id: AccountId::from_u128(7), balance: Balance::from_minor(-1), ..account };
    is_rejected::<Account>(
        &serde_json::to_string(&AccountRecord { version: -1, ..account }).unwrap(),
    );
    let mut user = serde_json::to_value(overdrawn).unwrap();
    user["kind"] = "user".into();
    user["owner"] = serde_json::to_value(TRADER).unwrap();
    is_rejected::<Account>(&user.to_string());
    let market = Market::open(opening(), NOW).unwrap();
    let record = MarketRecord { options: Vec::new(), ..market.record().clone() };
    is_rejected::<Market>(&serde_json::to_string(&record).unwrap());
}
