//! The rules of markets, from opening to settlement, through the public API.

use foretell_domain::error::{Code, DomainError};
use foretell_domain::id::{AccountId, MarketId, OptionId, UserId};
use foretell_domain::market::{
    BuyOrder, EditRight, Guard, Holding, MAX_POSTPONEMENT, Market, MarketEdit, MarketError,
    MarketRecord, MarketTexts, Opening, Phase, Quantity, SellOrder, Settlement, SettlementTerms,
    SplitError, Stakes,
};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::policy::Actor;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::text::{Category, MarketDescription, MarketName, OptionName};
use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const END: Timestamp = Timestamp::from_micros(2_000_000);
const YES: OptionId = OptionId::from_u128(1);
const NO: OptionId = OptionId::from_u128(2);
const TRADER: AccountId = AccountId::from_u128(7);

fn amount(minor: i64) -> Amount {
    Amount::new(minor).unwrap()
}

fn opening() -> Opening {
    Opening {
        id: MarketId::from_u128(5),
        creator_id: UserId::from_u128(6),
        creator_account_id: AccountId::from_u128(6),
        ends_at: END,
        subsidy: amount(10_000),
        fee_bps: 0,
        options: vec![(YES, None), (NO, None)],
    }
}

fn texts() -> MarketTexts {
    MarketTexts::new(
        MarketName::new("Will it rain?").unwrap(),
        MarketDescription::new("At noon, on the roof.").unwrap(),
        Category::new("weather").unwrap(),
        ["Yes", "No"].map(|name| OptionName::new(name).unwrap()).to_vec(),
    )
    .unwrap()
}

/// A market with its pot and one trader, whose money moves by hand.
struct Fixture {
    market: Market,
    holding: Holding,
    pot: i64,
}

impl Fixture {
    fn open(opening: Opening) -> Self {
        let pot = opening.subsidy.minor();
        let holding = Holding::empty(opening.id, TRADER, opening.options.len());
        Self { market: Market::open(opening, NOW).unwrap(), holding, pot }
    }

    fn buy(&mut self, order: BuyOrder) -> Result<i64, MarketError> {
        let fill = self.market.price_buy(&order, Balance::from_minor(self.pot), NOW)?;
        self.pot += fill.cash.minor();
        self.market.record_fill(&fill, &mut self.holding, Balance::from_minor(self.pot))?;
        Ok(fill.shares.units())
    }

    fn sell(&mut self, order: SellOrder) -> Result<i64, MarketError> {
        let index = self.market.option_index(order.option_id)?;
        let shares = self.holding.shares_to_sell(index, order.quantity)?;
        let fill = self.market.price_sell(&order, shares, Balance::from_minor(self.pot), NOW)?;
        self.pot -= fill.cash.minor();
        self.market.record_fill(&fill, &mut self.holding, Balance::from_minor(self.pot))?;
        Ok(fill.cash.minor())
    }
}

fn bet(option_id: OptionId, minor: i64) -> BuyOrder {
    BuyOrder { option_id, amount: amount(minor), min_shares: None, max_price: None }
}

fn sale(option_id: OptionId, quantity: Quantity) -> SellOrder {
    SellOrder { option_id, quantity, min_proceeds: None }
}

fn check_opening(change: impl FnOnce(&mut Opening), expected: Option<MarketError>) {
    let mut opening = opening();
    change(&mut opening);
    assert_eq!(Market::open(opening, NOW).err(), expected);
}

#[test]
fn invalid_openings_are_rejected() {
    let p = |value| Some(Probability::new(value).unwrap());
    check_opening(|_| (), None);
    check_opening(|o| o.ends_at = NOW, Some(MarketError::EndsInThePast));
    check_opening(|o| o.fee_bps = 1_001, Some(MarketError::FeeTooHigh { max_bps: 1_000 }));
    check_opening(
        |o| o.options = vec![(YES, p(0.3)), (NO, None)],
        Some(MarketError::SomeProbabilities),
    );
    check_opening(|o| o.options = vec![(YES, p(0.3)), (NO, p(0.7))], None);
    for options in
        [vec![(YES, None)], vec![(YES, p(0.3)), (NO, p(0.6))], vec![(YES, p(0.0)), (NO, p(1.0))]]
    {
        let refused = Market::open(Opening { options, ..opening() }, NOW).unwrap_err();
        assert_eq!(DomainError::from(refused).code(), Code::ValidationError);
    }
}

