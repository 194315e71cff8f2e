//! A market's whole answer as it is kept: its entity tag, a line break, and the body.

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use foretell_application::ApplicationSettings;
use foretell_domain::time::Timestamp;
use foretell_ports::market::MarketDetails;
use std::sync::Arc;

use super::{MarketView, entity_tag};
use crate::reply;

/// The answer of a market, finished.
pub(crate) struct MarketPage {
    /// Its entity tag, as it stands in the header.
    pub(crate) tag: HeaderValue,
    /// Its body.
    pub(crate) body: Bytes,
}

/// What is kept of a market that is shown at `now`.
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
    /// The answer in what was kept; `None` if it is none.
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
    fn what_is_kept_is_the_tag_and_the_body() {
        let page = MarketPage::read((*b"7-ended\n{\n}").into()).unwrap();
        assert_eq!((page.tag.to_str().unwrap(), &*page.body), ("\"7-ended\"", &b"{\n}"[..]));
        assert!(MarketPage::read((*b"7").into()).is_none());
    }
}
