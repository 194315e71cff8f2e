//! Posts, comments and tags.

mod read_comments;
pub(crate) mod read_posts;
mod write_comments;
mod write_posts;

use std::sync::Arc;

use foretell_domain::quota::Quotas;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::{PostFilter, PostQueries};
use foretell_ports::user::UserQueries;

use crate::context::Context;
use crate::ports::Ports;
use crate::totals::Totals;

/// Posts, comments and tags.
pub struct Content {
    context: Arc<Context>,
    posts: Arc<dyn PostQueries>,
    users: Arc<dyn UserQueries>,
    markets: Arc<dyn MarketQueries>,
    post_totals: Arc<Totals<PostFilter>>,
    quotas: Quotas,
}

impl Content {
    pub(crate) fn new(
        context: &Arc<Context>,
        ports: &Ports,
        quotas: Quotas,
        post_totals: Arc<Totals<PostFilter>>,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            posts: Arc::clone(&ports.posts),
            users: Arc::clone(&ports.users),
            markets: Arc::clone(&ports.markets),
            post_totals,
            quotas,
        }
    }
}
