//! Overlapping units: no update is lost, nothing is done twice, and no unit waits forever.

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::Arc;

use foretell_domain::account::{Account, AccountRecord};
use foretell_domain::id::{AccountId, MarketId, UserId};
use foretell_domain::market::{Market, MarketRecord, Settlement, SettlementTerms};
use foretell_domain::money::{Balance, Currency};
use foretell_domain::post::{PostEdit, PostStatus};
use foretell_domain::text::PostTitle;
use foretell_domain::transfer::TransferKind;
use foretell_domain::user::{Role, User};
use foretell_ports::error::StoreError;
use foretell_ports::market::PaidSet;
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, Side, Trade, after, lock_market, move_money};
use super::overlap::{Meeting, overlap};
use crate::clock::START;
use crate::ids::mix;

/// Two units that each lock an account, read it and add one to it add two.
pub async fn concurrent_units_on_account_lose_no_update(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let id = fixture.account().await.id();
    let add_one = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let mut account = tx.lock_accounts(&BTreeSet::from([id]))?.remove(0);
        meeting.arrive();
        let record = *account.record();
        let balance = Balance::from_minor(record.balance.minor() + 1);
        let raised = AccountRecord { balance, version: record.version + 1, ..record };
        *account = Account::restore(raised).expect("an account");
        tx.save_accounts(&[&account])
    };
    for result in overlap(&fixture, add_one, add_one).await {
        result.expect("both units are committed");
    }
    let account = fixture.stored(id).await.account;
    assert_eq!((account.balance().minor(), account.version()), (2, 2), "no update is lost");
}

/// Two units that each lock a market, read it and change it once change it twice.
pub async fn concurrent_units_on_market_lose_no_update(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let id = fixture.market(|market| market).await.market.id();
    let add_one = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let mut market = lock_market(tx, id)?;
        meeting.arrive();
        let record = market.record().clone();
        let volume = Balance::from_minor(record.volume.minor() + 1);
        let raised = MarketRecord { volume, version: record.version + 1, ..record };
        *market = Market::restore(raised).expect("a market");
        tx.save_markets(&[&market], START)
    };
    for result in overlap(&fixture, add_one, add_one).await {
        result.expect("both units are committed");
    }
    let market = fixture.stored_market(id).await.market;
    assert_eq!(
        (market.record().volume.minor(), market.record().version),
        (2, 3),
        "no update is lost"
    );
}

/// Two units that each lock a post and change it once change it twice.
pub async fn concurrent_units_on_post_lose_no_update(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Draft, &[]).await;
    let rename = move |title: &'static str| {
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            let mut locked = tx.lock_post(post.id)?.expect("the post is stored");
            meeting.arrive();
            let title = PostTitle::new(title).ok();
            locked.edit(PostEdit { title, ..PostEdit::default() }, START);
            tx.save_post(&locked)
        }
    };
    for result in overlap(&fixture, rename("one"), rename("two")).await {
        result.expect("both units are committed");
    }
    let stored = fixture.ports.posts.find_post(post.id).await.unwrap().expect("the post is stored");
    assert_eq!((stored.version, stored.body.title.as_str()), (3, "two"), "no update is lost");
}

/// A comment on a post that is being deleted comes either before or too late.
pub async fn post_is_not_deleted_during_comment(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let post = fixture.post(PostStatus::Published, &[]).await;
    let comment = fixture.make.comment(post.author_id, post.id);
    let write = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let held = tx.lock_subject(comment.subject)?;
        meeting.arrive();
        held.map_or(Ok(()), |_| tx.insert_comment(&comment))
    };
    let delete = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let locked = tx.lock_post(post.id)?.expect("the post is stored");
        tx.delete_post(locked)?;
        meeting.arrive();
        Ok(())
    };
    for result in overlap(&fixture, write, delete).await {
        result.expect("both units are committed");
    }
    assert_eq!(fixture.ports.posts.count_comments(post.id.into()).await.unwrap(), 0);
}

