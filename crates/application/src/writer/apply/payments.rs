//! Registrations, payments, mints and reversals.

use foretell_domain::account::{Account, AccountKind};
use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, TransferId};
use foretell_domain::job::JobTask;
use foretell_domain::policy::{self, Actor};
use foretell_domain::transfer::{
    Transfer, TransferError, TransferKind, TransferOrder, reversal, shortfall, transfer,
};
use foretell_ports::unit::Tx;

use super::{Applied, Desk};
use crate::writer::command::{BatchMode, Mint, Payment, PaymentBatch, Register, Reversal};
use crate::writer::outcome::{Outcome, Registered};
use crate::writer::rows::broken;

impl Desk<'_> {
    pub(super) fn register(&mut self, tx: &mut dyn Tx, register: &Register) -> Applied {
        let (user_id, account_id) = (register.user.id, register.account_id);
        let account = Account::user(account_id, user_id);
        if let Some(amount) = register.grant {
            let order = self.order(TransferKind::Grant, amount);
            if let Err(refusal) = self.rehearse(AccountId::TREASURY, account, order) {
                return Ok(Err(refusal.into()));
            }
        }
        if !tx.insert_user_once(&register.user, &register.password)? {
            return Ok(Err(DomainError::EmailTaken));
        }
        self.rows.adopt(tx, account, self.context.now)?;
        if let Some(amount) = register.grant {
            let order = self.order(TransferKind::Grant, amount);
            // The user is already inserted, so this can no longer be refused on its own.
            let granted = self.rows.post(AccountId::TREASURY, account_id, order);
            granted.map_err(|refusal| broken(&refusal.into()))?;
        }
        if self.context.has_letters {
            self.want(JobTask::WelcomeMail(user_id), self.context.now);
        }
        let account = self.rows.account(account_id).map_err(|refusal| broken(&refusal.into()))?;
        Ok(Ok(Outcome::Registered(Registered { user_id, account_id, balance: account.balance() })))
    }

    pub(super) fn pay(&mut self, actor: Actor, payment: &Payment) -> Result<Transfer, DomainError> {
        self.own_account(actor, payment.from)?;
        self.rows.check_new_payment(payment.from, payment.client_id)?;
        self.users_account(payment.to)?;
        let (client_id, memo) = (payment.client_id, payment.memo.clone());
        let order = self.order(TransferKind::Payment, payment.amount);
        let order = TransferOrder { client_id, memo, ..order };
        Ok(self.rows.post(payment.from, payment.to, order)?)
    }

    /// Pays in order. In atomic mode a refusal takes everything back and refuses the others as well.
    pub(super) fn pay_batch(
        &mut self,
        actor: Actor,
        batch: &PaymentBatch,
    ) -> Vec<Result<Transfer, DomainError>> {
        let accounts = batch.payments.iter().flat_map(|payment| [payment.from, payment.to]);
        let point = self.rows.save_point(accounts);
        let mut results = Vec::with_capacity(batch.payments.len());
        for payment in &batch.payments {
            let result = self.pay(actor, payment);
            let is_over = result.is_err() && batch.mode == BatchMode::Atomic;
            results.push(result);
            if is_over {
                self.rows.roll_back(point);
                return aborted(results, batch.payments.len());
            }
        }
        results
    }

    pub(super) fn mint(&mut self, actor: Actor, mint: Mint) -> Result<Transfer, DomainError> {
        policy::may_administer(actor)?;
        self.users_account(mint.to)?;
        let order = self.order(TransferKind::Mint, mint.amount);
        Ok(self.rows.post(AccountId::TREASURY, mint.to, order)?)
    }

    /// Sends a transfer's money back. What the receiver no longer has, the treasury covers if forced: so
    /// nothing goes below its floor.
    pub(super) fn reverse(&mut self, actor: Actor, command: Reversal) -> Result<Transfer, DomainError> {
        policy::may_administer(actor)?;
        let original = self.rows.original(command.of)?;
        let id = TransferId::from_u128(self.context.ids.next_id());
        let order = reversal(&original, id, self.context.now)?;
        let (from, to) = (original.credit.account_id, original.debit.account_id);
        let payer = self.rows.account(from)?;
        let lacking = if command.force { shortfall(&payer, original.amount) } else { None };
        let Some(lacking) = lacking else { return Ok(self.rows.post(from, to, order)?) };
        let point = self.rows.save_point([AccountId::TREASURY, from, to].into_iter());
        let cover = self.order(TransferKind::Cover, lacking);
        let covered = self.rows.post(AccountId::TREASURY, from, cover);
        let reversed = covered.and_then(|_| self.rows.post(from, to, order));
        if reversed.is_err() {
            self.rows.roll_back(point);
        }
        Ok(reversed?)
    }

    /// The account, if it is the actor's own; any other looks as if it did not exist.
    pub(super) fn own_account(&self, actor: Actor, id: AccountId) -> Result<Account, TransferError> {
        let account = self.rows.account(id)?;
        if policy::can_spend_from(actor, &account) {
            Ok(account)
        } else {
            Err(TransferError::AccountNotFound(id))
        }
    }

    /// The account, if it is any user's: pots, fees and treasury are not paid into.
    fn users_account(&self, id: AccountId) -> Result<Account, TransferError> {
        let account = self.rows.account(id)?;
        if account.kind() == AccountKind::User {
            Ok(account)
        } else {
            Err(TransferError::AccountNotFound(id))
        }
    }

    /// Whether money could move from an account of the batch to one that is not stored yet.
    pub(super) fn rehearse(
        &self,
        from: AccountId,
        new: Account,
        order: TransferOrder,
    ) -> Result<(), TransferError> {
        let (mut debit, mut credit) = (self.rows.account(from)?, new);
        transfer(&mut debit, &mut credit, order).map(drop)
    }
}

/// The results of an atomic batch whose last result so far is the refusal that ended it.
fn aborted(
    mut results: Vec<Result<Transfer, DomainError>>,
    count: usize,
) -> Vec<Result<Transfer, DomainError>> {
    let refusal = || Err(DomainError::from(TransferError::BatchAborted));
    for result in results.iter_mut().filter(|result| result.is_ok()) {
        *result = refusal();
    }
    results.resize_with(count, refusal);
    results
}
