//! Format 1 of commands, the input of the request hash.

use foretell_domain::id::{AccountId, ClientId, MarketId, OptionId, TransferId};
use foretell_domain::market::{BuyOrder, Evidence, MarketTexts, Quantity, SellOrder};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::text::{EvidenceText, EvidenceUrl, Memo};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::market::MarketTextsV1;
use crate::writer::command::{
    BatchMode, Burn, Command, Decision, OpenMarket, Payment, PlaceBet, SellShares, UndoSettlement,
};

/// Prefix of the hashed command.
const FORMAT: &[u8] = b"foretell command 1\n";

/// Hashes of a request, in the current and the former form. Both identify the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestHash {
    /// SHA-256 of the format and the command: the stored form.
    pub(in crate::writer) current: [u8; 32],
    /// SHA-256 of the command alone: the form stored before formats had a number.
    unnumbered: [u8; 32],
}

impl RequestHash {
    /// Returns `true` if a stored hash is that of this request.
    pub(in crate::writer) fn is(&self, stored: &[u8; 32]) -> bool {
        *stored == self.current || *stored == self.unnumbered
    }
}

/// Returns the hash of a command; `None` if it does not serialize, which is a program error.
pub(in crate::writer) fn hash(command: &Command) -> Option<RequestHash> {
    let canonical = match CommandV1::of(command) {
        Some(command) => serde_json::to_vec(&command).ok()?,
        // A registration is identified by the id of its user.
        None => match command {
            Command::Register(register) => register.user.id.to_bytes().to_vec(),
            _ => return None,
        },
    };
    let current = Sha256::new().chain_update(FORMAT).chain_update(&canonical).finalize().into();
    Some(RequestHash { current, unnumbered: Sha256::digest(&canonical).into() })
}

