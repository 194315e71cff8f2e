//! Commands that move money.

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, ClientId, InvitationId, MarketId, OptionId, TransferId};
use foretell_domain::market::{
    BuyOrder, Evidence, Market, MarketError, MarketOutcome, MarketTexts, Resolution, SellOrder,
    SplitError,
};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::quota::Quotas;
use foretell_domain::text::{Memo, Reason};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_domain::user::User;
use foretell_ports::grant::EmailHash;
use foretell_ports::secret::PasswordHash;

use super::outcome::MarketState;

/// Maximum number of transfers in one batch command.
pub const MAX_BATCH_TRANSFERS: usize = 1_000;

/// A command that moves money. The module `formats` defines the hash stored with its key.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// Register a user with an account and the sign-up grant.
    Register(Box<Register>),
    /// Transfer money from one user to another.
    Pay(Payment),
    /// Make several payments.
    PayBatch(PaymentBatch),
    /// Mint new money.
    Mint(Mint),
    /// Reverse a transfer.
    Reverse(Reversal),
    /// Take money out of circulation.
    Burn(Burn),
    /// Create a market with its subsidy.
    OpenMarket(Box<OpenMarket>),
    /// Buy shares.
    Bet(PlaceBet),
    /// Sell shares.
    Sell(SellShares),
    /// Close a market before its end date.
    Close(MarketId),
    /// Close a market at its end date. Sent by the process itself, so without a key.
    CloseEnded(MarketId),
    /// Resolve or cancel a market, or propose to.
    Decide(Box<DecideMarket>),
    /// Let an undisputed proposal take effect.
    ApplyProposal(MarketId),
    /// Undo the settlement of a market.
    Undo(UndoSettlement),
    /// Delete a market without bets and refund its subsidy.
    Delete(MarketId),
    /// Pay the next set of holders of a decided market, or take the next set of payments back.
    Settle(MarketId),
}

/// Results of the payments of a batch, in order.
pub type PaidBatch = Vec<Result<Transfer, DomainError>>;

/// Closes a market before its end date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloseMarket(pub(crate) MarketId);

/// Closes a market at its end date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloseEnded(pub(crate) MarketId);

/// Resolves or cancels a market. It becomes a proposal if the caller has a part in the market.
#[derive(Debug, Clone)]
pub(crate) struct DecideMarket {
    /// The market.
    pub(crate) market_id: MarketId,
    /// Decision.
    pub(crate) decision: Decision,
    /// Evidence.
    pub(crate) evidence: Evidence,
    /// `true` if the credential allows only proposals. It is not part of the request.
    pub(crate) is_propose_only: bool,
}

/// Result of resolving or cancelling a market.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// The market is decided, and its holders are paid.
    Now(Box<MarketState>),
    /// The decision is a proposal.
    Proposed(Box<Resolution>),
}

/// Lets an undisputed proposal take effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ApplyProposal(pub(crate) MarketId);

/// Undoes the settlement of a market.
#[derive(Debug, Clone)]
pub(crate) struct UndoSettlement {
    /// The market.
    pub(crate) market_id: MarketId,
    /// Why.
    pub(crate) reason: Reason,
}

/// Deletes a market without bets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeleteMarket(pub(crate) MarketId);

/// Pays the next set of holders of a decided market, or takes the next set of payments back; `true`
/// if nothing is left to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettleMarket(pub(crate) MarketId);

/// A new user. Its id identifies the command, so that a repetition finds it.
#[derive(Debug, Clone)]
pub(crate) struct Register {
    /// The user.
    pub(crate) user: User,
    /// Hash of the password.
    pub(crate) password: PasswordHash,
    /// Id of the new account.
    pub(crate) account_id: AccountId,
    /// Sign-up grant, if the server pays one.
    pub(crate) grant: Option<SignupGrant>,
    /// Invitation to use, if any.
    pub(crate) invitation: Option<InvitationId>,
}

