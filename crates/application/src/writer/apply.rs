//! Applies one command to the rows of its batch: completely, or not at all if it is rejected.

mod payments;
mod resolution;
mod settlement;
mod trades;

use foretell_domain::id::TransferId;
use foretell_domain::money::Amount;
use foretell_domain::policy::Actor;
use foretell_domain::transfer::{TransferKind, TransferOrder};
use foretell_ports::unit::Tx;

use super::batch::BatchContext;
use super::batch_state::BatchState;
use super::command::Command;
use super::outcome::Outcome;
use crate::error::AppError;

/// Handler of the commands of a batch.
struct CommandHandler<'a> {
    context: &'a BatchContext<'a>,
    state: &'a mut BatchState,
}

impl CommandHandler<'_> {
    fn next_transfer_id(&self) -> TransferId {
        TransferId::from_u128(self.context.ids.next_id())
    }

    fn order(&self, kind: TransferKind, amount: Amount) -> TransferOrder {
        TransferOrder::new(self.next_transfer_id(), kind, amount, self.context.now)
    }
}

/// Applies a command for `actor`.
///
/// # Errors
/// [`AppError::Refused`] if the domain rejects it: nothing was changed; [`AppError::Store`], which
/// ends the whole batch.
pub(super) fn apply(
    tx: &mut dyn Tx,
    context: &BatchContext<'_>,
    actor: Actor,
    command: &Command,
    state: &mut BatchState,
) -> Result<Outcome, AppError> {
    let mut handler = CommandHandler { context, state };
    // Commands without `tx` use only rows that were locked together with the batch.
    Ok(match command {
        Command::Register(register) => Outcome::Registered(handler.register(tx, actor, register)?),
        Command::OpenMarket(opening) => {
            Outcome::MarketOpened(handler.open_market(tx, actor, opening)?)
        }
        Command::Pay(payment) => Outcome::Transferred(handler.pay(actor, payment)?),
        Command::PayBatch(batch) => Outcome::Batch(handler.pay_batch(actor, batch)),
        Command::Mint(mint) => Outcome::Transferred(handler.mint(actor, *mint)?),
        Command::Reverse(reversal) => Outcome::Transferred(handler.reverse(actor, *reversal)?),
        Command::Bet(bet) => Outcome::Traded(handler.place_bet(actor, bet)?),
        Command::Sell(sale) => Outcome::Traded(handler.sell_shares(actor, sale)?),
        Command::Close(market) => Outcome::MarketChanged(handler.close(actor, *market)?),
        Command::CloseEnded(market) => Outcome::MarketChanged(handler.close_ended(*market)?),
        Command::Decide(command) => handler.decide(tx, actor, command)?,
        Command::ApplyProposal(market) => {
            Outcome::MarketChanged(handler.apply_proposal(tx, *market)?)
        }
        Command::Undo(command) => Outcome::ResolutionChanged(handler.undo(tx, actor, command)?),
        Command::Burn(burn) => Outcome::Transferred(handler.burn(actor, burn)?),
        Command::Delete(market) => {
            handler.delete(actor, *market)?;
            Outcome::MarketDeleted
        }
        Command::Settle(market) => Outcome::SetPaid { complete: handler.settle(tx, *market)? },
    })
}
