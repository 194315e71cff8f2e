//! Text search: the same matches in every store, the best first.

use std::collections::BTreeSet;

use foretell_domain::id::{MarketId, PostId};
use foretell_domain::market::MarketTexts;
use foretell_domain::post::PostStatus;
use foretell_domain::search::SearchQuery;
use foretell_domain::text::{MarketDescription, MarketName};
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hits, SearchMethod, SearchPage};

use super::Harness;
use super::fixture::{Fixture, lock_market};
use SearchMethod::{FullText, Substring};

const PAGE: SearchPage = SearchPage { offset: 0, limit: 100 };

/// Stores markets with these names and descriptions, in this order.
async fn markets<const N: usize>(fixture: &Fixture, texts: [(&str, &str); N]) -> [MarketId; N] {
    let mut ids = [MarketId::from_u128(0); N];
    for ((name, description), id) in texts.into_iter().zip(&mut ids) {
        let stored = fixture.market(|market| market).await;
        *id = stored.market.id();
        rename(fixture, *id, stored.texts, name, description).await;
    }
    ids
}

async fn rename(
    fixture: &Fixture,
    id: MarketId,
    texts: MarketTexts,
    name: &str,
    description: &str,
) {
    let mut renamed = texts;
    renamed.name = MarketName::new(name).unwrap();
    renamed.description = MarketDescription::new(description).unwrap();
    fixture
        .commit(move |tx| {
            let market = lock_market(tx, id)?;
            tx.save_market_texts(&market, &renamed)
        })
        .await;
}

async fn search(fixture: &Fixture, method: SearchMethod, text: &str) -> Hits<MarketId> {
    let query = SearchQuery::parse(text).unwrap();
    fixture
        .ports
        .search
        .search_markets(method, &query, &MarketFilter::default(), PAGE)
        .await
        .unwrap()
}

async fn check(fixture: &Fixture, method: SearchMethod, text: &str, expected: &[MarketId]) {
    let hits = search(fixture, method, text).await;
    let found: BTreeSet<_> = hits.hits.iter().map(|hit| hit.id).collect();
    assert_eq!(found, expected.iter().copied().collect(), "{method:?} {text}");
    assert_eq!(usize::try_from(hits.total).unwrap(), found.len(), "{method:?} {text}");
}

/// Words, phrases, `or` and minus match the same texts in every store.
pub async fn words_match_in_every_store(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let [rain, snow, both] = markets(
        &fixture,
        [
            ("Will it rain tomorrow?", "Decided by the gauge on the roof."),
            ("Heavy snow in May", "Snow that stays, at half-time."),
            ("Rain or snow?", "Whether heavy rain or light snow falls first."),
        ],
    )
    .await;
    for (text, expected) in [
        ("rain", &[rain, both][..]),
        ("RAIN", &[rain, both]),
        ("rain snow", &[both]),
        ("rain or snow", &[rain, snow, both]),
        ("rain -snow", &[rain]),
        ("\"heavy snow\"", &[snow]),
        ("\"snow heavy\"", &[]),
        ("snow -\"heavy rain\"", &[snow]),
        ("gauge or stays", &[rain, snow]),
        ("half-time", &[snow]),
        ("half", &[snow]),
        ("rains", &[rain, both]),
        ("stay", &[snow]),
        ("rai", &[]),
        ("-rain", &[]),
        ("?!", &[]),
    ] {
        check(&fixture, FullText, text, expected).await;
    }
}

/// Substrings match regardless of case, and have no wildcards.
pub async fn substrings_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let [percent, plain, quoted] = markets(
        &fixture,
        [
            ("Above 50% turnout?", "More than half_of all voters."),
            ("Above 500 votes?", "More than halfXof them; C:\\votes."),
            ("The \"quoted\" one", "Nothing in particular here."),
        ],
    )
    .await;
    for (text, expected) in [
        ("above", &[percent, plain][..]),
        ("BOVE 50", &[percent, plain]),
        ("50%", &[percent]),
        ("half_of", &[percent]),
        ("\\votes", &[plain]),
        ("\"quoted\"", &[quoted]),
        ("5", &[percent, plain]),
        ("%", &[percent]),
        ("above or votes", &[percent, plain]),
        ("abov vote -halfx", &[percent]),
        ("turnou abov", &[percent]),
        ("\"bove 50\"", &[percent, plain]),
        ("\"50 bove\"", &[]),
        ("\"50% turnou", &[percent]),
    ] {
        check(&fixture, Substring, text, expected).await;
    }
}