/// Two units that lock the same two accounts, for transfers in opposite directions, never deadlock.
pub async fn opposite_transfers_between_two_accounts_succeed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (a, b) = (fixture.funded(100).await.id(), fixture.funded(100).await.id());
    let orders = [30, 5].map(|minor| fixture.make.order(TransferKind::Payment, minor));
    let [there, back] = orders;
    let pay = move |sides: [AccountId; 2], order| {
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            tx.lock_accounts(&sides.into_iter().collect())?;
            meeting.arrive();
            move_money(tx, sides, &order)
        }
    };
    for result in overlap(&fixture, pay([a, b], there), pay([b, a], back)).await {
        result.expect("both units are committed");
    }
    check_balances(&fixture, [(a, 75), (b, 125)]).await;
}

/// Two units that lock two accounts separately, in opposite orders against the rules: at worst one
/// of them runs again.
pub async fn crosswise_locks_succeed_eventually(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (a, b) = (fixture.funded(100).await.id(), fixture.funded(100).await.id());
    let orders = [30, 5].map(|minor| fixture.make.order(TransferKind::Payment, minor));
    let [there, back] = orders;
    let pay = move |sides: [AccountId; 2], order| {
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            tx.lock_accounts(&BTreeSet::from([sides[0]]))?;
            meeting.arrive();
            tx.lock_accounts(&BTreeSet::from([sides[1]]))?;
            move_money(tx, sides, &order)
        }
    };
    for result in overlap(&fixture, pay([a, b], there), pay([b, a], back)).await {
        result.expect("both units are committed");
    }
    check_balances(&fixture, [(a, 75), (b, 125)]).await;
}

async fn check_balances(fixture: &Fixture, expected: [(AccountId, i64); 2]) {
    for (id, minor) in expected {
        assert_eq!(fixture.stored(id).await.account.balance().minor(), minor, "{id:?}");
    }
    let report = fixture.ports.ledger.audit().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
}

