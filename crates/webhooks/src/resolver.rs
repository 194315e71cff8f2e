//! Resolver of receivers' names that leaves out forbidden addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use crate::address;

/// A name resolves to no public address.
#[derive(Debug, Error)]
#[error("the name resolves to no public address")]
pub(crate) struct NoPublicAddress;

/// Name resolution of the operating system.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Resolver of receivers' names. It is called for each connection, and the connection uses the
/// addresses that it returned, so that a name cannot change between check and connection.
pub(crate) struct ReceiverResolver {
    /// Underlying resolver.
    pub(crate) names: Arc<dyn Resolve>,
    /// `true` if only public addresses are returned.
    pub(crate) is_public_only: bool,
}

impl Resolve for ReceiverResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.names.resolve(name);
        if !self.is_public_only {
            return found;
        }
        Box::pin(async move {
            let public: Vec<_> = found.await?.filter(|found| address::is_public(found.ip())).collect();
            if public.is_empty() {
                Err(NoPublicAddress.into())
            } else {
                Ok(Box::new(public.into_iter()) as Addrs)
            }
        })
    }
}
