//! Coverage of random histories: every kind of event must occur.

use std::collections::BTreeMap;

use foretell_domain::error::Code;
use foretell_domain::transfer::TransferKind;

use super::action::{Action, Answer, Effect, Step};
use super::state::State;
use super::world::World;

/// Number of events of each kind.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<String, usize>);

/// Errors that must occur in all histories together.
const REFUSALS: [Code; 14] = [
    Code::ValidationError,
    Code::Forbidden,
    Code::NotFound,
    Code::Duplicate,
    Code::Conflict,
    Code::InsufficientFunds,
    Code::InsufficientShares,
    Code::NotReversible,
    Code::BatchAborted,
    Code::MarketClosed,
    Code::ProposalPending,
    Code::Slippage,
    Code::TradeTooSmall,
    Code::TradeTooLarge,
];
/// Kinds of transfers that must occur.
const KINDS: [TransferKind; 13] = [
    TransferKind::Mint,
    TransferKind::Grant,
    TransferKind::Payment,
    TransferKind::Subsidy,
    TransferKind::Bet,
    TransferKind::Sale,
    TransferKind::Payout,
    TransferKind::Refund,
    TransferKind::Fee,
    TransferKind::Remainder,
    TransferKind::Reversal,
    TransferKind::Cover,
    TransferKind::Burn,
];

impl Coverage {
    /// Counts a step.
    pub(super) fn count(&mut self, step: &Step, answer: &Answer) {
        if answer.is_done {
            self.add(format!("{} done", name(&step.action)));
        }
        if answer.text.contains("is_replay: true") {
            self.add("repeated".to_owned());
        }
        match &answer.effect {
            Effect::Refused(refusal) => self.add(refusal.code().as_str().to_owned()),
            Effect::KeyReused => self.add("key reused".to_owned()),
            _ if answer.text.contains("BatchAborted") => {
                self.add(Code::BatchAborted.as_str().to_owned());
            }
            _ => {}
        }
    }

    /// Counts the kinds of transfers.
    pub(super) async fn count_kinds(&mut self, world: &World, state: &State) {
        for account in state.accounts() {
            for row in super::books::statement(world, account).await {
                self.add(row.kind.as_str().to_owned());
            }
        }
    }

    /// Returns the sum of several tallies.
    pub(super) fn sum(tallies: Vec<Self>) -> Self {
        let mut sum = BTreeMap::new();
        for (what, count) in tallies.into_iter().flat_map(|coverage| coverage.0) {
            *sum.entry(what).or_default() += count;
        }
        Self(sum)
    }

    /// Checks that every kind of event occurred.
    pub(super) fn check_variety(&self) {
        let done = [
            "register",
            "pay",
            "pay_batch",
            "mint",
            "reverse",
            "open",
            "bet",
            "sell",
            "close",
            "delete",
            "decide",
            "undo",
            "burn",
            "dispute",
            "end_proposal",
        ];
        let done = done.into_iter().map(|name| format!("{name} done"));
        let refused = REFUSALS.into_iter().map(|code| code.as_str().to_owned());
        let moved = KINDS.into_iter().map(|kind| kind.as_str().to_owned());
        let other = ["repeated", "key reused"].into_iter().map(str::to_owned);
        let missing: Vec<_> = done
            .chain(refused)
            .chain(moved)
            .chain(other)
            .filter(|what| !self.0.contains_key(what))
            .collect();
        assert!(missing.is_empty(), "never happened: {missing:?}; what did: {:?}", self.0);
    }

    fn add(&mut self, what: String) {
        *self.0.entry(what).or_default() += 1;
    }
}

const fn name(action: &Action) -> &'static str {
    match action {
        Action::Register(_) => "register",
        Action::Pay(_) => "pay",
        Action::PayBatch(_) => "pay_batch",
        Action::Mint(_) => "mint",
        Action::Reverse(..) => "reverse",
        Action::Open(_) => "open",
        Action::Bet(..) => "bet",
        Action::Sell(..) => "sell",
        Action::Close(_) => "close",
        Action::Delete(_) => "delete",
        Action::Decide(..) => "decide",
        Action::Undo(_) => "undo",
        Action::Burn(_) => "burn",
        Action::Dispute(_) => "dispute",
        Action::EndProposal(_) => "end_proposal",
    }
}
