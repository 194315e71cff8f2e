//! Proposed resolutions: who may decide, what a dispute stops, and what time decides.

use foretell_application::writer::{Decided, Decision};
use foretell_application::{ApplicationSettings, Caller};
use foretell_domain::error::DomainError;
use foretell_domain::market::{
    Evidence, MarketError, MarketOutcome, MarketRules, Phase, Resolution, ResolutionStatus,
};
use foretell_domain::policy::Denied;
use foretell_domain::text::{EvidenceText, Reason};
use foretell_ports::market::MarketDetails;
use foretell_testkit::faults::Fault;

use crate::support::{Fixture, GRANT, settings};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A market of a creator with a stake in it, in which another user has bet on the second option.
struct Setting {
    fixture: Fixture,
    creator: Caller,
    holder: Caller,
    market: MarketDetails,
}

impl Setting {
    async fn open() -> Self {
        Self::open_with(settings()).await
    }

    async fn open_with(settings: ApplicationSettings) -> Self {
        let fixture = Fixture::open_with(settings).await;
        let (creator, holder) = (fixture.user().await, fixture.user().await);
        let market = fixture.market(&creator, 1_000).await;
        fixture.bet(&creator, &market, 0, 100).await.unwrap();
        fixture.bet(&holder, &market, 1, 500).await.unwrap();
        Self { fixture, creator, holder, market }
    }

    fn winner(&self, option: usize) -> Decision {
        Decision::Winner(Fixture::option(&self.market, option))
    }

    async fn propose(&self, by: &Caller, option: usize) -> Resolution {
        self.fixture.propose(by, &self.market, self.winner(option)).await
    }

    async fn decide(&self, by: &Caller, option: usize) -> Result<Decided, DomainError> {
        let decision = self.winner(option);
        self.fixture.decide_or_propose(by, &self.market, decision).await.unwrap().result
    }

    async fn dispute(&self, by: &Caller) -> Result<(), DomainError> {
        let reason = Reason::new("It did not rain.").unwrap();
        let id = self.market.market.id();
        refused(self.fixture.app.markets.dispute_resolution(by, id, reason).await.map(drop))
    }

    async fn phase(&self) -> Phase {
        let details = self.fixture.app.markets.get_market(self.market.market.id()).await.unwrap();
        details.market.record().phase
    }

    /// Returns the statuses of the market's resolutions, newest first.
    async fn statuses(&self) -> Vec<ResolutionStatus> {
        let id = self.market.market.id();
        let rows = self.fixture.resolutions(id).await;
        rows.iter().map(|row| row.status).collect()
    }

    async fn wait(&self, seconds: i64) {
        self.fixture.clock.advance_seconds(seconds);
        self.fixture.app.markets.apply_due_proposals().await.unwrap();
    }
}

fn refused<T>(result: Result<T, foretell_application::AppError>) -> Result<T, DomainError> {
    result.map_err(|error| match error {
        foretell_application::AppError::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    })
}

#[tokio::test]
async fn user_with_stake_only_proposes() {
    let setting = Setting::open().await;
    let moderator = setting.fixture.moderator().await;
    let involved = setting.fixture.moderator().await;
    let other = setting.fixture.market(&setting.creator, 1_000).await;
    setting.fixture.bet(&involved, &other, 0, 10).await.unwrap();
    setting.fixture.sell_all(&involved, &other, 0).await.unwrap();

    let proposal = setting.propose(&setting.creator, 0).await;
    assert_eq!((proposal.number, proposal.status), (1, ResolutionStatus::Proposed));
    assert_eq!(setting.phase().await, Phase::Closed, "nobody trades on a known outcome");
    assert_eq!(setting.fixture.balance(setting.holder.account_id).await, GRANT - 500);
    // Shares that were sold again count.
    let decision = Decision::Winner(Fixture::option(&other, 0));
    setting.fixture.propose(&involved, &other, decision.clone()).await;
    let market = setting.fixture.market(&setting.creator, 1_000).await;
    let decision = Decision::Winner(Fixture::option(&market, 0));
    setting.fixture.decide(&setting.creator, &market, decision.clone()).await.unwrap();
    let market = setting.fixture.market(&setting.creator, 1_000).await;
    let decision = Decision::Winner(Fixture::option(&market, 0));
    setting.fixture.decide(&moderator, &market, decision).await.unwrap().result.unwrap();
    setting.fixture.audit().await;
}