#[test]
fn edit_changes_given_fields_only() {
    let mut market = Market::open(opening(), NOW).unwrap();
    let (before, mut texts) = (market.record().clone(), texts());
    let unchanged = MarketEdit {
        name: Some(texts.name.clone()),
        description: None,
        ends_at: Some(before.ends_at),
    };
    for edit in [MarketEdit::default(), unchanged] {
        assert_eq!(market.edit(&mut texts, edit, EditRight::Full, NOW), Ok(false));
        assert_eq!(market.record(), &before, "an empty change does not increment the version");
    }
    let (name, ends_at) = (MarketName::new("Will it snow?").unwrap(), NOW.plus_seconds(1));
    let edit = MarketEdit { name: Some(name.clone()), description: None, ends_at: Some(ends_at) };
    let mut edited = texts.clone();
    edited.name = name;
    assert_eq!(market.edit(&mut texts, edit, EditRight::Full, NOW), Ok(true));
    assert_eq!(texts, edited);
    assert_eq!(market.record(), &MarketRecord { ends_at, revision: 2, version: 2, ..before });
}

#[test]
fn bets_of_others_freeze_question() {
    let market = Market::open(opening(), NOW).unwrap();
    let latest = END.plus(MAX_POSTPONEMENT);
    let end_date = EditRight::EndDate { latest };
    let check = |id, role, of_actor, of_others, expected| {
        let (actor, stakes) = (Actor::User { id, role }, Stakes { of_actor, of_others });
        let right = EditRight::of(actor, &market, stakes, END);
        assert_eq!(right, expected, "{actor:?} {stakes:?}");
    };
    let (creator, other) = (market.record().creator_id, UserId::from_u128(9));
    for of_actor in [false, true] {
        check(creator, Role::User, of_actor, false, EditRight::Full);
        check(creator, Role::User, of_actor, true, end_date);
        check(creator, Role::Admin, of_actor, true, end_date);
    }
    for role in [Role::Moderator, Role::Admin] {
        check(other, role, false, true, EditRight::Full);
        check(other, role, true, true, end_date);
    }
    let stakes = Stakes { of_actor: false, of_others: true };
    let right = EditRight::of(Actor::System, &market, stakes, END);
    assert_eq!(right, end_date);
}

#[test]
fn end_put_off_by_staff_is_kept() {
    let far = END.plus(MAX_POSTPONEMENT).plus_seconds(1);
    let market = Market::open(Opening { ends_at: far, ..opening() }, NOW).unwrap();
    let actor = Actor::User { id: market.record().creator_id, role: Role::User };
    let stakes = Stakes { of_actor: false, of_others: true };
    let right = EditRight::of(actor, &market, stakes, END);
    assert_eq!(right, EditRight::EndDate { latest: far });
}

#[test]
fn frozen_question_leaves_end_date() {
    let right = EditRight::EndDate { latest: END.plus_seconds(10) };
    let check = |edit: MarketEdit, expected: Result<bool, MarketError>| {
        let mut market = Market::open(opening(), NOW).unwrap();
        let (before, mut texts) = (market.clone(), texts());
        let result = market.edit(&mut texts, edit.clone(), right, NOW);
        assert_eq!(result, expected, "{edit:?}");
        if result != Ok(true) {
            assert_eq!((market, texts), (before, self::texts()), "nothing has changed");
        }
    };
    let name =
        |name: &str| MarketEdit { name: MarketName::new(name).ok(), ..MarketEdit::default() };
    let ends = |ends_at| MarketEdit { ends_at: Some(ends_at), ..MarketEdit::default() };
    check(name("Will it snow?"), Err(MarketError::QuestionFrozen));
    check(name("Will it rain?"), Ok(false));
    let description = MarketDescription::new("At night, in the garden.").ok();
    let edit = MarketEdit { description, ..MarketEdit::default() };
    check(edit, Err(MarketError::QuestionFrozen));
    let too_late = MarketError::EndsTooLate { latest: END.plus_seconds(10) };
    check(ends(END.plus_seconds(11)), Err(too_late));
    check(ends(END.plus_seconds(10)), Ok(true));
    check(ends(Timestamp::from_micros(1_500_000)), Ok(true));
}

