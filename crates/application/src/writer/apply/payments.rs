//! Registrations, payments, mints, burns and reversals.

use foretell_domain::account::{Account, AccountKind};
use foretell_domain::error::DomainError;
use foretell_domain::event::DomainEvent;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::policy::{self, Actor};
use foretell_domain::registration::{Invitation, RegistrationError};
use foretell_domain::transfer::{
    Transfer, TransferError, TransferKind, TransferOrder, reversal, shortfall, transfer,
};
use foretell_ports::unit::{Locked, Tx};

use super::CommandHandler;
use crate::error::AppError;
use crate::writer::batch_state::invariant_violation;
use crate::writer::command::{BatchMode, Burn, Mint, Payment, PaymentBatch, Register, Reversal};
use crate::writer::outcome::Registered;

impl CommandHandler<'_> {
    pub(super) fn register(
        &mut self,
        tx: &mut dyn Tx,
        actor: Actor,
        register: &Register,
    ) -> Result<Registered, AppError> {
        // Those who register themselves have no user yet: the process acts for them.
        if let Actor::User { .. } = actor {
            policy::may_administer(actor)?;
        }
        let now = self.context.now;
        let (user_id, account_id) = (register.user.id, register.account_id);
        let account = Account::user(account_id, user_id);
        let invitation = self.redeem_invitation(tx, register)?;
        if let Some(grant) = register.grant {
            let order = self.order(TransferKind::Grant, grant.amount);
            // Checked before the user is inserted: after a write, a rejection would have to undo
            // the whole batch.
            self.dry_run(AccountId::TREASURY, account, order)?;
        }
        if !tx.insert_user_once(&register.user, &register.password)? {
            return Err(DomainError::EmailTaken.into());
        }
        if let Some(invitation) = invitation {
            tx.save_invitation(&invitation)?;
        }
        self.state.attach(tx, account, self.context.now)?;
        if let Some(grant) = register.grant
            && tx.record_grant_once(grant.email, now)?
        {
            let order = self.order(TransferKind::Grant, grant.amount);
            // The user is already inserted, so an error now ends the whole batch.
            let granted = self.state.post(AccountId::TREASURY, account_id, order);
            granted.map_err(|refusal| invariant_violation(&refusal.into()))?;
        }
        self.state.emit(DomainEvent::UserRegistered(user_id));
        let account = self
            .state
            .account(account_id)
            .map_err(|refusal| invariant_violation(&refusal.into()))?;
        Ok(Registered { user_id, account_id, balance: account.balance() })
    }

    /// Returns the invitation of a registration after this use, locked and not saved yet: another
    /// registration, here or on another node, may have used it up since it was looked at.
    fn redeem_invitation(
        &self,
        tx: &mut dyn Tx,
        register: &Register,
    ) -> Result<Option<Locked<Invitation>>, AppError> {
        let Some(id) = register.invitation else { return Ok(None) };
        let found = tx.lock_invitation(id)?;
        let mut invitation = found.ok_or(RegistrationError::InvitationInvalid)?;
        *invitation = invitation.redeemed(self.context.now)?;
        Ok(Some(invitation))
    }

    pub(super) fn pay(&mut self, actor: Actor, payment: &Payment) -> Result<Transfer, DomainError> {
        self.own_account(actor, payment.from)?;
        self.state.check_new_payment(payment.from, payment.client_id)?;
        self.users_account(payment.to)?;
        let (client_id, memo) = (payment.client_id, payment.memo.clone());
        let order = self.order(TransferKind::Payment, payment.amount);
        let order = TransferOrder { client_id, memo, ..order };
        Ok(self.state.post(payment.from, payment.to, order)?)
    }

    /// Makes payments in order. In atomic mode, one rejected payment rolls back all and rejects the
    /// others as well.
    pub(super) fn pay_batch(
        &mut self,
        actor: Actor,
        batch: &PaymentBatch,
    ) -> Vec<Result<Transfer, DomainError>> {
        let accounts = batch.payments().iter().flat_map(|payment| [payment.from, payment.to]);
        // Only changes in memory: nothing is written before the end of the batch, so a rollback
        // costs no statement.
        let point = self.state.save_point(accounts);
        let mut results = Vec::with_capacity(batch.payments().len());
        for payment in batch.payments() {
            let result = self.pay(actor, payment);
            let is_over = result.is_err() && batch.mode() == BatchMode::Atomic;
            results.push(result);
            if is_over {
                self.state.roll_back(point);
                return aborted(results, batch.payments().len());
            }
        }
        results
    }

    pub(super) fn mint(&mut self, actor: Actor, mint: Mint) -> Result<Transfer, DomainError> {
        policy::may_administer(actor)?;
        self.users_account(mint.to)?;
        let order = self.order(TransferKind::Mint, mint.amount);
        Ok(self.state.post(AccountId::TREASURY, mint.to, order)?)
    }

    pub(super) fn burn(&mut self, actor: Actor, burn: &Burn) -> Result<Transfer, DomainError> {
        policy::may_administer(actor)?;
        self.users_account(burn.from)?;
        let order = self.order(TransferKind::Burn, burn.amount);
        let order = TransferOrder { memo: Some(burn.reason.clone()), ..order };
        Ok(self.state.post(burn.from, AccountId::TREASURY, order)?)
    }

    /// Reverses a transfer. If forced, the treasury covers what the receiver no longer has, so that
    /// no balance falls below its minimum.
    pub(super) fn reverse(
        &mut self,
        actor: Actor,
        command: Reversal,
    ) -> Result<Transfer, DomainError> {
        policy::may_administer(actor)?;
        let original = self.state.original(command.of)?;
        let order = reversal(&original, self.next_transfer_id(), self.context.now)?;
        let (from, to) = (original.credit.account_id, original.debit.account_id);
        let payer = self.state.account(from)?;
        // Computed on the locked balance, so that the cover is exactly what the reversal lacks (ADR
        // 0007).
        let lacking = if command.force { shortfall(&payer, original.amount) } else { None };
        let Some(lacking) = lacking else { return Ok(self.state.post(from, to, order)?) };
        let point = self.state.save_point([AccountId::TREASURY, from, to].into_iter());
        let cover = self.order(TransferKind::Cover, lacking);
        let covered = self.state.post(AccountId::TREASURY, from, cover);
        let reversed = covered.and_then(|_| self.state.post(from, to, order));
        // The cover may have been posted already, and must not stay without its reversal.
        if reversed.is_err() {
            self.state.roll_back(point);
        }
        Ok(reversed?)
    }

    /// Returns the account and its owner if this is the actor; any other account is reported as not
    /// found.
    pub(super) fn own_account(
        &self,
        actor: Actor,
        id: AccountId,
    ) -> Result<(Account, UserId), TransferError> {
        let account = self.state.account(id)?;
        // Not found rather than forbidden: the response must not reveal that the account exists.
        match account.owner() {
            Some(owner) if policy::can_spend_from(actor, &account) => Ok((account, owner)),
            _ => Err(TransferError::AccountNotFound(id)),
        }
    }

    /// Returns the account if it is a user's: pots, fees account and treasury cannot receive
    /// payments.
    fn users_account(&self, id: AccountId) -> Result<Account, TransferError> {
        let account = self.state.account(id)?;
        if account.kind() == AccountKind::User {
            Ok(account)
        } else {
            Err(TransferError::AccountNotFound(id))
        }
    }

    /// Checks that a transfer from an account of the batch to one that is not stored yet would
    /// succeed.
    pub(super) fn dry_run(
        &self,
        from: AccountId,
        new: Account,
        order: TransferOrder,
    ) -> Result<(), TransferError> {
        let (mut debit, mut credit) = (self.state.account(from)?, new);
        transfer(&mut debit, &mut credit, order).map(drop)
    }
}

/// Returns the results of an atomic batch whose last result so far is the error that ended it.
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
