//! Pays the holders of decided markets, set by set, and takes up what a crash interrupted.

use foretell_domain::id::{MarketId, UserId};
use foretell_domain::policy::Actor;
use foretell_domain::user::Role;
use foretell_ports::error::Chain;

use crate::Application;
use crate::authorization::Principal;
use crate::error::AppError;
use crate::writer::{Command, Outcome};

/// How many sets of holders are paid before the request that decided the market is answered.
pub(super) const SETS_IN_REQUEST: usize = 10;
/// How many sets of one market are paid before the sweep turns to the next market.
const SETS_IN_TURN: usize = 20;
/// How many unsettled markets are looked up at once.
const MARKETS_IN_SWEEP: u32 = 100;

impl Application {
    /// Pays at most `sets` sets of a decided market and says whether nothing is left to pay.
    pub(super) async fn settle(&self, market: MarketId, sets: usize) -> Result<bool, AppError> {
        // A step moves only what the decision has fixed, so nobody's permission is asked.
        let process = Principal::Process(Actor { user_id: UserId::from_u128(0), role: Role::User });
        for _ in 0..sets {
            let receipt = self.writer.submit(process, Command::Settle(market)).await?;
            if matches!(receipt.result?, Outcome::SetPaid { complete: true }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes once through all unsettled markets and says whether any has more holders to pay. One that fails
    /// does not hold up the others, and is taken up again in time.
    pub(super) async fn sweep_settlements(&self) -> Result<bool, AppError> {
        let (mut after, mut is_more) = (None, false);
        loop {
            let markets = self.ports.markets.list_unsettled(after, MARKETS_IN_SWEEP).await?;
            let Some(last) = markets.last().copied() else { return Ok(is_more) };
            for market in markets {
                match self.settle(market, SETS_IN_TURN).await {
                    Ok(is_complete) => is_more |= !is_complete,
                    Err(error) => {
                        tracing::error!(error = %Chain(&error), market_id = %market, "a settlement cannot go on");
                    }
                }
            }
            after = Some(last);
        }
    }
}
