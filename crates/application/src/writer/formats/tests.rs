//! Tests of the formats against their golden files.

use std::time::Duration;

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, OptionId, TransferId, UserId};
use foretell_domain::market::lmsr::LmsrError;
use foretell_domain::market::{
    BuyOrder, Evidence, Guard, MarketError, MarketOutcome, MarketRecord, MarketTexts, OptionState,
    Phase, Quantity, Resolution, SellOrder, SettlementTerms, SplitError,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::policy::Denied;
use foretell_domain::probability::Probability;
use foretell_domain::quota::{Quota, QuotaExceeded, Quotas};
use foretell_domain::registration::RegistrationError;
use foretell_domain::shares::Shares;
use foretell_domain::text::{
    Category, EvidenceText, EvidenceUrl, MarketDescription, MarketName, Memo, OptionName, Reason,
};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Side, Transfer, TransferError, TransferKind, TransferRecord};
use sha2::{Digest as _, Sha256};

use super::command::CommandV1;
use super::outcome::{BatchRun, CommandResult, Stored, read, write};
use crate::writer::command::{
    BatchMode, Burn, Command, DecideMarket, Decision, Mint, OpenMarket, Payment, PaymentBatch,
    PlaceBet, Reversal, SellShares, UndoSettlement,
};
use crate::writer::outcome::{MarketOpened, MarketState, Outcome, Registered};

const COMMANDS: &str = include_str!("golden/commands_v1.jsonl");
const OUTCOMES: &str = include_str!("golden/outcomes_v1.jsonl");
/// Outcomes as they were stored before formats had a number, and their form in format 1.
const UNNUMBERED: &str = include_str!("golden/outcomes_unnumbered.jsonl");

fn amount(minor: i64) -> Amount {
    Amount::new(minor).unwrap()
}

fn texts() -> MarketTexts {
    let options = ["Yes", "No \"ever\""].map(|name| OptionName::new(name).unwrap());
    let (name, description) = ("Will it rain?", "By the station at the harbour.");
    MarketTexts::new(
        MarketName::new(name).unwrap(),
        MarketDescription::new(description).unwrap(),
        Category::new("weather").unwrap(),
        options.to_vec(),
    )
    .unwrap()
}

fn payment(id: Option<u128>, memo: Option<&str>) -> Payment {
    Payment {
        client_id: id.map(ClientId::from_u128),
        from: AccountId::from_u128(1),
        to: AccountId::from_u128(2),
        amount: amount(1_250),
        memo: memo.map(|memo| Memo::new(memo).unwrap()),
    }
}

fn commands() -> Vec<Command> {
    let (market_id, account_id) = (MarketId::from_u128(5), AccountId::from_u128(1));
    let option_id = OptionId::from_u128(6);
    let batch =
        |mode| Command::PayBatch(PaymentBatch::new(mode, vec![payment(Some(9), None)]).unwrap());
    let bet = |min_shares, max_price| {
        let order = BuyOrder { option_id, amount: amount(500), min_shares, max_price };
        Command::Bet(PlaceBet { client_id: None, market_id, account_id, order })
    };
    let sale = |quantity, min_proceeds| {
        let order = SellOrder { option_id, quantity, min_proceeds };
        Command::Sell(SellShares {
            client_id: Some(ClientId::from_u128(8)),
            market_id,
            account_id,
            order,
        })
    };
    let decide = |decision, evidence| {
        let is_propose_only = false;
        let command = DecideMarket { market_id, decision, evidence, is_propose_only };
        Command::Decide(Box::new(command))
    };
    let half = Some(Probability::new(0.3).unwrap());
    vec![
        Command::Pay(payment(None, Some("für \"dich\""))),
        Command::Pay(payment(Some(9), None)),
        batch(BatchMode::Atomic),
        batch(BatchMode::Independent),
        Command::Mint(Mint { to: account_id, amount: amount(7) }),
        Command::Reverse(Reversal { of: TransferId::from_u128(9), force: true }),
        Command::OpenMarket(Box::new(OpenMarket {
            texts: texts(),
            probabilities: vec![half, None],
            ends_at: Timestamp::from_micros(1_800_000_000_000_000),
            subsidy: amount(10_000),
            from: account_id,
            fee_bps: 200,
            quotas: Quotas::default(),
        })),
        bet(None, None),
        bet(Some(Shares::new(3).unwrap()), half),
        sale(Quantity::All, None),
        sale(Quantity::Shares(Shares::new(4).unwrap()), Some(amount(2))),
        Command::Close(market_id),
        decide(Decision::Winner(option_id), Evidence::default()),
        decide(Decision::Split(vec![(option_id, 2_500)]), Evidence::default()),
        decide(Decision::Cancel, Evidence::default()),
        Command::Delete(market_id),
        Command::Settle(market_id),
        decide(Decision::Cancel, evidence()),
        Command::Undo(UndoSettlement { market_id, reason: Reason::new("a mistake").unwrap() }),
        Command::Burn(Burn {
            from: account_id,
            amount: amount(7),
            reason: Memo::new("minted twice").unwrap(),
        }),
    ]
}

