//! The use cases: each module adds one verb, or one family of reads, to [`Application`](crate::Application).

mod appoint_user;
mod audit_ledger;
pub(crate) mod authenticate;
pub(crate) mod change_password;
mod change_profile;
pub(crate) mod chart_prices;
mod erase_user;
mod initialize_ledger;
pub(crate) mod keep_house;
mod keep_secrets;
pub(crate) mod log_in;
mod log_out;
pub(crate) mod manage_api_keys;
mod manage_market;
mod move_money;
pub(crate) mod open_market;
mod purge_outcomes;
pub(crate) mod quote_order;
mod read_accounts;
mod read_markets;
mod read_users;
pub(crate) mod register_user;
mod settle_markets;
pub(crate) mod trade_shares;
