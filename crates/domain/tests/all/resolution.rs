//! Tests of proposals and decisions.

use std::time::Duration;

use foretell_domain::id::{AccountId, MarketId, OptionId, UserId};
use foretell_domain::market::{
    DecisionRight, EditRight, Evidence, Market, MarketError, MarketOutcome, MarketRules, Opening,
    Phase, Resolution, ResolutionStatus,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::policy::Actor;
use foretell_domain::text::Reason;
use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const MARKET: MarketId = MarketId::from_u128(5);
const CREATOR: UserId = UserId::from_u128(6);
const OTHER: UserId = UserId::from_u128(7);
const PROPOSER: UserId = UserId::from_u128(8);

fn market() -> Market {
    let opening = Opening {
        id: MARKET,
        creator_id: CREATOR,
        creator_account_id: AccountId::from_u128(6),
        ends_at: NOW.plus_seconds(60),
        subsidy: Amount::new(10_000).unwrap(),
        fee_bps: 0,
        options: vec![(OptionId::from_u128(1), None), (OptionId::from_u128(2), None)],
    };
    Market::open(opening, NOW).unwrap()
}

fn proposal() -> Resolution {
    let outcome = MarketOutcome::Payouts { basis_points: vec![10_000, 0] };
    let times = (NOW, Duration::from_secs(9));
    Resolution::propose(MARKET, 1, outcome, Evidence::default(), PROPOSER, times)
}

#[test]
fn only_those_without_a_part_decide() {
    use DecisionRight::{Decide, Propose};
    let user = |id, role| Actor::User { id, role };
    let creator = user(CREATOR, Role::User);
    let creating_admin = user(CREATOR, Role::Admin);
    let moderator = user(OTHER, Role::Moderator);
    let proposer = user(PROPOSER, Role::Moderator);
    let pending = Err(MarketError::ProposalPending);
    // Without a proposal and with one; each without a stake, with one, and with a key that only
    // proposes.
    for (actor, first, with_proposal) in [
        (creator, [Ok(Decide), Ok(Propose), Ok(Propose)], [pending; 3]),
        (creating_admin, [Ok(Decide), Ok(Propose), Ok(Propose)], [pending; 3]),
        (moderator, [Ok(Decide), Ok(Propose), Ok(Propose)], [Ok(Decide), pending, pending]),
        (proposer, [Ok(Decide), Ok(Propose), Ok(Propose)], [pending; 3]),
    ] {
        let (market, proposal) = (market(), proposal());
        for (waiting, expected) in [(None, first), (Some(&proposal), with_proposal)] {
            let cases = [(false, false), (true, false), (false, true)];
            for ((has_stake, is_propose_only), expected) in cases.into_iter().zip(expected) {
                let rules = MarketRules::default();
                let right =
                    DecisionRight::of(actor, &market, waiting, has_stake, is_propose_only, &rules);
                assert_eq!(right, expected, "{actor:?} {waiting:?} {has_stake} {is_propose_only}");
            }
        }
        let rules = MarketRules { always_propose: true, ..MarketRules::default() };
        let right = DecisionRight::of(actor, &market, None, false, false, &rules);
        assert_eq!(right, Ok(Propose), "{actor:?}");
    }
}

#[test]
fn proposal_takes_effect_by_time_unless_disputed() {
    let due = NOW.plus_seconds(9);
    let before = Timestamp::from_micros(due.micros() - 1);
    assert_eq!(proposal().take_effect(before), Err(MarketError::ProposalNotDue));
    let mut applied = proposal();
    applied.take_effect(due).unwrap();
    assert_eq!((applied.status, applied.closed_by), (ResolutionStatus::Applied, None));
    assert_eq!(applied.take_effect(due), Err(MarketError::NoProposal));
    assert_eq!(applied.dispute(), Err(MarketError::NoProposal));
    let mut disputed = proposal();
    disputed.dispute().unwrap();
    assert_eq!(disputed.take_effect(due.plus_seconds(9)), Err(MarketError::ProposalNotDue));
    disputed.close(ResolutionStatus::Applied, OTHER, due).unwrap();
    assert_eq!(disputed.closed_by, Some(OTHER));
    let again = disputed.close(ResolutionStatus::Rejected, OTHER, due);
    assert_eq!(again, Err(MarketError::NoProposal));
}

#[test]
fn resolution_is_undone_once() {
    let (outcome, evidence) = (MarketOutcome::Cancellation, Evidence::default());
    let mut made = Resolution::decide(MARKET, 1, outcome, evidence, CREATOR, NOW);
    let reason = || Reason::new("a mistake").unwrap();
    made.undo(OTHER, reason(), NOW).unwrap();
    assert_eq!(made.undo(OTHER, reason(), NOW), Err(MarketError::BeingUndone));
    made.complete_undo(Balance::from_minor(3), NOW.plus_seconds(1));
    let undo = made.undo.unwrap();
    assert_eq!((undo.covered.minor(), undo.completed_at), (3, Some(NOW.plus_seconds(1))));
}

#[test]
fn reopening_respects_limits_of_end_date() {
    let closed = || market().close().unwrap();
    let (ended, later) = (NOW.plus_seconds(60), NOW.plus_seconds(90));
    let not_closed = |phase| Err(MarketError::NotClosed { phase });
    let decided = closed().cancel(Balance::from_minor(10_000)).unwrap().0;
    let short = EditRight::EndDate { latest: ended };
    let too_late = Err(MarketError::EndsTooLate { latest: ended });
    for (before, ends_at, right, now, expected) in [
        (market(), None, EditRight::Full, NOW, not_closed(Phase::Open)),
        (decided, None, EditRight::Full, NOW, not_closed(Phase::Cancelled)),
        (closed(), None, EditRight::Full, NOW, Ok((ended, 1))),
        (closed(), None, EditRight::Full, ended, Err(MarketError::EndsInThePast)),
        // Its end date has passed without a closing.
        (market(), Some(later), EditRight::Full, ended, Ok((later, 2))),
        (closed(), Some(later), EditRight::Full, NOW, Ok((later, 2))),
        (closed(), Some(later), short, NOW, too_late),
        (closed(), Some(ended), short, NOW, Ok((ended, 1))),
    ] {
        let version = before.record().version;
        let reopened = before.reopen(ends_at, right, now);
        let seen = reopened.as_ref().map(|market| {
            let record = market.record();
            assert_eq!((record.phase, record.version), (Phase::Open, version + 1));
            (record.ends_at, record.revision)
        });
        assert_eq!(seen.map_err(|error| *error), expected);
    }
}
