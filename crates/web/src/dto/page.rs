//! Which page of a list is wanted: `?page=1&limit=10`.

use foretell_ports::page::{MAX_PAGE_ROWS, PageRequest};
use garde::Validate;
use serde::Deserialize;

use super::text::parsed;
use crate::extract::{InputContext, IntoInput};
use crate::faults::{FaultCode, Faults};

const USUAL_LIMIT: u32 = 10;

/// The parameters of a list that has no others.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PageParams {
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    page: Option<u32>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    limit: Option<u32>,
}

impl IntoInput for PageParams {
    type Input = PageRequest;

    fn into_input(self, faults: &mut Faults, _: &InputContext<'_>) -> Option<PageRequest> {
        page_request(self.page, self.limit, faults)
    }
}

/// The page that two parameters `page` and `limit` ask for: the first one, of 10 rows, if they are left out.
pub(crate) fn page_request(
    page: Option<u32>,
    limit: Option<u32>,
    faults: &mut Faults,
) -> Option<PageRequest> {
    let (page, limit) = (page.unwrap_or(1), limit.unwrap_or(USUAL_LIMIT));
    if page == 0 {
        faults.add("page", FaultCode::Range, "must be at least 1");
    }
    if !(1..=MAX_PAGE_ROWS).contains(&limit) {
        faults.add("limit", FaultCode::Range, format!("must be 1 to {MAX_PAGE_ROWS}"));
    }
    PageRequest::new(page, limit)
}