/// Texts in scripts without spaces, and in any Unicode normalization form, are found by each of
/// their words and by several.
pub async fn words_of_all_scripts_are_found(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let [tokyo, seoul, spartak, apple, muller] = markets(
        &fixture,
        [
            ("明日の東京は雨ですか", "気象庁の発表による。一日中のことです。"),
            ("서울에 눈이 올까요?", "기상청의 발표에 따라 결정합니다."),
            ("Кто выиграет матч Спартака?", "По итогам основного времени."),
            ("A new iPhone?", "Shown by Apple before June."),
            ("Will M\u{fc}ller resign?", "As told by the office."),
        ],
    )
    .await;
    for (method, text, expected) in [
        (FullText, "東京", &[tokyo][..]),
        (FullText, "東京 雨", &[tokyo]),
        (FullText, "京東", &[]),
        (FullText, "서울 눈", &[seoul]),
        (FullText, "서울", &[seoul]),
        (FullText, "mu\u{308}ller", &[muller]),
        (Substring, "東京 雨", &[tokyo]),
        (Substring, "서울 눈", &[seoul]),
        (Substring, "спартак матч", &[spartak]),
        (Substring, "спартак", &[spartak]),
        (Substring, "Apple iphon", &[apple]),
        (Substring, "Mu\u{308}lle", &[muller]),
    ] {
        check(&fixture, method, text, expected).await;
    }
}

/// The start of a long text is found, and a long query works.
pub async fn long_texts_and_queries_are_searched(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let long = format!("{} rain {}", "lorem ".repeat(30), "a".repeat(500));
    let [market] = markets(&fixture, [("A long description", long.as_str())]).await;
    for method in [FullText, Substring] {
        check(&fixture, method, "rain", &[market]).await;
        check(&fixture, method, &("rain or ".repeat(31) + "rain"), &[market]).await;
        check(&fixture, method, &("a".repeat(498) + "b"), &[]).await;
        check(&fixture, method, &"雨".repeat(500), &[]).await;
    }
    check(&fixture, Substring, &("a".repeat(99) + "b"), &[]).await;
    check(&fixture, Substring, &"a".repeat(100), &[market]).await;
}

/// Matches in the name precede those in the description, and equal ones are ordered newest first.
pub async fn best_matches_come_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let [described, old, new] = markets(
        &fixture,
        [
            ("Something else", "An eclipse is not what it is about."),
            ("Total eclipse", "Seen from everywhere in the land."),
            ("Total eclipse", "Seen from everywhere in the land."),
        ],
    )
    .await;
    for method in [FullText, Substring] {
        let hits = search(&fixture, method, "eclipse").await.hits;
        assert_eq!(
            hits.iter().map(|hit| hit.id).collect::<Vec<_>>(),
            [new, old, described],
            "{method:?}"
        );
        assert!(
            hits.iter().all(|hit| hit.score >= 0.0) && hits.is_sorted_by(|a, b| a.score >= b.score)
        );
        let query = SearchQuery::parse("eclipse").unwrap();
        let second = SearchPage { offset: 1, limit: 1 };
        let page = fixture
            .ports
            .search
            .search_markets(method, &query, &MarketFilter::default(), second)
            .await;
        let page = page.unwrap();
        assert_eq!((page.hits[0].id, page.hits.len(), page.total), (old, 1, 3), "{method:?}");
        let past = SearchPage { offset: 3, limit: 1 };
        let page = fixture
            .ports
            .search
            .search_markets(method, &query, &MarketFilter::default(), past)
            .await;
        assert_eq!(page.unwrap(), Hits { hits: Vec::new(), total: 3 }, "{method:?}");
    }
}

/// A renamed market is found by its new name only, immediately; a deleted one is not found.
pub async fn renamed_market_is_found_by_new_name(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let [market] = markets(&fixture, [("Will it rain?", "As measured on the roof.")]).await;
    let texts = fixture.stored_market(market).await.texts;
    rename(&fixture, market, texts, "Will it snow?", "As seen from the window.").await;
    for method in [FullText, Substring] {
        check(&fixture, method, "snow", &[market]).await;
        check(&fixture, method, "window", &[market]).await;
        check(&fixture, method, "rain", &[]).await;
        check(&fixture, method, "roof", &[]).await;
    }
}

/// Only posts that match the filter are found: drafts are not among published ones.
pub async fn posts_are_found_within_their_filter(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut ids = Vec::new();
    for (status, tags) in [
        (PostStatus::Published, vec!["rain"]),
        (PostStatus::Published, vec![]),
        (PostStatus::Draft, vec![]),
    ] {
        ids.push(fixture.post(status, &tags).await);
    }
    let title = ids[0].body.title.as_str().to_owned();
    let find = async |method, status, tag: Option<&str>, author| {
        let query = SearchQuery::parse(&title).unwrap();
        let tag = tag.map(|tag| foretell_domain::tag::Tag::new(tag).unwrap());
        let filter = PostFilter { status, author_id: author, tag };
        let hits =
            fixture.ports.search.search_posts(method, &query, &filter, PAGE).await.unwrap().hits;
        hits.into_iter().map(|hit| hit.id).collect::<Vec<PostId>>()
    };
    for method in [FullText, Substring] {
        assert_eq!(find(method, PostStatus::Published, None, None).await, [ids[1].id, ids[0].id]);
        assert_eq!(find(method, PostStatus::Published, Some("rain"), None).await, [ids[0].id]);
        assert_eq!(
            find(method, PostStatus::Draft, None, Some(ids[2].author_id)).await,
            [ids[2].id]
        );
        assert_eq!(find(method, PostStatus::Draft, None, Some(ids[1].author_id)).await, []);
    }
}
