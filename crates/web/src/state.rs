//! State shared by all requests.

use std::sync::Arc;

use foretell_application::Application;

use crate::settings::WebSettings;

/// State shared by all requests.
#[derive(Clone)]
pub struct WebState {
    /// The use cases.
    pub application: Arc<Application>,
    /// Settings of the operator.
    pub settings: WebSettings,
    /// Signing key of cursors: the same on all nodes, or a cursor is invalid on another node.
    pub cursor_key: [u8; 32],
}