/// Sign-up grant of a new user, paid unless the email address has received it before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignupGrant {
    /// Amount.
    pub(crate) amount: Amount,
    /// Hash of the user's email address.
    pub(crate) email: EmailHash,
}

/// A payment from one user's account to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Identifier chosen by the client.
    pub client_id: Option<ClientId>,
    /// Paying account.
    pub from: AccountId,
    /// Receiving account.
    pub to: AccountId,
    /// Amount.
    pub amount: Amount,
    /// Note of the sender.
    pub memo: Option<Memo>,
}

/// Treatment of the other payments in a batch when one is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchMode {
    /// All or none.
    Atomic,
    /// Each independently.
    Independent,
}

/// 1 to [`MAX_BATCH_TRANSFERS`] payments, in order.
#[derive(Debug, Clone)]
pub struct PaymentBatch {
    mode: BatchMode,
    payments: Vec<Payment>,
}

impl PaymentBatch {
    /// Creates a batch. `None` for no payments, or more than [`MAX_BATCH_TRANSFERS`].
    pub fn new(mode: BatchMode, payments: Vec<Payment>) -> Option<Self> {
        let is_valid = (1..=MAX_BATCH_TRANSFERS).contains(&payments.len());
        is_valid.then_some(Self { mode, payments })
    }

    /// Returns the treatment of a rejected payment.
    pub const fn mode(&self) -> BatchMode {
        self.mode
    }

    /// Returns the payments.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }
}

/// New money for a user's account.
#[derive(Debug, Clone, Copy)]
pub struct Mint {
    /// Receiving account.
    pub to: AccountId,
    /// Amount.
    pub amount: Amount,
}

/// Money that an admin takes out of a user's account and out of circulation.
#[derive(Debug, Clone)]
pub struct Burn {
    /// Paying account.
    pub from: AccountId,
    /// Amount.
    pub amount: Amount,
    /// Reason, which the account's owner sees.
    pub reason: Memo,
}

/// Reversal of a transfer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reversal {
    /// Transfer to reverse.
    pub(crate) of: TransferId,
    /// `true` if the treasury covers what the receiver no longer has.
    pub(crate) force: bool,
}

/// A new market.
#[derive(Debug, Clone)]
pub(crate) struct OpenMarket {
    /// Texts.
    pub(crate) texts: MarketTexts,
    /// Initial probabilities of the options: all or none.
    pub(crate) probabilities: Vec<Option<Probability>>,
    /// End date.
    pub(crate) ends_at: Timestamp,
    /// Maximum loss of the market.
    pub(crate) subsidy: Amount,
    /// Account that pays the subsidy.
    pub(crate) from: AccountId,
    /// Trading fee, in basis points. Set by the operator, so not part of the request.
    pub(crate) fee_bps: u16,
    /// Limits per user. Set by the operator, so not part of the request.
    pub(crate) quotas: Quotas,
}

/// Purchase of shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceBet {
    /// Identifier chosen by the client.
    pub(crate) client_id: Option<ClientId>,
    /// The market.
    pub(crate) market_id: MarketId,
    /// Paying account.
    pub(crate) account_id: AccountId,
    /// Option, amount and limits.
    pub(crate) order: BuyOrder,
}

/// Sale of shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SellShares {
    /// Identifier chosen by the client.
    pub(crate) client_id: Option<ClientId>,
    /// The market.
    pub(crate) market_id: MarketId,
    /// Account that holds the shares.
    pub(crate) account_id: AccountId,
    /// Option, quantity and limit.
    pub(crate) order: SellOrder,
}

/// Decision about a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// One option has won.
    Winner(OptionId),
    /// Each option pays this part, in basis points, 10,000 in total; options left out pay nothing.
    Split(Vec<(OptionId, u16)>),
    /// The stakes are refunded.
    Cancel,
}

