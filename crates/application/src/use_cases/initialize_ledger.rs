//! Initializes an empty database: its currency and the accounts of the house.

use foretell_domain::account::Account;
use foretell_domain::money::Currency;
use foretell_ports::error::StoreError;

use crate::Application;

impl Application {
    /// Stores the currency of an empty database and opens the treasury and the fees account; has no
    /// effect on an initialized database. Returns the stored currency, which the caller must
    /// compare with the configured one.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn initialize_ledger(&self) -> Result<Currency, StoreError> {
        let (currency, now) = (self.settings.currency.clone(), self.now());
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| {
            tx.insert_accounts_once(&[Account::treasury(), Account::fees()], now)?;
            tx.record_currency_once(&currency, now)
        };
        self.ports.units.run("initialize_ledger", work).await
    }
}
