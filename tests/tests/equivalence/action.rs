//! One step of a history: an action, its caller and key, and its result.

use std::fmt::Debug;

use foretell_application::writer::{Burn, Decision, Mint, Payment, PaymentBatch, Receipt};
use foretell_application::{
    AppError, Application, Caller, Credential, MarketOpening, Registration, TradeTarget,
};
use foretell_domain::error::DomainError;
use foretell_domain::id::{BetId, MarketId, TransferId};
use foretell_domain::market::{BuyOrder, Evidence, MarketRecord, SellOrder};
use foretell_domain::text::Reason;

/// An action.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Register(Box<Registration>),
    Pay(Payment),
    PayBatch(PaymentBatch),
    Mint(Mint),
    Reverse(TransferId, Force),
    Open(MarketOpening),
    Bet(TradeTarget, BuyOrder),
    Sell(TradeTarget, SellOrder),
    Close(MarketId),
    /// Without a key: a repetition finds no market.
    Delete(MarketId),
    Decide(MarketId, Decision),
    Undo(MarketId),
    Burn(Burn),
    /// Without a key, like the next one.
    Dispute(MarketId),
    EndProposal(MarketId),
}

/// `Yes` if the treasury covers a shortfall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    No,
    Yes,
}

/// An action with its caller and its key.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) caller: Caller,
    pub(super) key: String,
    pub(super) action: Action,
}

/// Result of a step.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// Complete result, for comparing one store with another.
    pub(super) text: String,
    /// `true` if it was executed, now or before.
    pub(super) is_done: bool,
    /// Created resources that later steps refer to.
    pub(super) effect: Effect,
}

/// Resources created by an action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Nothing,
    User(Box<(foretell_domain::user::User, foretell_domain::id::AccountId)>),
    Transfers(Vec<TransferId>),
    Market(Box<MarketRecord>),
    Bet(BetId, TransferId),
    Refused(DomainError),
    KeyReused,
}

impl Step {
    /// Performs it; `None` if it may succeed later.
    pub(super) async fn perform(&self, app: &Application) -> Option<Answer> {
        let (caller, key) = (&self.caller, self.key.clone());
        match self.action.clone() {
            Action::Register(registration) => {
                let result = app.identity.register_user(*registration).await;
                let receipt = match result {
                    Ok(registered) => Ok(Receipt { result: Ok(registered), is_replay: false }),
                    Err(AppError::Refused(refusal)) => {
                        Ok(Receipt { result: Err(refusal), is_replay: false })
                    }
                    Err(error) => Err(error),
                };
                answer(receipt, |(user, registered)| {
                    Effect::User(Box::new((user.clone(), registered.account_id)))
                })
            }
            Action::Pay(payment) => {
                answer(app.ledger.pay(caller, key, payment).await, |transfer| {
                    Effect::Transfers(vec![transfer.id])
                })
            }
            Action::PayBatch(batch) => {
                answer(app.ledger.pay_batch(caller, key, batch).await, |results| {
                    Effect::Transfers(
                        results.iter().flatten().map(|transfer| transfer.id).collect(),
                    )
                })
            }
            Action::Mint(mint) => answer(app.ledger.mint(caller, key, mint).await, |transfer| {
                Effect::Transfers(vec![transfer.id])
            }),
            Action::Reverse(of, force) => {
                let reversed =
                    app.ledger.reverse_transfer(caller, key, of, force == Force::Yes).await;
                answer(reversed, |transfer| Effect::Transfers(vec![transfer.id]))
            }
            Action::Open(opening) => {
                answer(app.markets.open_market(caller, key, opening).await, |opened| {
                    Effect::Market(Box::new(opened.record.clone()))
                })
            }
            Action::Bet(target, order) => {
                answer(app.trading.place_bet(caller, key, target, order).await, traded)
            }
            Action::Sell(target, order) => {
                answer(app.trading.sell_shares(caller, key, target, order).await, traded)
            }
            Action::Close(market) => {
                answer(app.markets.close_market(caller, key, market).await, |_| Effect::Nothing)
            }
            Action::Delete(market) => unkeyed(app.markets.delete_market(caller, market).await),
            Action::Undo(market) => {
                let undone = app.markets.undo_settlement(caller, key, market, reason()).await;
                answer(undone, |_| Effect::Nothing)
            }
            Action::Burn(burn) => answer(app.ledger.burn(caller, key, burn).await, |transfer| {
                Effect::Transfers(vec![transfer.id])
            }),
            Action::Dispute(market) => {
                unkeyed(app.markets.dispute_resolution(caller, market, reason()).await)
            }
            Action::EndProposal(market) => unkeyed(app.markets.end_proposal(caller, market).await),
            Action::Decide(market, decision) => answer(
                app.markets.decide_market(caller, key, market, decision, Evidence::default()).await,
                |_| Effect::Nothing,
            ),
        }
    }
}

fn reason() -> Reason {
    Reason::new("It did not rain.").unwrap()
}

/// Returns the answer to a command without a key.
fn unkeyed<T: Debug>(result: Result<T, AppError>) -> Option<Answer> {
    match result {
        Ok(done) => {
            let text = format!("done: {done:?}");
            Some(Answer { text, is_done: true, effect: Effect::Nothing })
        }
        Err(AppError::Refused(refusal)) => {
            let text = format!("not done: {refusal:?}");
            Some(Answer { text, is_done: false, effect: Effect::Refused(refusal) })
        }
        Err(error) if error.is_temporary() => None,
        Err(error) => panic!("a step failed: {error:?}"),
    }
}

fn traded(receipt: &foretell_application::writer::TradeReceipt) -> Effect {
    Effect::Bet(receipt.bet.id, receipt.bet.transfer_id)
}

fn answer<T: Debug>(
    receipt: Result<Receipt<T>, AppError>,
    effect: impl FnOnce(&T) -> Effect,
) -> Option<Answer> {
    let text = format!("{receipt:?}");
    match receipt {
        Ok(Receipt { result: Ok(done), .. }) => {
            Some(Answer { text, is_done: true, effect: effect(&done) })
        }
        Ok(Receipt { result: Err(refusal), .. }) => {
            Some(Answer { text, is_done: false, effect: Effect::Refused(refusal) })
        }
        Err(AppError::KeyReused) => {
            Some(Answer { text, is_done: false, effect: Effect::KeyReused })
        }
        Err(error) if error.is_temporary() => None,
        Err(error) => panic!("a step failed: {error:?}"),
    }
}

impl Step {
    /// Returns the registered user, if the effect is a registration.
    pub(super) fn caller_of(effect: &Effect) -> Option<Caller> {
        let Effect::User(made) = effect else { return None };
        let (user, account_id) = (**made).clone();
        let credential = Credential::Process;
        Some(Caller { user, account_id, credential })
    }
}
