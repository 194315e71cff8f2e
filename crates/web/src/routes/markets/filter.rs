//! Filter of lists and searches of markets.

use foretell_domain::id::UserId;
use foretell_domain::market::Phase;
use foretell_domain::text::Category;
use foretell_ports::market::MarketFilter;

use crate::dto::parsed::{Parsed, optional};
use crate::extract::RequestContext;

/// Returns the filter of a list or a search.
pub(super) fn filter_of(
    category: Option<Parsed<Category>>,
    status: Option<Parsed<Phase>>,
    creator_id: Option<Parsed<UserId>>,
    context: &RequestContext,
) -> MarketFilter {
    MarketFilter {
        // One that was removed from the configuration may still have markets.
        category: optional(category).map(String::from),
        phase: optional(status).map(|phase| (phase, context.now)),
        creator_id: optional(creator_id),
    }
}