#[tokio::test]
async fn undisputed_proposal_takes_effect_after_challenge_time() {
    let setting = Setting::open().await;
    setting.propose(&setting.creator, 1).await;
    setting.wait(DAY_SECONDS - 1).await;
    assert_eq!(setting.phase().await, Phase::Closed);
    setting.wait(1).await;
    assert_eq!(setting.phase().await, Phase::Resolved);
    assert_eq!(setting.statuses().await, [ResolutionStatus::Applied]);
    let settlement = setting.fixture.settlement(setting.market.market.id()).await;
    assert_eq!(settlement.decided_by, setting.creator.user.id);
    // A second pass finds nothing.
    setting.wait(DAY_SECONDS).await;
    assert_eq!(setting.statuses().await, [ResolutionStatus::Applied]);
}

#[tokio::test]
async fn failed_proposal_blocks_no_other() {
    let setting = Setting::open().await;
    let other = setting.fixture.market(&setting.creator, 1_000).await;
    setting.fixture.bet(&setting.creator, &other, 0, 100).await.unwrap();
    setting.propose(&setting.creator, 1).await;
    let decision = Decision::Winner(Fixture::option(&other, 0));
    setting.fixture.propose(&setting.creator, &other, decision).await;
    setting.fixture.fail_after(0, Fault::Unavailable);
    setting.wait(DAY_SECONDS).await;
    let statuses = async || {
        let other = setting.fixture.resolutions(other.market.id()).await;
        [setting.statuses().await[0], other[0].status]
    };
    let applied = statuses().await.iter().filter(|s| **s == ResolutionStatus::Applied).count();
    assert_eq!(applied, 1, "the first one failed");
    setting.wait(0).await;
    assert_eq!(statuses().await, [ResolutionStatus::Applied; 2]);
    setting.fixture.audit().await;
}

#[tokio::test]
async fn disputed_proposal_waits_for_uninvolved_staff() {
    let setting = Setting::open().await;
    let (stranger, moderator) = (setting.fixture.user().await, setting.fixture.moderator().await);
    assert_eq!(setting.dispute(&setting.holder).await, Err(MarketError::NoProposal.into()));
    setting.propose(&setting.creator, 0).await;
    assert_eq!(setting.dispute(&stranger).await, Err(Denied::NotAHolder.into()));
    setting.dispute(&setting.holder).await.unwrap();
    assert_eq!(setting.dispute(&setting.holder).await, Err(MarketError::AlreadyDisputed.into()));
    setting.wait(10 * DAY_SECONDS).await;
    assert_eq!(setting.phase().await, Phase::Closed);
    // Neither the proposer nor anybody with a stake decides.
    let pending = Err(MarketError::ProposalPending.into());
    assert_eq!(setting.decide(&setting.creator, 0).await, pending);
    assert_eq!(setting.decide(&setting.creator, 1).await, pending);
    setting.decide(&moderator, 1).await.unwrap();
    assert_eq!(setting.statuses().await, [ResolutionStatus::Applied, ResolutionStatus::Rejected]);
    let settlement = setting.fixture.settlement(setting.market.market.id()).await;
    assert_eq!(settlement.decided_by, moderator.user.id);
    assert_eq!(
        settlement.terms.outcome(),
        MarketOutcome::Payouts { basis_points: vec![0, 10_000] }
    );
    setting.fixture.audit().await;
}

#[tokio::test]
async fn staff_confirms_proposal_of_other_user() {
    let setting = Setting::open().await;
    let moderator = setting.fixture.moderator().await;
    setting.propose(&setting.creator, 0).await;
    setting.decide(&moderator, 0).await.unwrap();
    assert_eq!(setting.statuses().await, [ResolutionStatus::Applied]);
    let id = setting.market.market.id();
    let rows = setting.fixture.resolutions(id).await;
    assert_eq!(rows[0].closed_by, Some(moderator.user.id));
    assert_eq!(rows[0].proposed_by, setting.creator.user.id);
}

