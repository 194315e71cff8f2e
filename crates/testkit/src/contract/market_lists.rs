//! Lists of markets: filters, order and pages.

use foretell_domain::id::MarketId;
use foretell_domain::market::{Market, MarketRecord, Phase};
use foretell_domain::money::Balance;
use foretell_ports::market::{MarketFilter, MarketSort, NewMarket};
use foretell_ports::page::{PageRequest, PageStart};

use super::Harness;
use super::fixture::{Fixture, after, page};
use crate::builders::MarketBuilder;

async fn list(fixture: &Fixture, filter: &MarketFilter, sort: MarketSort) -> Vec<MarketId> {
    let found =
        fixture.ports.markets.list_markets(filter, sort, page(1, 100).into()).await.unwrap();
    let total = fixture.ports.markets.count_markets(filter).await.unwrap();
    assert_eq!(usize::try_from(total), Ok(found.len()), "{filter:?}");
    found.iter().map(|row| row.market.id()).collect()
}

/// Stores markets one after the other, so that their ids ascend.
async fn markets<const N: usize>(
    fixture: &Fixture,
    adapt: impl Fn(MarketBuilder, usize) -> MarketBuilder,
) -> [NewMarket; N] {
    let mut stored = Vec::new();
    for number in 0..N {
        stored.push(fixture.market(|market| adapt(market, number)).await);
    }
    stored.try_into().expect("that many")
}

fn ids<const N: usize>(markets: [&NewMarket; N]) -> [MarketId; N] {
    markets.map(|new| new.market.id())
}

/// By default markets are listed newest first, and equally new ones by descending id.
pub async fn markets_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let opened = [1, 2, 2, 3];
    let [a, b, c, d] =
        markets(&fixture, |market, number| market.created_at(after(opened[number]))).await;
    let found = list(&fixture, &MarketFilter::default(), MarketSort::default()).await;
    assert_eq!(found, ids([&d, &c, &b, &a]));
}

/// By closing, markets are listed by end date, and equal ones by descending id.
pub async fn markets_are_sorted_by_end_date(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let ends = [30, 10, 20, 10];
    let [a, b, c, d] =
        markets(&fixture, |market, number| market.ends_at(after(ends[number]))).await;
    let found = list(&fixture, &MarketFilter::default(), MarketSort::Closing).await;
    assert_eq!(found, ids([&d, &b, &c, &a]));
}

/// By volume, markets are listed by descending volume, and equal ones by descending id.
pub async fn markets_are_sorted_by_volume(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let [a, b, c, d] = markets(&fixture, |market, _| market).await;
    for (new, minor) in [(&a, 5), (&b, 9), (&c, 5)] {
        fixture.alter_market(new.market.id(), move |market| with_volume(market, minor)).await;
    }
    let found = list(&fixture, &MarketFilter::default(), MarketSort::Volume).await;
    assert_eq!(found, ids([&b, &c, &a, &d]));
}

fn with_volume(market: &Market, minor: i64) -> Market {
    let record = MarketRecord { volume: Balance::from_minor(minor), ..market.record().clone() };
    Market::restore(record).expect("a market")
}

/// A category is compared literally.
pub async fn markets_are_filtered_by_category(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let categories = ["sports", "politics", "sports%", "Sports"];
    let [a, ..] =
        markets::<4>(&fixture, |market, number| market.category(categories[number])).await;
    for (category, expected) in [("sports", &ids([&a])[..]), ("sport_", &[]), ("crypto", &[])] {
        let filter =
            MarketFilter { category: Some(category.to_owned()), ..MarketFilter::default() };
        assert_eq!(list(&fixture, &filter, MarketSort::Newest).await, expected, "{category}");
    }
}

/// An open market counts as closed from its end date on, whether it was closed or not.
pub async fn markets_are_filtered_by_phase_at_time(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let ends = [100, 50, 100, 100, 100];
    let [open, ends_early, closed, resolved, cancelled] =
        markets(&fixture, |market, number| market.ends_at(after(ends[number]))).await;
    for (new, phase) in
        [(&closed, Phase::Closed), (&resolved, Phase::Resolved), (&cancelled, Phase::Cancelled)]
    {
        fixture.alter_market(new.market.id(), move |market| in_phase(market, phase)).await;
    }
    for (phase, second, expected) in [
        (Phase::Open, 49, &ids([&ends_early, &open])[..]),
        (Phase::Open, 50, &ids([&open])),
        (Phase::Open, 100, &[]),
        (Phase::Closed, 49, &ids([&closed])),
        (Phase::Closed, 50, &ids([&closed, &ends_early])),
        (Phase::Closed, 100, &ids([&closed, &ends_early, &open])),
        (Phase::Resolved, 200, &ids([&resolved])),
        (Phase::Cancelled, 0, &ids([&cancelled])),
    ] {
        let filter =
            MarketFilter { phase: Some((phase, after(second))), ..MarketFilter::default() };
        let found = list(&fixture, &filter, MarketSort::Newest).await;
        assert_eq!(found, expected, "{phase:?} after {second} s");
    }
}

fn in_phase(market: &Market, phase: Phase) -> Market {
    Market::restore(MarketRecord { phase, ..market.record().clone() }).expect("a market")
}