#[test]
fn decided_market_is_not_clarified() {
    let open = Market::open(opening(), NOW).unwrap();
    for market in [open.clone(), open.clone().close().unwrap()] {
        let mut clarified = market.clone();
        assert_eq!(clarified.clarify(), Ok(()));
        let record = market.record().clone();
        let version = record.version + 1;
        assert_eq!(clarified.record(), &MarketRecord { revision: 2, version, ..record });
    }
    let (mut cancelled, _) = open.cancel(Balance::ZERO).unwrap();
    let refused = MarketError::AlreadyDecided { phase: Phase::Cancelled };
    assert_eq!(cancelled.clarify(), Err(refused));
}

#[test]
fn market_without_trading_rejects_edits() {
    let check =
        |market: Market, now: Timestamp, ends_at: Option<Timestamp>, expected: MarketError| {
            let (mut edited, mut texts) = (market.clone(), texts());
            let name = MarketName::new("Will it snow?").ok();
            let edit = MarketEdit { name, description: None, ends_at };
            assert_eq!(edited.edit(&mut texts, edit, EditRight::Full, now), Err(expected));
            assert_eq!((edited, texts), (market, self::texts()), "nothing has changed");
        };
    let market = Market::open(opening(), NOW).unwrap();
    let end = market.record().ends_at;
    check(market.clone(), NOW, Some(NOW), MarketError::EndsInThePast);
    check(market.clone(), end, None, MarketError::TradingEnded);
    check(market.clone(), end, Some(end.plus_seconds(1)), MarketError::TradingEnded);
    check(market.clone().close().unwrap(), NOW, None, MarketError::TradingEnded);
}

#[test]
fn bets_raise_and_sales_lower_prices() {
    let mut fixture = Fixture::open(opening());
    assert_eq!(
        fixture.market.probabilities().iter().map(|p| p.get()).collect::<Vec<_>>(),
        [0.5, 0.5]
    );
    // b = 100.00 / ln 2; 100.00 buys b ln(1 + expm1(ln 2)/0.5) = b ln 3 = 158.49 shares: published
    // by Gnosis.
    assert_eq!(fixture.buy(bet(YES, 10_000)), Ok(15_849));
    let after: Vec<_> =
        fixture.market.probabilities().iter().map(|p| (p.get() * 1e4).round()).collect();
    assert_eq!(after, [7_500.0, 2_500.0]);
    assert_eq!(fixture.sell(sale(YES, Quantity::All)), Ok(9_999));
    assert_eq!(fixture.holding.net_stake(), 1, "rounding went to the pot");
    assert_eq!(fixture.market.record().stakes, Balance::from_minor(1));
    assert_eq!((fixture.market.record().bet_count, fixture.market.record().version), (2, 3));
}

#[test]
fn orders_beyond_their_limits_are_rejected() {
    let fixture = Fixture::open(opening());
    let price =
        |order: &BuyOrder| fixture.market.price_buy(order, Balance::from_minor(10_000), NOW);
    let shares = price(&bet(YES, 5_000)).unwrap().shares;
    let more = Shares::new(shares.units() + 1).unwrap();
    assert!(price(&BuyOrder { min_shares: Some(shares), ..bet(YES, 5_000) }).is_ok());
    let refused = price(&BuyOrder { min_shares: Some(more), ..bet(YES, 5_000) });
    assert_eq!(refused, Err(MarketError::Slippage(Guard::MinShares(shares))));
    let average = 5_000.0 / f64::from(i32::try_from(shares.units()).unwrap());
    let at_most = |price| Some(Probability::new(price).unwrap());
    assert!(price(&BuyOrder { max_price: at_most(average), ..bet(YES, 5_000) }).is_ok());
    let refused = price(&BuyOrder { max_price: at_most(average - 1e-9), ..bet(YES, 5_000) });
    assert_eq!(refused, Err(MarketError::Slippage(Guard::MaxPrice)));
}

#[test]
fn sales_beyond_holding_or_limit_are_rejected() {
    let mut fixture = Fixture::open(opening());
    fixture.buy(bet(YES, 5_000)).unwrap();
    let held = fixture.holding.positions[0].shares;
    let needed = Shares::new(held.units() + 1).unwrap();
    let refused = fixture.sell(sale(YES, Quantity::Shares(needed)));
    assert_eq!(refused, Err(MarketError::InsufficientShares { available: held, needed }));
    let none = MarketError::InsufficientShares { available: Shares::ZERO, needed: Shares::ZERO };
    assert_eq!(fixture.sell(sale(NO, Quantity::All)), Err(none));
    let greedy = SellOrder { min_proceeds: Some(amount(5_000)), ..sale(YES, Quantity::All) };
    assert_eq!(fixture.sell(greedy), Err(MarketError::Slippage(Guard::MinProceeds(amount(4_999)))));
    assert_eq!(fixture.holding.positions[0].shares, held, "a refused sale changes nothing");
}

