//! Pagination parameters: `?page=1&limit=10` in version 1, `?cursor=&limit=10` from version 2 on.

use std::future::Future;

use foretell_ports::page::{MAX_PAGE_ROWS, NumberedPage, PageRequest, PageStart};
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parsed::{Parsed, optional, validated};
use crate::cursor::{CursorPosition, CursorSigner};
use crate::extract::{RequestContext, RequestDto};
use crate::validation::{FieldErrorCode, invalid};

const DEFAULT_LIMIT: u32 = 10;

/// Parameters of a list with page numbers; by default its first page.
#[derive(Debug, Deserialize, Validate)]
#[garde(context(RequestContext))]
pub(crate) struct NumberedParams {
    #[garde(dive, range(min = 1))]
    page: Option<Parsed<u32>>,
    #[garde(dive, range(min = 1, max = MAX_PAGE_ROWS))]
    limit: Option<Parsed<u32>>,
}

/// Parameters of a list with cursors; by default its first page.
#[derive(Debug, Deserialize, Validate)]
#[garde(context(RequestContext))]
pub(crate) struct CursorParams {
    #[garde(inner(custom(is_of_this_list)))]
    cursor: Option<String>,
    #[garde(dive, range(min = 1, max = MAX_PAGE_ROWS))]
    limit: Option<Parsed<u32>>,
}

fn is_of_this_list(cursor: &str, context: &RequestContext) -> garde::Result {
    let position = context.signer().and_then(|signer| signer.verify(cursor));
    let error = || invalid(FieldErrorCode::Invalid, "must be the cursor of a page of this list");
    position.map(drop).ok_or_else(error)
}

impl RequestDto for NumberedParams {
    type Input = Paging;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Paging {
        let Self { page, limit } = valid.into_inner();
        let limit = optional(limit).unwrap_or(DEFAULT_LIMIT);
        Paging::Page(validated(NumberedPage::new(optional(page).unwrap_or(1), limit)))
    }
}

impl RequestDto for CursorParams {
    type Input = Paging;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Paging {
        let Self { cursor, limit } = valid.into_inner();
        let limit = optional(limit).unwrap_or(DEFAULT_LIMIT);
        let signer = validated(context.signer().cloned());
        let after = cursor.map(|cursor| validated(signer.verify(&cursor)));
        Paging::Cursor(CursorPage { after, limit, signer })
    }
}

/// Requested part of a list, in the form of the API version.
#[derive(Debug)]
pub(crate) enum Paging {
    /// Page by number.
    Page(NumberedPage),
    /// Page after a cursor.
    Cursor(CursorPage),
}

/// Page after a cursor.
#[derive(Debug)]
pub(crate) struct CursorPage {
    after: Option<CursorPosition>,
    limit: u32,
    signer: CursorSigner,
}

/// Metadata of a list in a response.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ListMeta {
    /// Page number, and total number of rows.
    Pagination { page: u32, limit: u32, total: i64 },
    /// Cursor of the next page, if there is one.
    Page { next: Option<String>, limit: u32 },
}

impl Paging {
    /// Returns the rows to read. With cursors, one more row than shown is read, which tells if
    /// there is a next page.
    pub(crate) fn request<K: From<CursorPosition>>(&self) -> PageRequest<K> {
        match self {
            Self::Page(page) => PageRequest::from(*page),
            Self::Cursor(page) => {
                let start = page.after().map_or(PageStart::First, PageStart::After);
                PageRequest { start, limit: page.limit() }
            }
        }
    }

    /// Returns the metadata of a list, and drops the additional row. The total is computed only if
    /// the response contains it.
    pub(crate) async fn meta<T, K: Into<CursorPosition>, E>(
        self,
        rows: &mut Vec<T>,
        key_of: impl Fn(&T) -> K,
        total: impl Future<Output = Result<i64, E>>,
    ) -> Result<ListMeta, E> {
        let total = match &self {
            Self::Page(_) => total.await?,
            Self::Cursor(_) => 0,
        };
        Ok(self.meta_with_total(rows, key_of, total))
    }

    /// Returns the metadata of a list whose total is known, and drops the additional row.
    pub(crate) fn meta_with_total<T, K: Into<CursorPosition>>(
        self,
        rows: &mut Vec<T>,
        key_of: impl Fn(&T) -> K,
        total: i64,
    ) -> ListMeta {
        match self {
            Self::Page(page) => {
                ListMeta::Pagination { page: page.page(), limit: page.limit(), total }
            }
            Self::Cursor(page) => page.meta(rows, key_of),
        }
    }

    /// Divides a list that is short enough to be read completely.
    pub(crate) fn divide<T, K: Into<CursorPosition> + From<CursorPosition> + Ord>(
        self,
        rows: &mut Vec<T>,
        key_of: impl Fn(&T) -> K,
    ) -> ListMeta {
        match self {
            Self::Page(page) => {
                let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
                let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX).min(rows.len());
                rows.drain(..skipped);
                rows.truncate(page.limit() as usize);
                ListMeta::Pagination { page: page.page(), limit: page.limit(), total }
            }
            Self::Cursor(page) => {
                // Newest first, so the first keys are the highest.
                let after = page.after.map(K::from);
                rows.retain(|row| after.as_ref().is_none_or(|after| key_of(row) < *after));
                page.meta(rows, key_of)
            }
        }
    }
}

impl CursorPage {
    /// Returns the position after which the rows to read start.
    pub(crate) fn after<K: From<CursorPosition>>(&self) -> Option<K> {
        self.after.map(K::from)
    }

    /// Returns the maximum number of rows to read.
    pub(crate) const fn limit(&self) -> u32 {
        self.limit + 1
    }

    fn meta<T, K: Into<CursorPosition>>(
        self,
        rows: &mut Vec<T>,
        key_of: impl Fn(&T) -> K,
    ) -> ListMeta {
        let Self { limit, signer, .. } = self;
        let is_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| is_more);
        ListMeta::Page { next: last.map(|row| signer.sign(key_of(row).into())), limit }
    }
}
