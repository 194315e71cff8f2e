//! Response to a transfer that was made.

use foretell_application::Caller;
use foretell_domain::transfer::Transfer;

use crate::WebState;
use crate::dto::transfer::{TransferView, Visible};
use crate::reply::{self, HandlerResult};

/// Returns 201 with a transfer that the caller has made.
pub(crate) fn made(state: &WebState, caller: &Caller, transfer: &Transfer) -> HandlerResult {
    let currency = &state.application.settings().currency;
    let visible = Visible::to_holder_of(transfer.debit.account_id, caller, transfer);
    let data = TransferView::new(transfer, currency, visible);
    reply::created(format_args!("/transfers/{}", transfer.id), data)
}
