//! Preconditions: which versions of something the client has.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{EntityTag, Header as _, IfNoneMatch};
use actix_web::{FromRequest, HttpRequest};

/// The header `If-None-Match`: the bodies that the client has. One that cannot be read says nothing.
pub(crate) struct KnownTags(Option<IfNoneMatch>);

impl KnownTags {
    /// Whether the client has the body of this tag.
    pub(crate) fn include(&self, tag: &EntityTag) -> bool {
        match &self.0 {
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
            None => false,
        }
    }
}

impl FromRequest for KnownTags {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(IfNoneMatch::parse(request).ok())))
    }
}
