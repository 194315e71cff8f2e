//! Request and response types: the JSON forms of values.

pub(crate) mod account;
pub(crate) mod api_key;
pub(crate) mod change;
pub(crate) mod comment;
pub(crate) mod field_value;
pub(crate) mod invitation;
pub(crate) mod job;
pub(crate) mod listed_user;
pub(crate) mod market;
pub(crate) mod money;
pub(crate) mod page;
pub(crate) mod parsed;
pub(crate) mod post;
pub(crate) mod probability;
pub(crate) mod search;
pub(crate) mod selection;
pub(crate) mod tag;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod transfer;
pub(crate) mod user;
pub(crate) mod webhook;
