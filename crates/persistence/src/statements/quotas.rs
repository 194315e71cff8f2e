//! Tests that each count for a quota reads one index only.

use foretell_domain::id::UserId;
use foretell_domain::quota::Quota;

use super::databases::Kind;
use super::{Observed, plan, reads_all};
use crate::quotas;

async fn check_counts_read_an_index(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    for (quota, index) in [
        (Quota::PublishedPosts, "posts_by_author"),
        (Quota::Drafts, "posts_by_author"),
        (Quota::Comments, "comments_by_author"),
        (Quota::OpenMarkets, "market_states_open_by_creator"),
        (Quota::ApiKeys, "api_keys_by_user"),
    ] {
        observed.forget();
        observed.run(|c| quotas::count(c, UserId::from_u128(1), quota));
        let sent: Vec<_> = observed.sent().into_iter().collect();
        assert_eq!(sent.len(), 1, "{quota:?}: {sent:?}");
        let plan = plan(&mut observed.connection, &sent[0]);
        assert!(plan.contains(index) && !reads_all(&plan), "{kind:?} {quota:?}: {plan}");
    }
}

#[tokio::test]
async fn counts_of_quotas_read_an_index_on_sqlite() {
    check_counts_read_an_index(Kind::Sqlite).await;
}

#[tokio::test]
async fn counts_of_quotas_read_an_index_on_postgres() {
    check_counts_read_an_index(Kind::Postgres).await;
}