fn evidence() -> Evidence {
    Evidence {
        text: Some(EvidenceText::new("3 mm at the harbour").unwrap()),
        url: Some(EvidenceUrl::new("https://example.org/rain").unwrap()),
    }
}

fn record() -> MarketRecord {
    let option = |id, initial, outstanding| OptionState {
        id: OptionId::from_u128(id),
        initial: Probability::new(initial).unwrap(),
        outstanding: Shares::new(outstanding).unwrap(),
    };
    MarketRecord {
        id: MarketId::from_u128(5),
        creator_id: UserId::from_u128(3),
        creator_account_id: AccountId::from_u128(1),
        ends_at: Timestamp::from_micros(1_800_000_000_000_000),
        phase: Phase::Resolved,
        subsidy: amount(10_000),
        fee_bps: 200,
        options: vec![option(6, 0.3, 11), option(7, 0.7, 0)],
        fees: Balance::from_minor(1),
        volume: Balance::from_minor(2),
        stakes: Balance::from_minor(3),
        bet_count: 4,
        revision: 1,
        version: 5,
    }
}

fn transfer(id: u128, version: i64) -> Transfer {
    let side = |account, minor| Side {
        account_id: AccountId::from_u128(account),
        balance_after: Balance::from_minor(minor),
        version,
    };
    Transfer::restore(TransferRecord {
        id: TransferId::from_u128(id),
        client_id: None,
        kind: TransferKind::Payment,
        amount: amount(1),
        debit: side(1, 99),
        credit: side(2, 101),
        market_id: None,
        reversal_of: None,
        memo: Some(Memo::new("hello").unwrap()),
        created_at: Timestamp::from_micros(7),
    })
    .unwrap()
}

fn refusals() -> Vec<DomainError> {
    let (account, transfer) = (AccountId::from_u128(1), TransferId::from_u128(9));
    let (market, option) = (MarketId::from_u128(5), OptionId::from_u128(6));
    let [client, client_of_bet] = [9, 8].map(ClientId::from_u128);
    let (available, needed) = (Shares::new(1).unwrap(), Shares::new(2).unwrap());
    let transfers = [
        TransferError::SelfTransfer,
        TransferError::AccountNotFound(account),
        TransferError::AccountClosed(account),
        TransferError::InsufficientFunds { available: Balance::from_minor(1), needed: amount(2) },
        TransferError::CirculationLimit,
        TransferError::BalanceOutOfRange,
        TransferError::NotFinal { newest: Timestamp::from_micros(7) },
        TransferError::NotFound(transfer),
        TransferError::Duplicate(client),
        TransferError::AlreadyReversed(transfer),
        TransferError::NotReversible { kind: TransferKind::Payout },
        TransferError::BatchAborted,
    ];
    let markets = [
        MarketError::NotFound(market),
        MarketError::OptionNotFound(option),
        MarketError::DuplicateBet(client_of_bet),
        MarketError::TradingEnded,
        MarketError::NotOpen { phase: Phase::Closed },
        MarketError::AlreadyDecided { phase: Phase::Cancelled },
        MarketError::HasBets,
        MarketError::Slippage(Guard::MinShares(needed)),
        MarketError::Slippage(Guard::MinProceeds(amount(2))),
        MarketError::Slippage(Guard::MaxPrice),
        MarketError::InsufficientShares { available, needed },
        MarketError::TradeTooSmall,
        MarketError::TradeTooLarge,
        MarketError::EndsInThePast,
        MarketError::FeeTooHigh { max_bps: 1_000 },
        MarketError::SomeProbabilities,
        MarketError::Probabilities(LmsrError::Extreme { option: 1 }),
        MarketError::Probabilities(LmsrError::OptionCount),
        MarketError::Probabilities(LmsrError::Sum),
        MarketError::Probabilities(LmsrError::SubsidyTooLarge),
        MarketError::Split(SplitError::Options),
        MarketError::Split(SplitError::Sum),
    ];
    let others = [Denied::AdminsOnly.into(), Denied::NotTheCreator.into(), DomainError::EmailTaken];
    let transfers = transfers.into_iter().map(DomainError::from);
    transfers.chain(markets.into_iter().map(DomainError::from)).chain(others).collect()
}

