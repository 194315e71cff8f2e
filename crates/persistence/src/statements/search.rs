//! Tests that searches use the indexes of words and trigrams.

use foretell_domain::id::{MarketId, PostId};
use foretell_domain::post::PostStatus;
use foretell_domain::search::{SearchLanguage, SearchQuery};
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{SearchMethod, SearchPage};

use super::databases::Kind;
use super::{Observed, plan, reads_all, sorts};
use crate::search::searches::{self, TextQuery};

async fn check_index_use(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    let query = SearchQuery::parse("rain").unwrap();
    let page = SearchPage { offset: 0, limit: 10 };
    let filter = PostFilter { status: PostStatus::Published, author_id: None, tag: None };
    for (method, on_postgres, on_sqlite) in [
        (SearchMethod::FullText, "by_words", "words"),
        (SearchMethod::Substring, "by_parts", "trigrams"),
    ] {
        let text = TextQuery { method, query: &query, language: SearchLanguage::ENGLISH, page };
        observed.run(|c| searches::markets::<MarketId>(c, text, &MarketFilter::default()));
        observed.run(|c| searches::posts::<PostId>(c, text, &filter));
        let sent: Vec<_> =
            observed.sent().into_iter().filter(|sql| sql.contains("AS score")).collect();
        assert_eq!(sent.len(), 2, "{sent:#?}");
        for sql in sent {
            let is_cancellable = kind == Kind::Postgres || sql.contains("foretell_go_on()");
            assert!(is_cancellable, "{sql}");
            let plan = plan(&mut observed.connection, &sql);
            let uses_index = |things: &str, thing: &str| match kind {
                Kind::Postgres => {
                    plan.contains(&format!("Bitmap Index Scan on {things}_{on_postgres}"))
                }
                Kind::Sqlite => plan.contains(&format!("{thing}_{on_sqlite} VIRTUAL TABLE INDEX ")),
            };
            assert!(
                uses_index("markets", "market") || uses_index("posts", "post"),
                "{sql}\n{plan}"
            );
            assert!(
                kind == Kind::Postgres || !sorts(&plan),
                "the newest hits are read, and no others\n{plan}"
            );
            // Postgres materialises the matches, and reads all of them.
            let plan = plan.replace("SCAN (subquery-", "");
            assert!(!reads_all(&plan), "{sql}\n{plan}");
        }
    }
}

#[tokio::test]
async fn searches_use_their_indexes_on_sqlite() {
    check_index_use(Kind::Sqlite).await;
}

#[tokio::test]
async fn searches_use_their_indexes_on_postgres() {
    check_index_use(Kind::Postgres).await;
}