/// A command in format 1.
#[derive(Serialize)]
pub(super) enum CommandV1<'a> {
    Pay(PaymentV1<'a>),
    PayBatch(PaymentBatchV1<'a>),
    Mint { to: AccountId, amount: i64 },
    Reverse { of: TransferId, force: bool },
    OpenMarket(OpenMarketV1<'a>),
    Bet(BetV1),
    Sell(SaleV1),
    Close(MarketId),
    Decide(MarketId, DecisionV1),
    DecideWithEvidence(MarketId, DecisionV1, EvidenceV1<'a>),
    Undo { market: MarketId, reason: &'a str },
    Burn { from: AccountId, amount: i64, reason: &'a str },
    Delete(MarketId),
    Settle(MarketId),
}

#[derive(Serialize)]
pub(super) struct PaymentV1<'a> {
    id: Option<ClientId>,
    from: AccountId,
    to: AccountId,
    amount: i64,
    memo: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct PaymentBatchV1<'a> {
    mode: BatchModeV1,
    payments: Vec<PaymentV1<'a>>,
}

#[derive(Serialize)]
pub(super) enum BatchModeV1 {
    Atomic,
    Independent,
}

#[derive(Serialize)]
pub(super) struct OpenMarketV1<'a> {
    listing: MarketTextsV1<'a>,
    probabilities: Vec<Option<f64>>,
    ends_at: i64,
    subsidy: i64,
    from: AccountId,
}

#[derive(Serialize)]
pub(super) struct BetV1 {
    id: Option<ClientId>,
    market_id: MarketId,
    account_id: AccountId,
    order: BuyOrderV1,
}

#[derive(Serialize)]
struct BuyOrderV1 {
    option_id: OptionId,
    amount: i64,
    min_shares: Option<i64>,
    max_price: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct SaleV1 {
    id: Option<ClientId>,
    market_id: MarketId,
    account_id: AccountId,
    order: SellOrderV1,
}

#[derive(Serialize)]
struct SellOrderV1 {
    option_id: OptionId,
    quantity: QuantityV1,
    min_proceeds: Option<i64>,
}

#[derive(Serialize)]
enum QuantityV1 {
    All,
    Shares(i64),
}

#[derive(Serialize)]
pub(super) enum DecisionV1 {
    Winner(OptionId),
    Split(Vec<(OptionId, u16)>),
    Cancel,
}

#[derive(Serialize)]
pub(super) struct EvidenceV1<'a> {
    text: Option<&'a str>,
    url: Option<&'a str>,
}

impl<'a> CommandV1<'a> {
    /// Returns the command in this format; `None` for a registration and for commands that never
    /// have a key.
    pub(super) fn of(command: &'a Command) -> Option<Self> {
        Some(match command {
            Command::Register(_) | Command::CloseEnded(_) | Command::ApplyProposal(_) => {
                return None;
            }
            Command::Pay(payment) => Self::Pay(payment.into()),
            Command::PayBatch(batch) => Self::PayBatch(PaymentBatchV1 {
                mode: match batch.mode() {
                    BatchMode::Atomic => BatchModeV1::Atomic,
                    BatchMode::Independent => BatchModeV1::Independent,
                },
                payments: batch.payments().iter().map(PaymentV1::from).collect(),
            }),
            Command::Mint(mint) => Self::Mint { to: mint.to, amount: mint.amount.minor() },
            Command::Reverse(reversal) => Self::Reverse { of: reversal.of, force: reversal.force },
            Command::OpenMarket(opening) => Self::OpenMarket(opening.as_ref().into()),
            Command::Bet(bet) => Self::Bet(bet.into()),
            Command::Sell(sale) => Self::Sell(sale.into()),
            Command::Close(market) => Self::Close(*market),
            // Evidence came later: without it the hash is that of programs which knew none.
            Command::Decide(command) if command.evidence == Evidence::default() => {
                Self::Decide(command.market_id, (&command.decision).into())
            }
            Command::Decide(command) => Self::DecideWithEvidence(
                command.market_id,
                (&command.decision).into(),
                (&command.evidence).into(),
            ),
            Command::Undo(UndoSettlement { market_id, reason }) => {
                Self::Undo { market: *market_id, reason: reason.as_str() }
            }
            Command::Burn(Burn { from, amount, reason }) => {
                Self::Burn { from: *from, amount: amount.minor(), reason: reason.as_str() }
            }
            Command::Delete(market) => Self::Delete(*market),
            Command::Settle(market) => Self::Settle(*market),
        })
    }
}

impl<'a> From<&'a Payment> for PaymentV1<'a> {
    fn from(payment: &'a Payment) -> Self {
        let Payment { client_id: id, from, to, amount, memo } = payment;
        let memo = memo.as_ref().map(Memo::as_str);
        Self { id: *id, from: *from, to: *to, amount: amount.minor(), memo }
    }
}

impl<'a> From<&'a OpenMarket> for OpenMarketV1<'a> {
    fn from(opening: &'a OpenMarket) -> Self {
        // The fee and the quotas are set by the operator, and not part of the request.
        let OpenMarket { texts, probabilities, ends_at, subsidy, from, fee_bps: _, quotas: _ } =
            opening;
        let texts: &MarketTexts = texts;
        Self {
            listing: texts.into(),
            probabilities: probabilities.iter().map(|given| given.map(Probability::get)).collect(),
            ends_at: ends_at.micros(),
            subsidy: subsidy.minor(),
            from: *from,
        }
    }
}

impl From<&PlaceBet> for BetV1 {
    fn from(bet: &PlaceBet) -> Self {
        let PlaceBet { client_id: id, market_id, account_id, order } = *bet;
        let BuyOrder { option_id, amount, min_shares, max_price } = order;
        let order = BuyOrderV1 {
            option_id,
            amount: amount.minor(),
            min_shares: min_shares.map(Shares::units),
            max_price: max_price.map(Probability::get),
        };
        Self { id, market_id, account_id, order }
    }
}

impl From<&SellShares> for SaleV1 {
    fn from(sale: &SellShares) -> Self {
        let SellShares { client_id: id, market_id, account_id, order } = *sale;
        let SellOrder { option_id, quantity, min_proceeds } = order;
        let quantity = match quantity {
            Quantity::All => QuantityV1::All,
            Quantity::Shares(shares) => QuantityV1::Shares(shares.units()),
        };
        let min_proceeds = min_proceeds.map(Amount::minor);
        Self { id, market_id, account_id, order: SellOrderV1 { option_id, quantity, min_proceeds } }
    }
}

impl<'a> From<&'a Evidence> for EvidenceV1<'a> {
    fn from(evidence: &'a Evidence) -> Self {
        let Evidence { text, url } = evidence;
        Self {
            text: text.as_ref().map(EvidenceText::as_str),
            url: url.as_ref().map(EvidenceUrl::as_str),
        }
    }
}

impl From<&Decision> for DecisionV1 {
    fn from(decision: &Decision) -> Self {
        match decision {
            Decision::Winner(option) => Self::Winner(*option),
            Decision::Split(parts) => Self::Split(parts.clone()),
            Decision::Cancel => Self::Cancel,
        }
    }
}
