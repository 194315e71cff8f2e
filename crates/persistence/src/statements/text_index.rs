//! Tests of the text index: complete, in the right language, and never the cause of a failed write.

use diesel::connection::SimpleConnection as _;
use foretell_domain::id::PostId;
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::search::{SearchLanguage, SearchQuery};
use foretell_domain::text::{PostContent, PostTitle};
use foretell_ports::post::PostFilter;
use foretell_ports::search::{SearchMethod, SearchPage};
use foretell_testkit::builders::Factory;

use super::databases::Kind;
use super::{Either, Observed};
use crate::dialect::searches::Searched;
use crate::post::posts;
use crate::search::searches::{self, TextQuery};
use crate::text_index::{self, NewText, TextIndex};
use crate::user::users;

const TABLES: [&str; 6] = [
    "market_words",
    "market_trigrams",
    "market_texts",
    "post_words",
    "post_trigrams",
    "post_texts",
];

fn write_post(observed: &mut Observed, make: &Factory, title: &str, content: &str) -> Post {
    let user = make.user();
    let mut post = make.post(user.id, PostStatus::Published, &[]);
    post.body.title = PostTitle::new(title).unwrap();
    post.body.content = PostContent::new(content).unwrap();
    observed.run(|c| users::insert_once(c, &user, &make.password()));
    observed.run(|c| posts::insert(c, &post));
    post
}

fn put(observed: &mut Observed, index: &TextIndex, searched: Searched, post: &Post) {
    let (title, body) = (post.body.title.as_str(), post.body.content.as_str());
    observed.run(|c| {
        text_index::put(c, index, searched, &[NewText { id: post.id.into(), title, body }])
    });
}

fn complete(observed: &mut Observed, index: &TextIndex) -> usize {
    let mut count = 0;
    loop {
        match observed.run(|c| text_index::complete(c, index)) {
            0 => return count,
            indexed => count += indexed,
        }
    }
}

fn found(
    observed: &mut Observed,
    index: &TextIndex,
    method: SearchMethod,
    text: &str,
) -> Vec<PostId> {
    let query = SearchQuery::parse(text).unwrap();
    let page = SearchPage { offset: 0, limit: 10 };
    let query = TextQuery { method, query: &query, language: index.language, page };
    let filter = PostFilter { status: PostStatus::Published, author_id: None, tag: None };
    let hits = observed.run(|c| searches::posts(c, query, &filter));
    hits.hits.into_iter().map(|hit| hit.id).collect()
}

#[tokio::test]
async fn lost_full_text_table_is_rebuilt_on_sqlite() {
    for table in TABLES {
        let mut observed = Observed::new(Kind::Sqlite).await;
        let index = TextIndex::new(SearchLanguage::ENGLISH);
        let make = Factory::new(1);
        let post = write_post(&mut observed, &make, "Two schools", "Near the harbour.");
        assert_eq!(complete(&mut observed, &index), 1, "{table}");
        let Either::Sqlite(c) = &mut observed.connection else { unreachable!() };
        c.batch_execute(&format!("DROP TABLE {table}")).unwrap();
        // No write fails.
        let searched = if table.starts_with("post") { Searched::Posts } else { Searched::Markets };
        put(&mut observed, &index, searched, &post);
        assert!(!index.is_complete(), "{table}");
        observed.run(|c| text_index::remove(c, &index, searched, &[post.id.into()]));
        assert_eq!(complete(&mut observed, &index), 1, "{table}");
        assert!(index.is_complete(), "{table}");
        for (method, text) in
            [(SearchMethod::FullText, "school"), (SearchMethod::Substring, "harb")]
        {
            assert_eq!(found(&mut observed, &index, method, text), [post.id], "{table}");
        }
    }
}

async fn check_change_of_language(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    let make = Factory::new(1);
    let english = TextIndex::new(SearchLanguage::ENGLISH);
    let german = TextIndex::new(SearchLanguage::from_name("german").unwrap());
    let post = write_post(&mut observed, &make, "Zwei Schulen", "Two schools.");
    assert_eq!(complete(&mut observed, &english), 1);
    assert_eq!(found(&mut observed, &english, SearchMethod::FullText, "school"), [post.id]);
    assert_eq!(found(&mut observed, &english, SearchMethod::FullText, "schule"), []);
    assert_eq!(complete(&mut observed, &german), 1, "it is built anew");
    assert_eq!(complete(&mut observed, &german), 0, "once");
    assert_eq!(found(&mut observed, &german, SearchMethod::FullText, "schule"), [post.id]);
    observed.run(text_index::clear);
    assert_eq!(complete(&mut observed, &german), 1, "when it is asked for");
}

#[tokio::test]
async fn change_of_language_rebuilds_index_on_sqlite() {
    check_change_of_language(Kind::Sqlite).await;
}

#[tokio::test]
async fn change_of_language_rebuilds_index_on_postgres() {
    check_change_of_language(Kind::Postgres).await;
}

async fn check_hostile_texts(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    let make = Factory::new(1);
    let index = TextIndex::new(SearchLanguage::ENGLISH);
    let texts = [
        "a".repeat(49_999) + "b",
        "a ".repeat(25_000),
        "雨".repeat(50_000),
        "'\\\"%_:* e\u{301} ".repeat(2_000),
        (0..10_000).map(|number| number.to_string()).collect::<Vec<_>>().join(" "),
    ];
    let ids: Vec<_> =
        texts.iter().map(|text| write_post(&mut observed, &make, "Title", text).id).collect();
    assert_eq!(complete(&mut observed, &index), ids.len());
    for (text, expected) in [
        ("a".repeat(100), &ids[..1]),
        ("\"a a a a a a a a a a\"".to_owned(), &ids[1..2]),
        ("雨雨雨雨雨雨雨雨雨雨".to_owned(), &ids[2..3]),
        ("é".to_owned(), &ids[3..4]),
        ("4100".to_owned(), &ids[4..5]),
        ("\"998 999\"".to_owned(), &ids[4..5]),
    ] {
        let hits = |method| found(&mut observed, &index, method, &text);
        let methods = [SearchMethod::FullText, SearchMethod::Substring];
        let mut hits: Vec<_> = methods.into_iter().flat_map(hits).collect();
        hits.dedup();
        assert_eq!(hits, expected, "{text}");
    }
}

#[tokio::test]
async fn hostile_texts_are_indexed_on_sqlite() {
    check_hostile_texts(Kind::Sqlite).await;
}

#[tokio::test]
async fn hostile_texts_are_indexed_on_postgres() {
    check_hostile_texts(Kind::Postgres).await;
}
