//! Transfers as they were stored within batches before formats had a number.

use foretell_domain::id::{AccountId, MarketId, TransferId};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::text::Memo;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Side, Transfer, TransferKind, TransferRecord};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct UnnumberedTransfer {
    id: TransferId,
    kind: String,
    amount: i64,
    debit: UnnumberedSide,
    credit: UnnumberedSide,
    market_id: Option<MarketId>,
    reversal_of: Option<TransferId>,
    memo: Option<String>,
    created_at: i64,
}

#[derive(Deserialize)]
struct UnnumberedSide {
    account_id: AccountId,
    balance_after: i64,
    version: i64,
}

impl UnnumberedTransfer {
    /// Returns the transfer; `None` if a value is not valid.
    pub(super) fn into_transfer(self) -> Option<Transfer> {
        let side = |side: UnnumberedSide| Side {
            account_id: side.account_id,
            balance_after: Balance::from_minor(side.balance_after),
            version: side.version,
        };
        let record = TransferRecord {
            id: self.id,
            // The client id was the id itself.
            client_id: None,
            kind: TransferKind::from_name(&self.kind)?,
            amount: Amount::new(self.amount).ok()?,
            debit: side(self.debit),
            credit: side(self.credit),
            market_id: self.market_id,
            reversal_of: self.reversal_of,
            memo: self.memo.map(Memo::new).transpose().ok()?,
            created_at: Timestamp::from_micros(self.created_at),
        };
        Transfer::restore(record).ok()
    }
}
