//! A server that is ready: its application, its router's state, and its workers.

use std::sync::Arc;

use foretell_application::Application;
use foretell_jobs::WorkerSettings;
use foretell_ports::error::StoreError;
use foretell_web::{WebSettings, WebState};

use crate::search_index;
use crate::workers::Workers;

/// A server that is ready: its database is migrated and its ledger initialized.
#[derive(Clone)]
pub struct Foretell {
    application: Arc<Application>,
}

impl Foretell {
    pub(crate) const fn new(application: Arc<Application>) -> Self {
        Self { application }
    }

    /// Returns the use cases.
    pub const fn application(&self) -> &Arc<Application> {
        &self.application
    }

    /// Returns the state for [`foretell_web::app`], [`foretell_web::service`] and
    /// [`foretell_web::serve`], with the cursor key that all nodes of this database share.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn web_state(&self, settings: WebSettings) -> Result<WebState, StoreError> {
        let cursor_key = self.application.operations.shared_secret("cursors").await?;
        Ok(WebState { application: Arc::clone(&self.application), settings, cursor_key })
    }

    /// Starts to run jobs and to pay settlements in the background. Any number of nodes may do so.
    pub fn start_workers(&self, settings: WorkerSettings) -> Workers {
        Workers::start(&self.application, settings)
    }

    /// Starts to keep the search indexes up to date in the background, until the process ends: for
    /// every node that answers searches.
    pub fn start_indexing(&self) {
        tokio::spawn(search_index::keep_embeddings_current(Arc::clone(&self.application)));
        tokio::spawn(search_index::keep_texts_indexed(Arc::clone(&self.application)));
    }
}
