//! Initializes an empty database: its currency and the accounts of the house.

use foretell_domain::account::Account;
use foretell_domain::money::Currency;

use crate::error::StartError;
use crate::ports::Ports;

/// Stores the currency of an empty database and opens the treasury and the fees account; has no
/// effect on an initialized database.
///
/// # Errors
/// [`StartError::Currency`] if the database has another currency, [`StartError::Store`].
pub(crate) async fn initialize_ledger(
    ports: &Ports,
    configured: &Currency,
) -> Result<(), StartError> {
    let now = ports.clock.now();
    let currency = configured.clone();
    let work = move |tx: &mut dyn foretell_ports::unit::Tx| {
        tx.insert_accounts_once(&[Account::treasury(), Account::fees()], now)?;
        tx.record_currency_once(&currency, now)
    };
    let stored = ports.units.run("initialize_ledger", work).await?;
    if stored == *configured {
        Ok(())
    } else {
        Err(StartError::Currency { stored, configured: configured.clone() })
    }
}
