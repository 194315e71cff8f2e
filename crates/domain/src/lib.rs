//! The rules of money and prediction markets; knows no database, network, clock, randomness or
//! thread.
//!
//! Everything that varies (time, ids, locked rows) is an argument, so each rule returns the same
//! result on every machine, in debug and in release. Money and shares are integers of the
//! currency's minor unit; floating-point numbers hold probabilities only.
//!
//! ```
//! use foretell_domain::{account::{Account, AccountKind}, id::{AccountId, TransferId, UserId}};
//! use foretell_domain::transfer::{TransferKind, TransferOrder, transfer};
//! use foretell_domain::{money::Amount, time::Timestamp};
//!
//! let mut treasury = Account::treasury();
//! let mut alice = Account::user(AccountId::from_u128(7), UserId::from_u128(1));
//! let order = TransferOrder::new(
//!     TransferId::from_u128(9),
//!     TransferKind::Mint,
//!     Amount::new(100_000)?,
//!     Timestamp::from_micros(0),
//! );
//!
//! let row = transfer(&mut treasury, &mut alice, order)?;
//!
//! assert_eq!(alice.balance().minor(), 100_000);
//! assert_eq!(treasury.balance().minor(), -100_000); // the money in circulation
//! assert_eq!(row.credit.balance_after, alice.balance());
//! assert_eq!(alice.kind(), AccountKind::User);
//! # Ok::<(), foretell_domain::error::DomainError>(())
//! ```

pub mod account;
pub mod allocation;
pub mod comment;
pub mod error;
pub mod event;
pub mod id;
pub mod job;
pub mod market;
pub mod money;
pub mod password;
pub mod policy;
pub mod post;
pub mod probability;
pub mod quota;
pub mod registration;
pub mod scope;
pub mod search;
pub mod shares;
pub mod tag;
pub mod text;
pub mod time;
pub mod transfer;
pub mod user;
pub mod webhook;