/// Many tasks that move money between the same few accounts lose and duplicate nothing.
pub async fn many_units_on_few_accounts_lose_nothing(harness: &dyn Harness) {
    const TASKS: u64 = 8;
    const UNITS: u64 = 15;
    let fixture = Fixture::open(harness).await;
    let mut accounts = Vec::new();
    for _ in 0..4 {
        accounts.push(fixture.funded(1_000).await.id());
    }
    let accounts: [AccountId; 4] = accounts.try_into().expect("four accounts");
    let before = fixture.ports.ledger.audit().await.unwrap();
    let tasks = (0..TASKS).map(|task| {
        let (store, make) = (Arc::clone(&fixture.ports.uow), fixture.make.clone());
        tokio::spawn(async move {
            for unit in 0..UNITS {
                let chance =
                    usize::try_from(mix(task * UNITS + unit) % 12).expect("a small number");
                let (from, step) = (chance % 4, chance / 4 + 1);
                let sides = [accounts[from], accounts[(from + step) % 4]];
                let order = make.order(TransferKind::Payment, 1);
                let paid = store.run("many", move |tx| move_money(tx, sides, &order)).await;
                paid.expect("the transfer is committed");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("every transfer is committed");
    }
    let after = fixture.ports.ledger.audit().await.unwrap();
    assert!(after.is_sound(), "{after:?}");
    assert_eq!(u64::try_from(after.transfers - before.transfers), Ok(TASKS * UNITS));
}

/// If two users register one email address at the same time, one gets it and the other an error.
pub async fn one_of_two_users_gets_email(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let first = fixture.make.user();
    let second = User { email: first.email.clone(), ..fixture.make.user() };
    let password = fixture.make.password();
    let register = |user: &User| {
        let (user, password) = (user.clone(), password.clone());
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            let is_new = tx.insert_user_once(&user, &password)?;
            meeting.arrive();
            Ok(is_new)
        }
    };
    let results = overlap(&fixture, register(&first), register(&second)).await;
    let results = results.map(|result| result.expect("both units are committed"));
    assert!(results[0] != results[1], "one of them registered: {results:?}");
    let stored = fixture.ports.users.find_credentials(&first.email).await.unwrap().expect("a user");
    assert_eq!(stored.user.id, if results[0] { first.id } else { second.id });
}

/// If two admins demote each other unless they would be the last, one admin is left.
pub async fn mutual_demotion_leaves_one_admin(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let admins = [(); 2].map(|()| User { role: Role::Admin, ..fixture.make.user() });
    for admin in admins.clone() {
        let password = fixture.make.password();
        assert!(fixture.commit(move |tx| tx.insert_user_once(&admin, &password)).await);
    }
    let demote = |id: UserId| {
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            let mut locked = tx.lock_user_and_admins(id)?;
            meeting.arrive();
            let active = locked.iter().filter(|locked| locked.user.is_active_admin()).count();
            let is_last = active < 2;
            if let Some(demoted) = locked.iter_mut().find(|locked| locked.user.id == id && !is_last)
            {
                demoted.user.role = Role::User;
                tx.save_user(demoted, START)?;
            }
            Ok(is_last)
        }
    };
    let results = overlap(&fixture, demote(admins[0].id), demote(admins[1].id)).await;
    let results = results.map(|result| result.expect("both units are committed"));
    assert_eq!(results, [false, true], "the second one sees what the first one did");
    let left = fixture.commit(move |tx| tx.lock_user_and_admins(UserId::from_u128(0))).await;
    assert_eq!(left.iter().map(|left| left.user.id).collect::<Vec<_>>(), [admins[1].id]);
}

/// If two commands have one key, one stores its outcome and the other is rejected.
pub async fn one_of_two_commands_gets_key(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await.id;
    let outcomes = [fixture.make.outcome(user, "key"), fixture.make.outcome(user, "key")];
    let store = |outcome: &foretell_ports::idempotency::StoredOutcome| {
        let outcome = outcome.clone();
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            tx.insert_outcomes(from_ref(&outcome))?;
            meeting.arrive();
            Ok(())
        }
    };
    let results = overlap(&fixture, store(&outcomes[0]), store(&outcomes[1])).await;
    let winner = check_one_of_two(&results);
    let stored = fixture.ports.outcomes.find_outcome(&outcomes[0].key).await.unwrap();
    assert_eq!(stored.as_ref(), Some(&outcomes[winner]));
}

/// Checks that one unit was committed and the other rejected, and returns the committed one.
fn check_one_of_two(results: &[Result<(), StoreError>; 2]) -> usize {
    match results {
        [Ok(()), Err(StoreError::Rejected(_))] => 0,
        [Err(StoreError::Rejected(_)), Ok(())] => 1,
        other => panic!("one is committed and the other one rejected, not {other:?}"),
    }
}

/// If two transfers have one id, between four accounts, one succeeds and the other is rejected.
pub async fn one_of_two_transfers_gets_id(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (a, b) = (fixture.funded(100).await.id(), fixture.account().await.id());
    let (c, d) = (fixture.funded(100).await.id(), fixture.account().await.id());
    let order = fixture.make.order(TransferKind::Payment, 10);
    let pay = |sides: [AccountId; 2]| {
        let order = order.clone();
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            move_money(tx, sides, &order)?;
            meeting.arrive();
            Ok(())
        }
    };
    let results = overlap(&fixture, pay([a, b]), pay([c, d])).await;
    let [paid, unpaid] = if check_one_of_two(&results) == 0 { [b, d] } else { [d, b] };
    check_balances(&fixture, [(paid, 10), (unpaid, 0)]).await;
}

