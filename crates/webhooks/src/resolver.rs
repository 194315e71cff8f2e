//! Resolver of receivers' names that leaves out forbidden addresses.

use thiserror::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::address;

/// A name resolves to no public address.
#[derive(Debug, Error)]
#[error("the name resolves to no public address")]
pub(crate) struct NoPublicAddress;

/// Resolver of receivers' names. It is called for each connection, and the connection uses the
/// addresses that it returned, so that a name cannot change between check and connection.
#[derive(Debug)]
pub(crate) struct ReceiverResolver<R> {
    /// Underlying resolver.
    pub(crate) names: R,
    /// `true` if only public addresses are returned.
    pub(crate) is_public_only: bool,
}

impl<R: Resolver> Resolver for ReceiverResolver<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        if !self.is_public_only {
            return Ok(found);
        }
        let mut public = self.empty();
        for address in found.iter().filter(|address| address::is_public(address.ip())) {
            public.push(*address);
        }
        if public.is_empty() { Err(ureq::Error::Other(NoPublicAddress.into())) } else { Ok(public) }
    }
}
