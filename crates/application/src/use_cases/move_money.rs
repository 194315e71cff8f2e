//! Payments, batches of them, mints and reversals.

use foretell_domain::error::DomainError;
use foretell_domain::id::TransferId;
use foretell_domain::transfer::Transfer;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;
use crate::writer::{Command, Mint, Outcome, Payment, PaymentBatch, Receipt, Reversal};

impl Application {
    /// Pays from one of the caller's accounts to a user's.
    ///
    /// # Errors
    /// Those of the money writer; refusals are in the receipt.
    pub async fn pay(
        &self,
        caller: &Caller,
        key: String,
        payment: Payment,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.move_money(caller, key, Command::Pay(payment)).await
    }

    /// Pays several times, in order, and answers each.
    ///
    /// # Errors
    /// Those of the money writer; refusals are in the results.
    pub async fn pay_batch(
        &self,
        caller: &Caller,
        key: String,
        batch: PaymentBatch,
    ) -> Result<Receipt<Vec<Result<Transfer, DomainError>>>, AppError> {
        let receipt = self.submit_once(caller, key, Command::PayBatch(batch)).await?;
        receipt.map(|outcome| match outcome {
            Outcome::Batch(results) => Some(results),
            _ => None,
        })
    }

    /// Makes new money. For admins.
    ///
    /// # Errors
    /// Those of the money writer; refusals are in the receipt.
    pub async fn mint(
        &self,
        caller: &Caller,
        key: String,
        mint: Mint,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.move_money(caller, key, Command::Mint(mint)).await
    }

    /// Sends the money of a transfer back, once. For admins.
    ///
    /// # Errors
    /// Those of the money writer; refusals are in the receipt.
    pub async fn reverse_transfer(
        &self,
        caller: &Caller,
        key: String,
        of: TransferId,
        force: bool,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.move_money(caller, key, Command::Reverse(Reversal { of, force })).await
    }

    async fn move_money(
        &self,
        caller: &Caller,
        key: String,
        command: Command,
    ) -> Result<Receipt<Transfer>, AppError> {
        let receipt = self.submit_once(caller, key, command).await?;
        receipt.map(|outcome| match outcome {
            Outcome::Transferred(transfer) => Some(transfer),
            _ => None,
        })
    }
}