impl Decision {
    /// Returns what the decision does with the pot of this market.
    ///
    /// # Errors
    /// [`MarketError::OptionNotFound`], and [`MarketError::Split`] for an option named twice.
    pub(super) fn outcome_for(&self, market: &Market) -> Result<MarketOutcome, MarketError> {
        let basis_points = match self {
            Self::Winner(option) => market.winner(*option)?,
            Self::Split(parts) => split(market, parts)?,
            Self::Cancel => return Ok(MarketOutcome::Cancellation),
        };
        Ok(MarketOutcome::Payouts { basis_points })
    }
}

/// Returns the basis points of each option in the market's order; options left out get none.
fn split(market: &Market, parts: &[(OptionId, u16)]) -> Result<Vec<u16>, MarketError> {
    let mut basis_points = vec![None; market.record().options.len()];
    for (option, bps) in parts {
        let index = market.option_index(*option)?;
        let slot = basis_points.get_mut(index).ok_or(SplitError::Options)?;
        if slot.replace(*bps).is_some() {
            return Err(SplitError::Options.into());
        }
    }
    Ok(basis_points.into_iter().map(Option::unwrap_or_default).collect())
}

impl Command {
    /// Returns the market that the command changes, if any.
    pub(super) fn market_id(&self) -> Option<MarketId> {
        match self {
            Self::Bet(bet) => Some(bet.market_id),
            Self::Sell(sale) => Some(sale.market_id),
            Self::Close(market)
            | Self::CloseEnded(market)
            | Self::ApplyProposal(market)
            | Self::Delete(market)
            | Self::Settle(market) => Some(*market),
            Self::Decide(command) => Some(command.market_id),
            Self::Undo(command) => Some(command.market_id),
            _ => None,
        }
    }

    /// Returns a number that commands on the same rows usually share, so that they meet in one
    /// lane.
    pub(super) fn lane_hint(&self) -> u128 {
        match self {
            Self::Register(_) => AccountId::TREASURY.as_u128(),
            Self::Pay(payment) => payment.from.as_u128(),
            Self::PayBatch(batch) => {
                batch.payments.first().map_or(0, |payment| payment.from.as_u128())
            }
            Self::Mint(mint) => mint.to.as_u128(),
            Self::Reverse(reversal) => reversal.of.as_u128(),
            Self::Burn(burn) => burn.from.as_u128(),
            Self::OpenMarket(opening) => opening.from.as_u128(),
            Self::Bet(_)
            | Self::Sell(_)
            | Self::Close(_)
            | Self::CloseEnded(_)
            | Self::Decide(_)
            | Self::ApplyProposal(_)
            | Self::Undo(_)
            | Self::Delete(_)
            | Self::Settle(_) => self.market_id().map_or(0, MarketId::as_u128),
        }
    }

    /// Returns `true` if the command needs more than the ownership of an account: the caller's role
    /// is then locked until the end of the unit.
    pub(super) const fn is_privileged(&self) -> bool {
        match self {
            // Admins register others.
            Self::Register(_)
            | Self::Mint(_)
            | Self::Reverse(_)
            | Self::Burn(_)
            | Self::Close(_)
            | Self::Decide(_)
            | Self::Undo(_)
            | Self::Delete(_) => true,
            Self::Pay(_)
            | Self::PayBatch(_)
            | Self::OpenMarket(_)
            | Self::Bet(_)
            | Self::Sell(_)
            | Self::CloseEnded(_)
            | Self::ApplyProposal(_)
            | Self::Settle(_) => false,
        }
    }

    /// Returns the approximate number of transfers, to keep units of work short.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::PayBatch(batch) => batch.payments.len(),
            Self::Settle(_) => foretell_domain::market::HOLDERS_PER_SET,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_has_1_to_1000_payments() {
        let payment = Payment {
            client_id: None,
            from: AccountId::from_u128(1),
            to: AccountId::from_u128(2),
            amount: Amount::new(1).unwrap(),
            memo: None,
        };
        let batch = |size| PaymentBatch::new(BatchMode::Atomic, vec![payment.clone(); size]);
        for (size, is_valid) in [(0, false), (1, true), (1_000, true), (1_001, false)] {
            assert_eq!(batch(size).is_some(), is_valid, "{size}");
        }
    }
}
