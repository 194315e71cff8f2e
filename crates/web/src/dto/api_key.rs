//! Response types of API keys.

use foretell_domain::id::ApiKeyId;
use foretell_domain::scope::Scope;
use foretell_ports::api_key::ApiKey;
use serde::Serialize;
use utoipa::ToSchema;

use super::text::Text;
use super::time::Time;
use crate::openapi::names::{Id, ScopeName};

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyView<'a> {
    #[schema(value_type = Id)]
    id: Text<ApiKeyId>,
    name: &'a str,
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Vec<&'static str>,
    created_at: Time,
    expires_at: Option<Time>,
    last_used_at: Option<Time>,
}

impl<'a> ApiKeyView<'a> {
    /// Creates the response from a key.
    pub(crate) fn new(key: &'a ApiKey) -> Self {
        Self {
            id: Text(key.id),
            name: key.name.as_str(),
            scopes: key.scopes.iter().map(Scope::as_str).collect(),
            created_at: Time(key.created_at),
            expires_at: key.expires_at.map(Time),
            last_used_at: key.last_used_at.map(Time),
        }
    }
}
