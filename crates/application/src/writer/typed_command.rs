//! Commands with the types of their outcomes.

use foretell_domain::market::Resolution;
use foretell_domain::transfer::Transfer;

use super::command::{
    ApplyProposal, Burn, CloseEnded, CloseMarket, Command, DecideMarket, Decided, DeleteMarket,
    Mint, OpenMarket, PaidBatch, Payment, PaymentBatch, PlaceBet, Register, Reversal, SellShares,
    SettleMarket, UndoSettlement,
};
use super::outcome::{MarketOpened, MarketState, Outcome, Registered, TradeReceipt};

/// A command with the type of its outcome.
pub(crate) trait TypedCommand: Into<Command> {
    /// Outcome of the command.
    type Output;

    /// Returns the outcome, or `None` if it is that of another command.
    fn output(outcome: Outcome) -> Option<Self::Output>;
}

/// Makes a type a [`TypedCommand`].
macro_rules! typed_command {
    ($command:pat, $type:ty => $general:expr, $outcome:pat => $value:expr, $output:ty) => {
        impl From<$type> for Command {
            fn from($command: $type) -> Self {
                $general
            }
        }

        impl TypedCommand for $type {
            type Output = $output;

            fn output(outcome: Outcome) -> Option<$output> {
                match outcome {
                    $outcome => Some($value),
                    _ => None,
                }
            }
        }
    };
}

typed_command!(new, Register => Self::Register(Box::new(new)), Outcome::Registered(made) => made, Registered);
typed_command!(payment, Payment => Self::Pay(payment), Outcome::Transferred(row) => row, Transfer);
typed_command!(batch, PaymentBatch => Self::PayBatch(batch), Outcome::Batch(rows) => rows, PaidBatch);
typed_command!(mint, Mint => Self::Mint(mint), Outcome::Transferred(row) => row, Transfer);
typed_command!(reversal, Reversal => Self::Reverse(reversal), Outcome::Transferred(row) => row, Transfer);
typed_command!(burn, Burn => Self::Burn(burn), Outcome::Transferred(row) => row, Transfer);
typed_command!(new, OpenMarket => Self::OpenMarket(Box::new(new)), Outcome::MarketOpened(made) => *made, MarketOpened);
typed_command!(bet, PlaceBet => Self::Bet(bet), Outcome::Traded(made) => *made, TradeReceipt);
typed_command!(sale, SellShares => Self::Sell(sale), Outcome::Traded(made) => *made, TradeReceipt);
typed_command!(CloseMarket(id), CloseMarket => Self::Close(id), Outcome::MarketChanged(state) => *state, MarketState);
typed_command!(CloseEnded(id), CloseEnded => Self::CloseEnded(id), Outcome::MarketChanged(state) => *state, MarketState);
typed_command!(
    ApplyProposal(id), ApplyProposal => Self::ApplyProposal(id),
    Outcome::MarketChanged(state) => *state, MarketState
);
typed_command!(
    undo, UndoSettlement => Self::Undo(undo),
    Outcome::ResolutionChanged(resolution) => *resolution, Resolution
);
typed_command!(DeleteMarket(id), DeleteMarket => Self::Delete(id), Outcome::MarketDeleted => (), ());
typed_command!(SettleMarket(id), SettleMarket => Self::Settle(id), Outcome::SetPaid { complete } => complete, bool);

impl From<DecideMarket> for Command {
    fn from(command: DecideMarket) -> Self {
        Self::Decide(Box::new(command))
    }
}

impl TypedCommand for DecideMarket {
    type Output = Decided;

    fn output(outcome: Outcome) -> Option<Decided> {
        match outcome {
            Outcome::MarketChanged(state) => Some(Decided::Now(state)),
            Outcome::ResolutionChanged(proposal) => Some(Decided::Proposed(proposal)),
            _ => None,
        }
    }
}
