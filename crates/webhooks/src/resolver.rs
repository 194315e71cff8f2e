//! Resolves the names of receivers, and leaves out the addresses that nothing may be sent to.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use crate::address;

/// A name stands for no address that anything may be sent to.
#[derive(Debug, Error)]
#[error("the name stands for no public address")]
pub(crate) struct NoPublicAddress;

/// The addresses of a name as the system knows them.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The names of receivers. It is asked for each connection, and what it answers is what is connected to, so that
/// nothing can change in between.
pub(crate) struct ReceiverResolver {
    /// Finds the addresses.
    pub(crate) names: Arc<dyn Resolve>,
    /// Whether only public ones are answered.
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
