//! Test support: an application with a store whose units a test can hold and fail.

mod fixture;
mod late;
mod markets;
mod trouble;
mod work;

pub(crate) use fixture::{ADDRESS, Fixture, GRANT, PASSWORD, amount, confirmation, settings};
pub(crate) use markets::{Crowd, Trader};
pub(crate) use trouble::{Loss, eventually, take_one};
