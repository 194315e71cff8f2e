//! Commands that move money.

use foretell_domain::id::{AccountId, ClientId, MarketId, OptionId, TransferId};
use foretell_domain::market::{BuyOrder, MarketTexts, SellOrder};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::quota::Quotas;
use foretell_domain::text::Memo;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;
use foretell_ports::secret::PasswordHash;

/// Maximum number of transfers in one batch command.
pub const MAX_BATCH_TRANSFERS: usize = 1_000;

/// A command that moves money. The module `formats` defines the hash stored with its key.
#[derive(Debug, Clone)]
pub enum Command {
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
    /// Resolve or cancel a market.
    Decide(MarketId, Decision),
    /// Delete a market without bets and refund its subsidy.
    Delete(MarketId),
    /// Pay the next set of holders of a decided market.
    Settle(MarketId),
}

/// A new user. Its id identifies the command, so that a repetition finds it.
#[derive(Debug, Clone)]
pub struct Register {
    /// The user.
    pub user: User,
    /// Hash of the password.
    pub password: PasswordHash,
    /// Id of the new account.
    pub account_id: AccountId,
    /// Sign-up grant.
    pub grant: Option<Amount>,
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

/// Several payments, in order.
#[derive(Debug, Clone)]
pub struct PaymentBatch {
    /// Treatment of a rejected payment.
    pub mode: BatchMode,
    /// 1 to 1,000 payments.
    pub payments: Vec<Payment>,
}

/// New money for a user's account.
#[derive(Debug, Clone, Copy)]
pub struct Mint {
    /// Receiving account.
    pub to: AccountId,
    /// Amount.
    pub amount: Amount,
}

/// Reversal of a transfer.
#[derive(Debug, Clone, Copy)]
pub struct Reversal {
    /// Transfer to reverse.
    pub of: TransferId,
    /// `true` if the treasury covers what the receiver no longer has.
    pub force: bool,
}

/// A new market.
#[derive(Debug, Clone)]
pub struct OpenMarket {
    /// Texts.
    pub texts: MarketTexts,
    /// Initial probabilities of the options: all or none.
    pub probabilities: Vec<Option<Probability>>,
    /// End date.
    pub ends_at: Timestamp,
    /// Maximum loss of the market.
    pub subsidy: Amount,
    /// Account that pays the subsidy.
    pub from: AccountId,
    /// Trading fee, in basis points. Set by the operator, so not part of the request.
    pub fee_bps: u16,
    /// Limits per user. Set by the operator, so not part of the request.
    pub quotas: Quotas,
}

/// Purchase of shares.
#[derive(Debug, Clone, Copy)]
pub struct PlaceBet {
    /// Identifier chosen by the client.
    pub client_id: Option<ClientId>,
    /// The market.
    pub market_id: MarketId,
    /// Paying account.
    pub account_id: AccountId,
    /// Option, amount and limits.
    pub order: BuyOrder,
}

/// Sale of shares.
#[derive(Debug, Clone, Copy)]
pub struct SellShares {
    /// Identifier chosen by the client.
    pub client_id: Option<ClientId>,
    /// The market.
    pub market_id: MarketId,
    /// Account that holds the shares.
    pub account_id: AccountId,
    /// Option, quantity and limit.
    pub order: SellOrder,
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

impl Command {
    /// Returns the market that the command changes, if any.
    pub(super) fn market_id(&self) -> Option<MarketId> {
        match self {
            Self::Bet(bet) => Some(bet.market_id),
            Self::Sell(sale) => Some(sale.market_id),
            Self::Close(market)
            | Self::CloseEnded(market)
            | Self::Decide(market, _)
            | Self::Delete(market)
            | Self::Settle(market) => Some(*market),
            _ => None,
        }
    }

    /// Returns a number that commands on the same rows usually share, so that they meet in one
    /// lane.
    pub(super) fn lane_hint(&self) -> u128 {
        match self {
            Self::Register(_) => AccountId::TREASURY.as_u128(),
            Self::Pay(payment) => payment.from.as_u128(),
            Self::PayBatch(batch) => batch.payments.first().map_or(0, |payment| payment.from.as_u128()),
            Self::Mint(mint) => mint.to.as_u128(),
            Self::Reverse(reversal) => reversal.of.as_u128(),
            Self::OpenMarket(opening) => opening.from.as_u128(),
            Self::Bet(_)
            | Self::Sell(_)
            | Self::Close(_)
            | Self::CloseEnded(_)
            | Self::Decide(..)
            | Self::Delete(_)
            | Self::Settle(_) => self.market_id().map_or(0, MarketId::as_u128),
        }
    }

    /// Returns `true` if the command needs more than the ownership of an account: the caller's role
    /// is then locked until the end of the unit.
    pub(super) const fn is_privileged(&self) -> bool {
        match self {
            Self::Mint(_) | Self::Reverse(_) | Self::Close(_) | Self::Decide(..) | Self::Delete(_) => true,
            Self::Register(_)
            | Self::Pay(_)
            | Self::PayBatch(_)
            | Self::OpenMarket(_)
            | Self::Bet(_)
            | Self::Sell(_)
            | Self::CloseEnded(_)
            | Self::Settle(_) => false,
        }
    }

    /// Returns the approximate number of transfers, to keep units of work short.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::PayBatch(batch) => batch.payments.len().max(1),
            Self::Settle(_) => foretell_domain::market::HOLDERS_PER_SET,
            _ => 1,
        }
    }
}
