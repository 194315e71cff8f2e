//! The use cases: each module adds one verb, or one family of reads, to [`Application`](crate::Application).

mod audit_ledger;
pub(crate) mod authenticate;
pub(crate) mod chart_prices;
mod initialize_ledger;
pub(crate) mod keep_house;
mod keep_secrets;
pub(crate) mod log_in;
mod log_out;
mod manage_market;
mod move_money;
pub(crate) mod open_market;
mod purge_outcomes;
pub(crate) mod quote_order;
mod read_accounts;
mod read_comments;
mod read_markets;
pub(crate) mod read_posts;
pub(crate) mod register_user;
mod settle_markets;
pub(crate) mod trade_shares;
mod write_comments;
mod write_posts;
