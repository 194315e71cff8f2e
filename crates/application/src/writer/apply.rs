//! Applies one command to the rows of its batch: completely, or not at all if it is rejected.

mod payments;
mod settlement;
mod trades;

use foretell_domain::error::DomainError;
use foretell_domain::id::{JobId, TransferId};
use foretell_domain::job::JobTask;
use foretell_domain::policy::Actor;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{TransferKind, TransferOrder};
use foretell_ports::error::StoreError;
use foretell_ports::job::NewJob;
use foretell_ports::unit::Tx;

use super::batch::BatchContext;
use super::batch_state::BatchState;
use super::command::Command;
use super::outcome::Outcome;

/// Outcome of a command, or the domain error that rejects it; a store error ends the whole batch.
type Applied = Result<Result<Outcome, DomainError>, StoreError>;

/// Handler of the commands of a batch.
struct CommandHandler<'a> {
    context: &'a BatchContext<'a>,
    state: &'a mut BatchState,
}

impl CommandHandler<'_> {
    fn order(&self, kind: TransferKind, amount: foretell_domain::money::Amount) -> TransferOrder {
        let id = TransferId::from_u128(self.context.ids.next_id());
        TransferOrder::new(id, kind, amount, self.context.now)
    }

    /// Adds a job that runs after the batch, at `run_at` or later. A task with a unique name gets
    /// no second job.
    fn enqueue(&mut self, task: JobTask, run_at: Timestamp) {
        let id = JobId::from_u128(self.context.ids.next_id());
        let once = task.unique_name();
        self.state.add_job(NewJob { id, task, run_at, once, created_at: self.context.now });
    }
}

pub(super) fn apply(
    tx: &mut dyn Tx,
    context: &BatchContext<'_>,
    actor: Actor,
    command: &Command,
    state: &mut BatchState,
) -> Applied {
    let mut handler = CommandHandler { context, state };
    // Commands without `tx` use only rows that were locked together with the batch.
    match command {
        Command::Register(register) => handler.register(tx, register),
        Command::OpenMarket(opening) => handler.open_market(tx, actor, opening),
        Command::Pay(payment) => Ok(handler.pay(actor, payment).map(Outcome::Transferred)),
        Command::PayBatch(batch) => Ok(Ok(Outcome::Batch(handler.pay_batch(actor, batch)))),
        Command::Mint(mint) => Ok(handler.mint(actor, *mint).map(Outcome::Transferred)),
        Command::Reverse(reversal) => Ok(handler.reverse(actor, *reversal).map(Outcome::Transferred)),
        Command::Bet(bet) => Ok(handler.place_bet(actor, bet).map(Outcome::Traded)),
        Command::Sell(sale) => Ok(handler.sell_shares(actor, sale).map(Outcome::Traded)),
        Command::Close(market) => Ok(handler.close(actor, *market).map(Outcome::MarketChanged)),
        Command::CloseEnded(market) => Ok(handler.close_ended(*market).map(Outcome::MarketChanged)),
        Command::Decide(market, decision) => {
            Ok(handler.decide(actor, *market, decision).map(Outcome::MarketChanged))
        }
        Command::Delete(market) => Ok(handler.delete(actor, *market)),
        Command::Settle(market) => handler.settle(*market).map(Ok),
    }
}
