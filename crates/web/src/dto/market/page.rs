//! Cached response of a market: its entity tag, a line break, and the body.

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use foretell_application::ApplicationSettings;
use foretell_domain::time::Timestamp;
use foretell_ports::market::MarketDetails;
use std::sync::Arc;

use super::{MarketView, entity_tag};
use crate::reply;

/// Rendered response of a market.
pub(crate) struct MarketPage {
    /// Entity tag, as a header value.
    pub(crate) tag: HeaderValue,
    /// Body.
    pub(crate) body: Bytes,
}

/// Returns the cached form of a market at `now`.
pub(crate) fn render(
    details: &MarketDetails,
    now: Timestamp,
    settings: &ApplicationSettings,
) -> Option<Vec<u8>> {
    let mut page = format!("{}\n", entity_tag(details, now)).into_bytes();
    page.extend(reply::body(MarketView::at(now, details, &settings.currency), None).ok()?);
    Some(page)
}

impl MarketPage {
    /// Parses the cached form; `None` if it is not valid.
    pub(crate) fn read(kept: Arc<[u8]>) -> Option<Self> {
        let end = kept.iter().position(|byte| *byte == b'\n')?;
        let quoted = [b"\"", kept.get(..end)?, b"\""].concat();
        let tag = HeaderValue::from_maybe_shared(Bytes::from(quoted)).ok()?;
        Some(Self { tag, body: Bytes::from_owner(kept).slice(end + 1..) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_page_has_tag_and_body() {
        let page = MarketPage::read((*b"7-ended\n{\n}").into()).unwrap();
        assert_eq!((page.tag.to_str().unwrap(), &*page.body), ("\"7-ended\"", &b"{\n}"[..]));
        assert!(MarketPage::read((*b"7").into()).is_none());
    }
}
