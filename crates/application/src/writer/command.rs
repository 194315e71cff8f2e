//! The commands that move money, as their callers mean them.

use foretell_domain::id::{AccountId, ClientId, MarketId, OptionId, TransferId};
use foretell_domain::market::{BuyOrder, Listing, SellOrder};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::quota::Quotas;
use foretell_domain::text::Memo;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;
use foretell_ports::secret::PasswordHash;

/// The most transfers of one batch command.
pub const MAX_BATCH_TRANSFERS: usize = 1_000;

/// A command that moves money. What is hashed of it for its key is in the module `formats`.
#[derive(Debug, Clone)]
pub enum Command {
    /// A new user with an account and the sign-up grant.
    Register(Box<Register>),
    /// From one user to another.
    Pay(Payment),
    /// Several payments.
    PayBatch(PaymentBatch),
    /// New money.
    Mint(Mint),
    /// The money of a transfer, back.
    Reverse(Reversal),
    /// A new market with its subsidy.
    OpenMarket(Box<OpenMarket>),
    /// Money for shares.
    Bet(PlaceBet),
    /// Shares for money.
    Sell(SellShares),
    /// No more trades.
    Close(MarketId),
    /// No more trades, since the end date has come. The process's own, so without a key.
    CloseEnded(MarketId),
    /// How a market ends.
    Decide(MarketId, Decision),
    /// A market that nobody has bet in goes, and its subsidy goes back.
    Delete(MarketId),
    /// The next set of holders of a decided market.
    Settle(MarketId),
}

/// A new user. It names itself, so that a repetition finds it.
#[derive(Debug, Clone)]
pub struct Register {
    /// The user.
    pub user: User,
    /// The hash of their password.
    pub password: PasswordHash,
    /// The account that they get.
    pub account_id: AccountId,
    /// What they are given.
    pub grant: Option<Amount>,
}

/// A payment from one user's account to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The id that the client chose for it.
    pub client_id: Option<ClientId>,
    /// Whose money it is.
    pub from: AccountId,
    /// Who gets it.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// The sender's note.
    pub memo: Option<Memo>,
}

/// Whether one refusal refuses all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchMode {
    /// All or none.
    Atomic,
    /// Each for itself.
    Independent,
}

/// Several payments, in order.
#[derive(Debug, Clone)]
pub struct PaymentBatch {
    /// Whether one refusal refuses all.
    pub mode: BatchMode,
    /// 1 to 1,000 payments.
    pub payments: Vec<Payment>,
}

/// New money for a user's account.
#[derive(Debug, Clone, Copy)]
pub struct Mint {
    /// Who gets it.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
}

/// The money of a transfer, back to where it came from.
#[derive(Debug, Clone, Copy)]
pub struct Reversal {
    /// Which one.
    pub of: TransferId,
    /// Whether the treasury covers what the receiver no longer has.
    pub force: bool,
}

/// A new market.
#[derive(Debug, Clone)]
pub struct OpenMarket {
    /// What people read of it.
    pub listing: Listing,
    /// The options' initial probabilities: all or none.
    pub probabilities: Vec<Option<Probability>>,
    /// When it takes its last trade.
    pub ends_at: Timestamp,
    /// The most that it can lose.
    pub subsidy: Amount,
    /// Where the subsidy comes from.
    pub from: AccountId,
    /// The trading fee, in basis points. The operator's, so no part of the request.
    pub fee_bps: u16,
    /// The limits of markets. The operator's, so no part of the request.
    pub quotas: Quotas,
}

/// Money for shares.
#[derive(Debug, Clone, Copy)]
pub struct PlaceBet {
    /// The id that the client chose for it.
    pub client_id: Option<ClientId>,
    /// The market.
    pub market_id: MarketId,
    /// Whose money it is.
    pub account_id: AccountId,
    /// What to buy, and its limits.
    pub order: BuyOrder,
}

/// Shares for money.
#[derive(Debug, Clone, Copy)]
pub struct SellShares {
    /// The id that the client chose for it.
    pub client_id: Option<ClientId>,
    /// The market.
    pub market_id: MarketId,
    /// Whose shares they are.
    pub account_id: AccountId,
    /// What to sell, and its limit.
    pub order: SellOrder,
}

/// How a market ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// One option came true.
    Winner(OptionId),
    /// Each option pays this part, in basis points, 10,000 in all; options left out pay nothing.
    Split(Vec<(OptionId, u16)>),
    /// The stakes go back.
    Cancel,
}

impl Command {
    /// The market that it changes, if it changes one.
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

    /// A number that commands on the same rows tend to share, so that they meet in one lane.
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

    /// Whether it takes more than owning an account: the caller's role is then locked until it is done.
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

    /// About how many transfers it makes, to keep units of work short.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::PayBatch(batch) => batch.payments.len().max(1),
            Self::Settle(_) => foretell_domain::market::HOLDERS_PER_SET,
            _ => 1,
        }
    }
}