/// Returns outcomes that are stored completely.
fn whole_outcomes() -> Vec<CommandResult> {
    let state = |terms| {
        Outcome::MarketChanged(Box::new(MarketState {
            record: record(),
            terms,
            at: Timestamp::from_micros(7),
        }))
    };
    let refunds = SettlementTerms::Refunds {
        available: Balance::from_minor(5),
        stakes: Balance::from_minor(6),
    };
    let outcomes = [
        Outcome::Registered(Registered {
            user_id: UserId::from_u128(3),
            account_id: AccountId::from_u128(1),
            balance: Balance::from_minor(100),
        }),
        Outcome::MarketOpened(Box::new(MarketOpened {
            record: record(),
            texts: texts(),
            balance: Balance::from_minor(9),
            created_at: Timestamp::from_micros(7),
        })),
        state(None),
        state(Some(SettlementTerms::Payouts { basis_points: vec![2_500, 7_500] })),
        state(Some(refunds)),
        Outcome::MarketDeleted,
        Outcome::SetPaid { complete: true },
    ];
    outcomes.into_iter().map(Ok).chain(refusals().into_iter().map(Err)).collect()
}

fn batch() -> Outcome {
    let refused = || Err(DomainError::from(TransferError::BatchAborted));
    let results = vec![
        Ok(transfer(10, 5)),
        Ok(transfer(11, 6)),
        refused(),
        refused(),
        Ok(transfer(12, 7)),
        Ok(transfer(13, 9)),
        Err(TransferError::SelfTransfer.into()),
    ];
    Outcome::Batch(results)
}

#[test]
fn commands_are_hashed_from_format_1() {
    let lines: Vec<_> = COMMANDS.lines().collect();
    assert_eq!(lines.len(), commands().len());
    for (command, line) in commands().iter().zip(lines) {
        let written = serde_json::to_string(&CommandV1::of(command).unwrap()).unwrap();
        assert_eq!(written, line);
        let hash = super::hash(command).unwrap();
        assert_eq!(
            hash.current,
            <[u8; 32]>::from(Sha256::digest(format!("foretell command 1\n{line}")))
        );
        assert!(hash.is(&hash.current));
        assert!(
            hash.is(&Sha256::digest(line).into()),
            "what was stored before formats had a number"
        );
        assert!(!hash.is(&Sha256::digest("another").into()));
    }
}

#[test]
fn outcomes_are_stored_in_format_1() {
    let referring = [Ok(Outcome::Transferred(transfer(10, 5))), Ok(batch())];
    let all: Vec<_> = whole_outcomes().into_iter().chain(referring).collect();
    let lines: Vec<_> = OUTCOMES.lines().collect();
    let written: Vec<_> = all.iter().map(|result| write(result).unwrap()).collect();
    assert_eq!(written, lines);
    for (result, line) in whole_outcomes().into_iter().zip(lines) {
        assert_eq!(read(line), Some(Stored::Whole(result)), "{line}");
    }
}