#[tokio::test]
async fn staff_member_does_not_confirm_own_proposal() {
    let rules = MarketRules { always_propose: true, ..MarketRules::default() };
    let setting =
        Setting::open_with(ApplicationSettings { market_rules: rules, ..settings() }).await;
    let (one, two) = (setting.fixture.moderator().await, setting.fixture.moderator().await);
    setting.propose(&one, 0).await;
    assert_eq!(setting.decide(&one, 0).await, Err(MarketError::ProposalPending.into()));
    assert!(matches!(setting.decide(&two, 0).await, Ok(Decided::Now(_))));
}

#[tokio::test]
async fn proposal_is_withdrawn_or_rejected() {
    let setting = Setting::open().await;
    let (stranger, moderator) = (setting.fixture.user().await, setting.fixture.moderator().await);
    let id = setting.market.market.id();
    let end = async |by: &Caller| {
        refused(setting.fixture.app.markets.end_proposal(by, id).await.map(drop))
    };
    setting.propose(&setting.creator, 0).await;
    for by in [&stranger, &setting.holder] {
        assert_eq!(end(by).await, Err(Denied::NotAJudge.into()));
    }
    end(&setting.creator).await.unwrap();
    setting.propose(&setting.creator, 0).await;
    end(&moderator).await.unwrap();
    assert_eq!(end(&moderator).await, Err(MarketError::NoProposal.into()));
    setting.wait(10 * DAY_SECONDS).await;
    assert_eq!(setting.phase().await, Phase::Closed);
    assert_eq!(setting.statuses().await, [ResolutionStatus::Rejected, ResolutionStatus::Withdrawn]);
}

#[tokio::test]
async fn evidence_is_kept_and_part_of_the_request() {
    let setting = Setting::open().await;
    let (id, key) = (setting.market.market.id(), setting.fixture.key());
    let evidence = |text: &str| Evidence { text: EvidenceText::new(text).ok(), url: None };
    let markets = &setting.fixture.app.markets;
    let decide = async |text: &str| {
        let decision = setting.winner(0);
        markets.decide_market(&setting.creator, key.clone(), id, decision, evidence(text)).await
    };
    let first = decide("The airport has measured 3 mm.").await.unwrap();
    let again = decide("The airport has measured 3 mm.").await.unwrap();
    assert_eq!((&again.result, again.is_replay), (&first.result, true));
    assert!(decide("Something else.").await.is_err(), "another request under the same key");
    let rows = setting.fixture.resolutions(id).await;
    assert_eq!(rows[0].evidence, evidence("The airport has measured 3 mm."));
}

#[tokio::test]
async fn creator_may_not_buy_where_operator_forbids_it() {
    let rules = MarketRules { creator_may_trade: false, ..MarketRules::default() };
    let fixture =
        Fixture::open_with(ApplicationSettings { market_rules: rules, ..settings() }).await;
    let (creator, trader) = (fixture.user().await, fixture.user().await);
    let market = fixture.market(&creator, 1_000).await;
    let refusal = fixture.bet(&creator, &market, 0, 100).await.unwrap_err();
    assert_eq!(refusal, MarketError::CreatorMayNotTrade.into());
    fixture.bet(&trader, &market, 0, 100).await.unwrap();
}

#[tokio::test]
async fn reopened_market_trades_again() {
    let setting = Setting::open().await;
    let (id, markets) = (setting.market.market.id(), &setting.fixture.app.markets);
    let reopen = async |by: &Caller| refused(markets.reopen_market(by, id, None).await.map(drop));
    let not_closed = MarketError::NotClosed { phase: Phase::Open };
    assert_eq!(reopen(&setting.creator).await, Err(not_closed.into()));
    setting.propose(&setting.creator, 0).await;
    assert_eq!(reopen(&setting.creator).await, Err(MarketError::ProposalPending.into()));
    markets.end_proposal(&setting.creator, id).await.unwrap();
    assert_eq!(reopen(&setting.holder).await, Err(Denied::NotTheCreator.into()));
    reopen(&setting.creator).await.unwrap();
    setting.fixture.bet(&setting.holder, &setting.market, 1, 10).await.unwrap();
    setting.fixture.audit().await;
}