#[test]
fn ended_or_closed_market_rejects_trades() {
    let fixture = Fixture::open(opening());
    let pot = Balance::from_minor(10_000);
    assert_eq!(fixture.market.phase_at(NOW), Phase::Open);
    assert_eq!(fixture.market.phase_at(END), Phase::Closed);
    assert_eq!(fixture.market.price_buy(&bet(YES, 100), pot, END), Err(MarketError::TradingEnded));
    let closed = fixture.market.close().unwrap();
    assert_eq!(closed.price_buy(&bet(YES, 100), pot, NOW), Err(MarketError::TradingEnded));
    assert_eq!(closed.close(), Err(MarketError::NotOpen { phase: Phase::Closed }));
}

#[test]
fn ended_market_is_closed_at_its_end_date() {
    let market = Fixture::open(opening()).market;
    assert_eq!(market.clone().close_ended(NOW), Err(MarketError::EndsLater));
    let closed = market.close_ended(END).unwrap();
    assert_eq!(closed.record().phase, Phase::Closed);
    for now in [NOW, END] {
        let refused = closed.clone().close_ended(now);
        assert_eq!(refused, Err(MarketError::NotOpen { phase: Phase::Closed }));
    }
}

#[test]
fn market_is_decided_once() {
    let market = Fixture::open(opening()).market;
    let (resolved, _) = market.clone().resolve(vec![10_000, 0]).unwrap();
    let decided = MarketError::AlreadyDecided { phase: Phase::Resolved };
    assert_eq!(resolved.clone().resolve(vec![10_000, 0]).unwrap_err(), decided);
    assert_eq!(resolved.clone().cancel(Balance::ZERO).unwrap_err(), decided);
    assert_eq!(resolved.close().unwrap_err(), MarketError::NotOpen { phase: Phase::Resolved });
    for (split, error) in [
        (vec![10_000], SplitError::Options),
        (vec![5_000, 4_999], SplitError::Sum),
        (vec![u16::MAX, u16::MAX], SplitError::Sum),
    ] {
        assert_eq!(market.clone().resolve(split).unwrap_err(), MarketError::Split(error));
    }
    assert_eq!(
        market.winner(OptionId::from_u128(3)),
        Err(MarketError::OptionNotFound(OptionId::from_u128(3)))
    );
}

#[test]
fn fees_are_rounded_up_into_pot() {
    let mut fixture = Fixture::open(Opening { fee_bps: 100, ..opening() });
    fixture.buy(bet(YES, 1_001)).unwrap();
    assert_eq!(fixture.market.record().fees, Balance::from_minor(11), "1 % of 10.01, rounded up");
    let quoted = fixture.market.amount_for(NO, Shares::new(500).unwrap()).unwrap();
    assert!(fixture.buy(bet(NO, quoted.minor())).unwrap() >= 500);
    let fees_before = fixture.market.record().fees.minor();
    let fill_cash = fixture.sell(sale(NO, Quantity::All)).unwrap();
    let fee = fixture.market.record().fees.minor() - fees_before;
    assert_eq!(fee, (fill_cash + fee + 99) / 100, "1 % of what the shares brought, rounded up");
    assert!(fixture.market.is_covered_by(Balance::from_minor(fixture.pot)));
    assert!(
        !fixture.market.is_covered_by(Balance::from_minor(fixture.market.largest_payout().minor()))
    );
}

#[test]
fn trades_rounding_to_zero_are_rejected() {
    let p = |value| Some(Probability::new(value).unwrap());
    let opening = Opening { options: vec![(YES, p(0.999_999)), (NO, p(0.000_001))], ..opening() };
    let mut fixture = Fixture::open(opening);
    assert_eq!(fixture.buy(bet(NO, 1)).map(|shares| shares > 1_000), Ok(true));
    assert_eq!(
        fixture.sell(sale(NO, Quantity::Shares(Shares::new(1).unwrap()))),
        Err(MarketError::TradeTooSmall)
    );
    assert_eq!(fixture.buy(bet(YES, i64::MAX)), Err(MarketError::TradeTooLarge));
}

fn holding(account: u128, shares: [i64; 2], spent: i64, received: i64) -> Holding {
    let mut holding = Holding::empty(MarketId::from_u128(5), AccountId::from_u128(account), 2);
    for (position, units) in holding.positions.iter_mut().zip(shares) {
        position.shares = Shares::new(units).unwrap();
    }
    holding.positions[0].spent = Balance::from_minor(spent);
    holding.positions[1].received = Balance::from_minor(received);
    holding
}