/// Domain errors added after formats got a number.
#[test]
fn newer_refusals_are_stored_in_format_1() {
    let check = |refusal: DomainError, written: &str| {
        let line = format!(r#"{{"format":1,"outcome":{{"Refused":{written}}}}}"#);
        assert_eq!(write(&Err(refusal)).unwrap(), line);
        assert_eq!(read(&line), Some(Stored::Whole(Err(refusal))));
    };
    check(
        QuotaExceeded { quota: Quota::OpenMarkets, limit: 200 }.into(),
        r#"{"QuotaExceeded":{"quota":"openMarkets","limit":200}}"#,
    );
    let too_small = MarketError::SubsidyTooSmall { min: amount(100) };
    check(too_small.into(), r#"{"Market":{"SubsidyTooSmall":{"min":100}}}"#);
    check(MarketError::QuestionFrozen.into(), r#"{"Market":"QuestionFrozen"}"#);
    let not_decided = MarketError::NotDecided { phase: Phase::Closed };
    check(not_decided.into(), r#"{"Market":{"NotDecided":{"phase":"closed"}}}"#);
    let not_closed = MarketError::NotClosed { phase: Phase::Open };
    check(not_closed.into(), r#"{"Market":{"NotClosed":{"phase":"open"}}}"#);
    for refusal in [
        MarketError::BeingUndone,
        MarketError::ProposalPending,
        MarketError::NoProposal,
        MarketError::ProposalNotDue,
        MarketError::AlreadyDisputed,
        MarketError::CreatorMayNotTrade,
        MarketError::MaxPriceRequired,
    ] {
        check(refusal.into(), &format!(r#"{{"Market":"{refusal:?}"}}"#));
    }
    let too_late = MarketError::EndsTooLate { latest: Timestamp::from_micros(9) };
    check(too_late.into(), r#"{"Market":{"EndsTooLate":{"latest":9}}}"#);
    check(RegistrationError::InvitationInvalid.into(), r#""InvitationInvalid""#);
}

/// Revisions were added after formats got a number.
#[test]
fn revision_is_stored_after_first() {
    let state = |revision| MarketState {
        record: MarketRecord { revision, ..record() },
        terms: None,
        at: Timestamp::from_micros(8),
    };
    for (revision, is_written) in [(1, false), (3, true)] {
        let result = Ok(Outcome::MarketChanged(Box::new(state(revision))));
        let line = write(&result).unwrap();
        assert_eq!(line.contains(r#""revision":3,"#), is_written, "{line}");
        assert_eq!(read(&line), Some(Stored::Whole(result)));
    }
}

/// Resolutions were added after formats got a number.
#[test]
fn resolutions_are_stored_in_format_1() {
    let (market, user) = (MarketId::from_u128(5), UserId::from_u128(3));
    let at = Timestamp::from_micros(7);
    let outcome = MarketOutcome::Payouts { basis_points: vec![0, 10_000] };
    let times = (at, Duration::from_secs(1));
    let proposed = Resolution::propose(market, 2, outcome, evidence(), user, times);
    let cancelled = MarketOutcome::Cancellation;
    let mut undone = Resolution::decide(market, 1, cancelled, Evidence::default(), user, at);
    undone.undo(user, Reason::new("a mistake").unwrap(), at).unwrap();
    let begin = concat!(
        r#"{"format":1,"outcome":{"ResolutionChanged":"#,
        r#"{"market_id":"00000000-0000-0000-0000-000000000005","#
    );
    let id = r#""00000000-0000-0000-0000-000000000003""#;
    for (resolution, rest) in [
        (
            proposed,
            format!(
                r#""number":2,"basis_points":[0,10000],"evidence_text":"3 mm at the harbour","evidence_url":"https://example.org/rain","proposed_by":{id},"proposed_at":7,"takes_effect_at":1000007,"status":"proposed","dispute_count":0}}}}}}"#
            ),
        ),
        (
            undone,
            format!(
                r#""number":1,"proposed_by":{id},"proposed_at":7,"status":"undone","dispute_count":0,"closed_by":{id},"closed_at":7,"undo":{{"by":{id},"reason":"a mistake","at":7,"covered":0}}}}}}}}"#
            ),
        ),
    ] {
        let result = Ok(Outcome::ResolutionChanged(Box::new(resolution)));
        let line = write(&result).unwrap();
        assert_eq!(line, format!("{begin}{rest}"));
        assert_eq!(read(&line), Some(Stored::Whole(result)));
    }
}

#[test]
fn batches_are_stored_as_runs() {
    let stored = read(&write(&Ok(batch())).unwrap()).unwrap();
    let paid = |first_version, count| BatchRun::Paid {
        from: AccountId::from_u128(1),
        first_version,
        count,
    };
    let aborted = BatchRun::Refused(TransferError::BatchAborted.into(), 2);
    let to_oneself = BatchRun::Refused(TransferError::SelfTransfer.into(), 1);
    assert_eq!(
        stored,
        Stored::Batch(vec![paid(5, 2), aborted, paid(7, 1), paid(9, 1), to_oneself])
    );
    let largest = (1..=1_000).map(|number| Ok(transfer(10, number))).collect();
    assert!(write(&Ok(Outcome::Batch(largest))).unwrap().len() < 200);
}

#[test]
fn outcomes_without_a_number_are_read() {
    let lines: Vec<_> = UNNUMBERED.lines().collect();
    let batch =
        Ok(Outcome::Batch(vec![Ok(transfer(10, 5)), Err(TransferError::BatchAborted.into())]));
    let referring = [
        Stored::Transfer(TransferId::from_u128(9)),
        Stored::Trade(BetId::from_u128(8)),
        Stored::Whole(batch),
    ];
    let whole = whole_outcomes().into_iter().map(Stored::Whole);
    let expected: Vec<_> = whole.chain(referring).map(Some).collect();
    assert_eq!(lines.iter().map(|line| read(line)).collect::<Vec<_>>(), expected);
}

#[test]
fn unknown_formats_are_not_read() {
    for text in ["", "{}", "null", r#"{"format":2,"outcome":"MarketDeleted"}"#, r#"{"format":1}"#] {
        assert_eq!(read(text), None, "{text}");
    }
}