/// The filter by creator, and all filters together.
pub async fn markets_are_filtered_by_creator_and_combined(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let creator = fixture.funded(100_000).await;
    let [_, _] = markets(&fixture, |market, _| market.category("sports")).await;
    let [one, two] = ["sports", "politics"]
        .map(|category| fixture.make.market(&creator).category(category).build());
    fixture.store_market(one.clone()).await;
    fixture.store_market(two.clone()).await;
    let by_creator = MarketFilter { creator_id: creator.owner(), ..MarketFilter::default() };
    assert_eq!(list(&fixture, &by_creator, MarketSort::Newest).await, ids([&two, &one]));
    let phase = Some((Phase::Open, after(1)));
    let all = MarketFilter { category: Some("sports".to_owned()), phase, ..by_creator };
    for sort in [MarketSort::Newest, MarketSort::Closing, MarketSort::Volume] {
        assert_eq!(list(&fixture, &all, sort).await, ids([&one]), "{sort:?}");
    }
    let nobody =
        MarketFilter { creator_id: Some(fixture.make.ids().user()), ..MarketFilter::default() };
    assert!(list(&fixture, &nobody, MarketSort::Newest).await.is_empty());
}

/// Pages follow one another without gaps or repetitions; after the last one there is nothing.
pub async fn markets_are_paged(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let stored = markets::<7>(&fixture, |market, number| {
        market.category(if number == 3 { "sports" } else { "politics" })
    })
    .await;
    let mut expected: Vec<_> = stored.iter().map(|new| new.market.id()).collect();
    expected.remove(3);
    expected.reverse();
    let filter = MarketFilter { category: Some("politics".to_owned()), ..MarketFilter::default() };
    for sort in [MarketSort::Newest, MarketSort::Closing, MarketSort::Volume] {
        let mut found = Vec::new();
        for number in 1..=4 {
            let page = page(number, 2).into();
            let rows = fixture.ports.markets.list_markets(&filter, sort, page).await.unwrap();
            assert_eq!(rows.len(), if number < 4 { 2 } else { 0 }, "page {number}");
            found.extend(rows.iter().map(|row| row.market.id()));
        }
        assert_eq!(found, expected, "{sort:?}");
        let beyond = page(u32::MAX, 100).into();
        assert!(
            fixture.ports.markets.list_markets(&filter, sort, beyond).await.unwrap().is_empty()
        );
    }
}

/// Pages by keys contain every market once, in order, also with many equal sort values.
pub async fn markets_are_paged_by_keys(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let ends = [30, 10, 10, 20, 10, 10, 30];
    let stored = markets::<7>(&fixture, |market, number| market.ends_at(after(ends[number]))).await;
    for (new, minor) in stored.iter().zip([5, 0, 9, 5, 0, 5, 5]) {
        fixture.alter_market(new.market.id(), move |market| with_volume(market, minor)).await;
    }
    let filter = MarketFilter { phase: Some((Phase::Open, after(1))), ..MarketFilter::default() };
    for sort in [MarketSort::Newest, MarketSort::Closing, MarketSort::Volume] {
        let expected = list(&fixture, &filter, sort).await;
        for limit in [1, 2, 3, 7] {
            assert_eq!(walk(&fixture, &filter, sort, limit).await, expected, "{sort:?} by {limit}");
        }
    }
}

async fn walk(
    fixture: &Fixture,
    filter: &MarketFilter,
    sort: MarketSort,
    limit: u32,
) -> Vec<MarketId> {
    let (mut start, mut found) = (PageStart::Offset(0), Vec::new());
    loop {
        let page = PageRequest { start, limit };
        let rows = fixture.ports.markets.list_markets(filter, sort, page).await.unwrap();
        let Some(last) = rows.last() else { return found };
        start = PageStart::After(sort.key_of(last));
        found.extend(rows.iter().map(|row| row.market.id()));
    }
}

/// The key of a market that is no longer in the list is valid.
pub async fn key_of_removed_market_is_valid(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let [a, b, c] = markets(&fixture, |market, _| market.ends_at(after(100))).await;
    let filter = MarketFilter { phase: Some((Phase::Open, after(1))), ..MarketFilter::default() };
    let left = fixture.stored_market(b.market.id()).await;
    fixture.alter_market(b.market.id(), |market| in_phase(market, Phase::Resolved)).await;
    for sort in [MarketSort::Newest, MarketSort::Closing, MarketSort::Volume] {
        assert_eq!(list(&fixture, &filter, sort).await, ids([&c, &a]));
        let page = PageRequest { start: PageStart::After(sort.key_of(&left)), limit: 5 };
        let rows = fixture.ports.markets.list_markets(&filter, sort, page).await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.market.id()).collect::<Vec<_>>(),
            ids([&a]),
            "{sort:?}"
        );
    }
}

/// A listed market equals the one found by id.
pub async fn listed_markets_are_complete(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let new = fixture.market(|market| market.options(4).fee_bps(10)).await;
    let filter = MarketFilter::default();
    let found = fixture.ports.markets.list_markets(&filter, MarketSort::Newest, page(1, 1).into());
    assert_eq!(found.await.unwrap(), [fixture.stored_market(new.market.id()).await]);
}