/// If two units insert one account, such as the treasury, one inserts it and both continue.
pub async fn one_of_two_units_inserts_account(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let insert = |tx: &mut dyn Tx, meeting: &Meeting| {
        let inserted = tx.insert_accounts_once(&[Account::treasury()], START)?;
        meeting.arrive();
        Ok(inserted)
    };
    let counts = overlap(&fixture, insert, insert).await.map(|result| result.expect("both go on"));
    assert_eq!(counts.iter().sum::<usize>(), 1, "{counts:?}");
    assert_eq!(fixture.stored(AccountId::TREASURY).await.account, Account::treasury());
}

/// If two units record a currency, both get the stored one.
pub async fn first_of_two_currencies_is_stored(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let record = |code: &str| {
        let currency = Currency::new(code, 2).expect("a currency");
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            let stored = tx.record_currency_once(&currency, START)?;
            meeting.arrive();
            Ok(stored)
        }
    };
    let results = overlap(&fixture, record("PLAY"), record("COIN")).await;
    let [first, second] = results.map(|result| result.expect("both units are committed"));
    assert_eq!(first, second);
    assert_eq!(fixture.ports.ledger.find_currency().await.unwrap(), Some(first));
}

fn settlement_of(market: MarketId, decided_by: &User) -> Settlement {
    let terms = SettlementTerms::Payouts { basis_points: vec![10_000, 0] };
    Settlement::begin(market, terms, decided_by.id, after(60))
}

/// If two decisions are made on one market, the second finds it decided.
pub async fn one_of_two_decisions_gets_settlement(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = fixture.market(|market| market).await.market.id();
    let deciders = [fixture.user().await, fixture.user().await];
    let decide = |user: &User| {
        let settlement = settlement_of(market, user);
        move |tx: &mut dyn Tx, meeting: &Meeting| {
            let market = lock_market(tx, market)?;
            let is_decided = tx.lock_settlement(&market)?.is_some();
            meeting.arrive();
            if !is_decided {
                tx.insert_settlement(&settlement)?;
            }
            Ok(!is_decided)
        }
    };
    let results = overlap(&fixture, decide(&deciders[0]), decide(&deciders[1])).await;
    let decided = results.map(|result| result.expect("both units are committed"));
    let winner = decided.iter().position(|is_decided| *is_decided).expect("one of them decided");
    assert_eq!(decided.iter().filter(|is_decided| **is_decided).count(), 1);
    let stored =
        fixture.ports.markets.find_settlement(market).await.unwrap().expect("a settlement");
    assert_eq!(stored.decided_by, deciders[winner].id);
}

/// Two workers on one settlement pay the holders in turn and none twice.
pub async fn concurrent_settlement_steps_pay_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market_id = fixture.market(|market| market).await.market.id();
    for _ in 0..2 {
        let account = fixture.funded(100).await;
        let side = Side::Buy(100);
        fixture.trade(Trade { market_id, account, option_index: 0, side, at: after(1) }).await;
    }
    let settlement = settlement_of(market_id, &fixture.user().await);
    fixture
        .commit(move |tx| {
            lock_market(tx, market_id)?;
            tx.insert_settlement(&settlement)
        })
        .await;
    let pay_one = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let market = lock_market(tx, market_id)?;
        let mut settlement = tx.lock_settlement(&market)?.expect("the settlement is stored");
        meeting.arrive();
        let set = tx.list_holdings_after(&market, settlement.cursor, 1)?;
        let payouts = settlement.payouts(&set);
        let paid: Vec<_> = payouts.iter().map(|payout| payout.account_id).collect();
        settlement.record_set(paid[0], &payouts).expect("a small sum");
        tx.insert_payouts(&PaidSet { market_id, payouts, at: after(61) })?;
        tx.save_settlement(&settlement)?;
        Ok(paid)
    };
    let [first, second] = overlap(&fixture, pay_one, pay_one).await;
    let (first, second) = (first.expect("the first step"), second.expect("the second step"));
    assert!(first < second, "{first:?} and then {second:?}");
    let stored =
        fixture.ports.markets.find_settlement(market_id).await.unwrap().expect("a settlement");
    assert_eq!((stored.holders_paid, stored.cursor), (2, second.last().copied()));
}
