//! Payments, batches of payments, mints, burns and reversals.

use foretell_domain::id::TransferId;
use foretell_domain::transfer::Transfer;

use super::Ledger;
use crate::Caller;
use crate::error::AppError;
use crate::writer::{Burn, Mint, PaidBatch, Payment, PaymentBatch, Receipt, Reversal};

impl Ledger {
    /// Transfers money from one of the caller's accounts to a user's account.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn pay(
        &self,
        caller: &Caller,
        key: String,
        payment: Payment,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.context.submit_once(caller, key, payment).await
    }

    /// Makes several payments, in order, and returns the result of each.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the results.
    pub async fn pay_batch(
        &self,
        caller: &Caller,
        key: String,
        batch: PaymentBatch,
    ) -> Result<Receipt<PaidBatch>, AppError> {
        self.context.submit_once(caller, key, batch).await
    }

    /// Mints new money. For admins.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn mint(
        &self,
        caller: &Caller,
        key: String,
        mint: Mint,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.context.submit_once(caller, key, mint).await
    }

    /// Takes money out of a user's account and out of circulation. For admins.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn burn(
        &self,
        caller: &Caller,
        key: String,
        burn: Burn,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.context.submit_once(caller, key, burn).await
    }

    /// Reverses a transfer, once. For admins.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn reverse_transfer(
        &self,
        caller: &Caller,
        key: String,
        of: TransferId,
        force: bool,
    ) -> Result<Receipt<Transfer>, AppError> {
        self.context.submit_once(caller, key, Reversal { of, force }).await
    }
}