fn check_payouts(terms: SettlementTerms, holdings: &[Holding], expected: &[(u128, i64)]) {
    let settlement = Settlement::begin(MarketId::from_u128(5), terms, UserId::from_u128(6), NOW);
    let paid: Vec<_> = settlement
        .payouts(holdings)
        .iter()
        .map(|payout| (payout.account_id.as_u128(), payout.amount.minor()))
        .collect();
    assert_eq!(paid, expected);
}

#[test]
fn winning_shares_pay_one_unit_each() {
    let holdings = [holding(1, [70, 5], 0, 0), holding(2, [0, 90], 0, 0), holding(3, [1, 0], 0, 0)];
    check_payouts(
        SettlementTerms::Payouts { basis_points: vec![10_000, 0] },
        &holdings,
        &[(1, 70), (3, 1)],
    );
}

#[test]
fn split_payout_is_rounded_down_for_each_holder() {
    // Exact shares of 2.5, 1.5, 0.5 and 61.488.
    let holdings = [holding(1, [5, 0], 0, 0), holding(2, [3, 0], 0, 0), holding(3, [0, 1], 0, 0)];
    let halves = SettlementTerms::Payouts { basis_points: vec![5_000, 5_000] };
    check_payouts(halves, &holdings, &[(1, 2), (2, 1)]);
    let uneven = SettlementTerms::Payouts { basis_points: vec![7_320, 2_680] };
    check_payouts(uneven, &[holding(1, [8_400, 0], 0, 0)], &[(1, 6_148)]);
}

#[test]
fn payout_parts_sum_to_the_payout() {
    for first_bps in [0, 1, 3_333, 5_000, 9_999, 10_000] {
        let terms = SettlementTerms::Payouts { basis_points: vec![first_bps, 10_000 - first_bps] };
        for shares in [[0, 0], [1, 1], [5, 3], [7, 12_345], [i64::MAX, 0], [1 << 61, 1 << 61]] {
            let holding = holding(1, shares, 0, 0);
            let parts = terms.payout_parts(&holding).unwrap();
            let sum: i64 = parts.iter().map(|part| part.minor()).sum();
            assert_eq!(sum, terms.payout(&holding).minor(), "{shares:?} at {first_bps}");
            assert!(
                parts.iter().zip(shares).all(|(part, held)| (0..=held).contains(&part.minor()))
            );
        }
    }
    let refunds = SettlementTerms::Refunds { available: Balance::ZERO, stakes: Balance::ZERO };
    assert_eq!(refunds.payout_parts(&holding(1, [1, 1], 0, 0)), None);
}

#[test]
fn covered_cancellation_refunds_net_stakes_in_full() {
    let holdings =
        [holding(1, [5, 0], 100, 30), holding(2, [0, 0], 50, 80), holding(3, [1, 1], 20, 0)];
    let (available, stakes) = (Balance::from_minor(90), Balance::from_minor(90));
    check_payouts(SettlementTerms::Refunds { available, stakes }, &holdings, &[(1, 70), (3, 20)]);
}

#[test]
fn uncovered_cancellation_refunds_net_stakes_pro_rata() {
    let holdings = [holding(1, [5, 0], 60, 0), holding(2, [1, 0], 30, 0)];
    let (available, stakes) = (Balance::from_minor(61), Balance::from_minor(90));
    // 40.67 and 20.33: one unit is left for the creator.
    check_payouts(SettlementTerms::Refunds { available, stakes }, &holdings, &[(1, 40), (2, 20)]);
    check_payouts(SettlementTerms::Refunds { available: Balance::ZERO, stakes }, &holdings, &[]);
}

#[test]
fn fees_are_due_unless_market_was_cancelled() {
    let begin = |terms| Settlement::begin(MarketId::from_u128(5), terms, UserId::from_u128(6), NOW);
    let resolved = begin(SettlementTerms::Payouts { basis_points: vec![10_000, 0] });
    let cancelled =
        begin(SettlementTerms::Refunds { available: Balance::ZERO, stakes: Balance::ZERO });
    assert_eq!(resolved.fees_due(Balance::from_minor(12)), Some(amount(12)));
    assert_eq!(resolved.fees_due(Balance::ZERO), None);
    assert_eq!(cancelled.fees_due(Balance::from_minor(12)), None);
}
